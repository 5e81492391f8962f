/* SPDX-License-Identifier: Apache-2.0 */
/* The rooms between a message's text and the objects in it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "dialect/dialect.h"
#include "failing_malloc.h"
#include "gate/gate.h"
#include "record/audit_table.h"
#include "record/carrier.h"
#include "record/unwrap.h"
#include "sweep.h"

static json *parse(json_parser *parser, const char *written)
{
    json *tree = NULL;
    size_t taken;

    return json_parse(parser, text_of(written), &tree, &taken) == NULL ? tree : NULL;
}

static outcome write_tree(json *tree)
{
    buffer written = {0};
    outcome came;

    sweep_begin();
    json_write_value(&written, tree);
    sweep_end();
    came = buffer_failed(&written) ? OUT_OF_MEMORY : sweep_compare(buffer_text(&written));
    buffer_free(&written);
    return came;
}

static outcome run_dialects(void)
{
    json_parser *parser = json_parser_new(JSON_MOST_DEPTH);
    json *alert =
        parse(parser, "{\"alert_id\":\"a\",\"rule_id\":\"r\",\"severity\":\"High\",\"tactics\":"
                      "[\"Persistence\",\"X\"],\"techniques\":[\"T1098\",\"T1556\"],"
                      "\"sub_techniques\":[\"T1098.001\"],\"display_name\":\"CEF:0|\\n=\","
                      "\"time_generated\":\"2026-06-01T12:00:00.0000000Z\",\"actor\":\"e@x.y\","
                      "\"source_ip\":\"::1\",\"target_upn\":\"s@x.y\",\"result\":\"success\","
                      "\"method\":\"phone\",\"tap\":{\"usage\":\"once\"},\"matched_by\":[\"u\"],"
                      "\"kql\":true,\"confidence\":\"exact\",\"entities\":[{\"a\":\"b\"}]}");
    buffer written = {0};
    outcome came;

    sweep_begin();
    for (size_t n = 0; dialect_at(n) != NULL; n++)
        dialect_write(dialect_at(n), alert, &written);
    sweep_end();
    came = buffer_failed(&written) ? OUT_OF_MEMORY : sweep_compare(buffer_text(&written));
    buffer_free(&written);
    json_free(alert);
    json_parser_free(parser);
    return came;
}

static outcome run_json_writing(void)
{
    json_parser *parser = json_parser_new(JSON_MOST_DEPTH);
    json *tree = parse(parser, "{\"a\":[1,-2.5e3,true,null,\"\\u0001\\\"x\"],\"b\":{\"c\":"
                               "0.12345678901234567890123456789012345678901234567890}}");
    outcome came = write_tree(tree);

    json_free(tree);
    json_parser_free(parser);
    return came;
}

static outcome run_json_parser(void)
{
    json_parser *parser;
    json *tree;
    outcome came;

    sweep_begin();
    parser = json_parser_new(JSON_MOST_DEPTH);
    tree = parser ? parse(parser, "{\"a\":1}") : NULL;
    sweep_end();
    came = tree == NULL ? OUT_OF_MEMORY : SWEEP_EXPECT(json_member_count(tree) == 1);
    json_free(tree);
    json_parser_free(parser);
    return came;
}

static outcome put_members(json_parser *parser)
{
    static const char *const keys[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
    json *object, *value = parse(parser, "[1]");
    bool put = true;
    outcome came;

    sweep_begin();
    object = json_new_object();
    for (size_t i = 0; object != NULL && i < sizeof(keys) / sizeof(keys[0]); i++)
        put &= json_put_member(object, keys[i], json_ref(value));
    sweep_end();
    if (object == NULL || !put)
        came = OUT_OF_MEMORY;
    else
        came = SWEEP_EXPECT(json_member(object, "a") == value && json_member(object, "l") == value);
    json_free(object);
    json_free(value);
    return came;
}

static outcome run_json_members(void)
{
    json_parser *parser = json_parser_new(JSON_MOST_DEPTH);
    outcome came = put_members(parser);

    json_parser_free(parser);
    return came;
}

static outcome turn_to_text(json *tree, arena *memory)
{
    text written;

    sweep_begin();
    written = json_tostring(tree, memory);
    sweep_end();
    return written.bytes == NULL ? OUT_OF_MEMORY : sweep_compare(written);
}

static outcome run_json_tostring(void)
{
    json_parser *parser = json_parser_new(JSON_MOST_DEPTH);
    json *tree = parse(parser, "{\"a\":[1,{\"b\":\"c\"}]}");
    arena *memory = arena_new();
    outcome came = turn_to_text(tree, memory);

    arena_free(memory);
    json_free(tree);
    json_parser_free(parser);
    return came;
}

/* --- gate --- */

static outcome run_gate(void)
{
    static const text phrases[] = {TEXT("one phrase"), TEXT("another phrase")};
    outcome came = OUT_OF_MEMORY;
    gate *g;

    sweep_begin();
    g = gate_new(phrases, 2, SEMANTICS_WIDE);
    sweep_end();
    if (g != NULL)
        came = SWEEP_EXPECT(gate_may_hold(g, (text)TEXT("has another\\u0020phrase")) &&
                            !gate_may_hold(g, (text)TEXT("has none")));
    gate_free(g);
    return came;
}

/* --- carriers --- */

static const char *rulebase_path(void)
{
    static char path[4096];
    const char *directory = getenv("SYNCTAP_RULEBASE_DIR");

    snprintf(path, sizeof(path), "%s/entra-audit.rulebase", directory ? directory : "rulebase");
    return path;
}

static carrier *open_rulebase(void)
{
    char *error;
    carrier *opened = carrier_open(rulebase_path(), &error);

    SWEEP_REQUIRE(opened != NULL);
    return opened;
}

static outcome open_carrier(const char *path, bool is_there)
{
    char *error;
    carrier *opened;
    outcome came = OUT_OF_MEMORY;

    sweep_begin();
    opened = carrier_open(path, &error);
    sweep_end();
    if (opened != NULL || error != NULL)
        came = SWEEP_EXPECT((opened != NULL) == is_there);
    free(error);
    carrier_unref(opened);
    return came;
}

static outcome run_carrier_open(void)
{
    return open_carrier(rulebase_path(), true);
}

static outcome run_carrier_absent(void)
{
    return open_carrier("/nowhere/to.be.found", false);
}

/* --- unwrap --- */

#define RECORD "{\"operationName\":\"x\",\"TargetResources\":[{\"id\":\"1\"}]}"
#define ESCAPED "{\\\"operationName\\\":\\\"x\\\",\\\"TargetResources\\\":[{\\\"id\\\":\\\"1\\\"}]}"

/* All that is handed out, one after the other. */
static unwrap_kind take_record(void *arg, json *object)
{
    if (!json_has_member(object, "operationName"))
        return UNWRAP_UNKNOWN;
    failing_malloc_pause();
    json_write_value(arg, object);
    failing_malloc_resume();
    return UNWRAP_RECORD;
}

static void ignore_broken(void *arg, text broken, const char *reason)
{
    (void)arg;
    (void)broken;
    (void)reason;
}

/* A text that is broken by itself is said to be so in any case. */
static outcome unwrap_with(unwrap *self, const carrier *rulebase, const char *message)
{
    buffer taken = {0};
    const unwrap_sink sink = {&taken, take_record, ignore_broken, NULL};
    unwrapped found;
    outcome came;

    sweep_begin();
    found = unwrap_text(self, rulebase, text_of(message), &sink);
    sweep_end();
    if (found.out_of_memory)
        came = OUT_OF_MEMORY;
    else
        came = sweep_compare(buffer_text(&taken));
    if (came == WRONG && found.broken > 0)
        came = OUT_OF_MEMORY;
    buffer_free(&taken);
    return came;
}

static outcome unwrap_once(const char *message)
{
    unwrap *self = unwrap_new();
    carrier *rulebase = open_rulebase();
    outcome came;

    SWEEP_REQUIRE(self != NULL);
    came = unwrap_with(self, rulebase, message);
    carrier_unref(rulebase);
    unwrap_free(self);
    return came;
}

static outcome run_unwrap_new(void)
{
    unwrap *self;

    sweep_begin();
    self = unwrap_new();
    sweep_end();
    if (self == NULL)
        return OUT_OF_MEMORY;
    unwrap_free(self);
    return AS_ALWAYS;
}

static outcome run_unwrap_documents(void)
{
    return unwrap_once(RECORD "\n[" RECORD "," RECORD "]");
}

static outcome run_unwrap_strings(void)
{
    return unwrap_once("{\"message\":\"" ESCAPED "\"}");
}

static outcome run_unwrap_escaped(void)
{
    return unwrap_once("record=\"" ESCAPED "\" and more");
}

static outcome run_unwrap_coded(void)
{
    return unwrap_once("POST {\\x22operationName\\x22:\\x22x\\x22} 200");
}

static outcome run_unwrap_cleaned(void)
{
    return unwrap_once("{#012\"operationName\":#012\"x\"}");
}

static outcome run_unwrap_broken(void)
{
    return unwrap_once("{\"records\":[" RECORD ",{\"a\":" RECORD);
}

static outcome run_unwrap_table(void)
{
    return unwrap_once("{\"columns\":[{\"name\":\"operationName\"},{\"name\":\"TargetResources\","
                       "\"type\":\"dynamic\"}],\"rows\":[[\"x\",\"[{\\\"id\\\":\\\"1\\\"}]\"],"
                       "[\"y\",null]]}");
}

static outcome run_unwrap_by_rulebase(void)
{
    return unwrap_once("CEF:0|a|b|1|2|3|4|msg={\"operationName\":\"x\\=y\"}");
}

/* --- audit_table --- */

static bool add_record(void *arg, size_t line, text record, const char *trouble)
{
    (void)line;
    buffer_append(arg, trouble != NULL ? text_of(trouble) : record);
    return true;
}

static outcome read_table(const char *table)
{
    buffer records = {0};
    bool out_of_memory = false;
    outcome came;

    sweep_begin();
    audit_table_read(text_of(table), DATE_ORDER_UNKNOWN, add_record, &records, &out_of_memory);
    sweep_end();
    came = out_of_memory || buffer_failed(&records) ? OUT_OF_MEMORY
                                                    : sweep_compare(buffer_text(&records));
    buffer_free(&records);
    return came;
}

static outcome run_audit_table(void)
{
    return read_table("TimeGenerated [UTC],OperationName,TargetResources\n"
                      "\"11/13/2026, 1:02 AM\",a,\"[{\"\"id\"\":1}]\"\n1,2\n");
}

static outcome run_audit_table_of_entra(void)
{
    return read_table("Date (UTC),Activity,Target1ObjectId,Target1ModifiedProperty1Name\n"
                      "2026-11-26,a,b,c\n");
}

const sweep_run text_runs[] = {
    {"json parser", run_json_parser},
    {"json writing", run_json_writing},
    {"json members", run_json_members},
    {"json tostring", run_json_tostring},
    {"dialects", run_dialects},
    {"gate", run_gate},
    {"carrier", run_carrier_open},
    {"carrier, absent", run_carrier_absent},
    {"unwrap", run_unwrap_new},
    {"unwrap, documents", run_unwrap_documents},
    {"unwrap, strings", run_unwrap_strings},
    {"unwrap, escaped", run_unwrap_escaped},
    {"unwrap, coded", run_unwrap_coded},
    {"unwrap, cleaned", run_unwrap_cleaned},
    {"unwrap, broken", run_unwrap_broken},
    {"unwrap, table", run_unwrap_table},
    {"unwrap, by rulebase", run_unwrap_by_rulebase},
    {"audit_table", run_audit_table},
    {"audit_table, Entra's", run_audit_table_of_entra},
    RUNS_END,
};
