/* SPDX-License-Identifier: Apache-2.0 */
/* Records found in every wrapping, and what is said of the text that cannot be read. */
#include "record/unwrap.h"

#include <stdlib.h>

#include "fixtures.h"
#include "suites.h"
#include "test.h"

/*
 * A record here is an object with an "r", one with an "empty" has no targets;
 * an object with a "foreign" is of another kind, one with an "own" an alert.
 */
typedef struct taken {
    buffer records; /* "1 2 " for {"r":1} and {"r":2} */
    buffer broken;  /* "[stretch: reason]" */
    unwrapped found;
} taken;

static unwrap_kind take_object(void *arg, json *object)
{
    taken *t = arg;

    if (json_has_member(object, "foreign"))
        return UNWRAP_OTHER_KIND;
    if (json_has_member(object, "own"))
        return UNWRAP_OWN_ALERT;
    if (!json_has_member(object, "r"))
        return UNWRAP_UNKNOWN;
    buffer_append(&t->records, json_tostring(json_member(object, "r"), test_arena()));
    buffer_append_char(&t->records, ' ');
    return json_has_member(object, "empty") ? UNWRAP_RECORD_WITHOUT_TARGETS : UNWRAP_RECORD;
}

static void take_broken(void *arg, text broken, const char *reason)
{
    taken *t = arg;

    EXPECT(reason != NULL);
    buffer_append_char(&t->broken, '[');
    buffer_append(&t->broken, broken);
    buffer_append_char(&t->broken, ']');
}

static void give_back_taken(void *arg)
{
    taken *t = arg;

    buffer_free(&t->records);
    buffer_free(&t->broken);
}

static void give_back_unwrap(void *u)
{
    unwrap_free(u);
}

static unwrap *new_unwrap(void)
{
    unwrap *u = unwrap_new();

    REQUIRE(u != NULL);
    test_at_end(give_back_unwrap, u);
    return u;
}

static taken *new_taken(void)
{
    taken *t = arena_alloc(test_arena(), sizeof(*t));

    REQUIRE(t != NULL);
    *t = (taken){0};
    test_at_end(give_back_taken, t);
    return t;
}

static taken *take_text(const carrier *rulebase, text message)
{
    taken *t = new_taken();
    const unwrap_sink sink = {t, take_object, take_broken, NULL};

    t->found = unwrap_text(new_unwrap(), rulebase, message, &sink);
    return t;
}

static taken *take(const char *message)
{
    return take_text(NULL, tight_of(message));
}

static taken *take_with(const carrier *rulebase, const char *message)
{
    return take_text(rulebase, text_of(message));
}

static const char *records_of(taken *t)
{
    return buffer_string(&t->records);
}

static const char *broken_of(taken *t)
{
    return buffer_string(&t->broken);
}

static void check_records(const char *message, const char *expected)
{
    taken *t = take(message);
    size_t count = 0;

    for (const char *at = expected; *at != '\0'; at++)
        count += *at == ' ';
    test_case("%s", message);
    EXPECT_STRING(records_of(t), expected);
    EXPECT_INT(t->found.records, count);
    EXPECT_INT(t->found.broken, 0);
    EXPECT_STRING(broken_of(t), "");
}

#define R1 "{\"r\":1}"
#define R2 "{\"r\":2}"

/* --- wrappings --- */

static void test_a_single_record(void)
{
    check_records(R1, "1 ");
    check_records(" \r\n\t" R1 " \r\n", "1 ");
}

static void test_arrays_of_records(void)
{
    check_records("[" R1 "," R2 "]", "1 2 ");
    check_records("[[" R1 "],[[" R2 "]]]", "1 2 ");
    check_records("[null,5,\"text\",true," R1 "]", "1 ");
    check_records("[]", "");
}

static void test_containers_of_records(void)
{
    check_records("{\"records\":[" R1 "," R2 "]}", "1 2 ");
    check_records("{\"@odata.context\":\"https://graph.microsoft.com\",\"value\":[" R1 "," R2 "]}",
                  "1 2 ");
    check_records("[{\"records\":[" R1 "]},{\"records\":[" R2 "]}]", "1 2 ");
    check_records("{\"records\":[]}", "");
}

static void test_splunks_containers(void)
{
    check_records("{\"time\":1780315200,\"sourcetype\":\"azure\",\"event\":" R1 "}", "1 ");
    check_records("{\"body\":" R1 ",\"x-opt-offset\":\"1\",\"x-opt-sequence-number\":2}", "1 ");
    check_records("{\"body\":{\"records\":[" R1 "," R2 "]},\"x-opt-offset\":\"1\"}", "1 2 ");
}

static void test_records_as_strings(void)
{
    check_records(test_string("{\"message\":%s,\"@version\":\"1\"}", json_string_of(R1)), "1 ");
    check_records(test_string("{\"event\":{\"original\":%s}}", json_string_of(R1)), "1 ");
    check_records(test_string("{\"_raw\":%s,\"cribl_pipe\":\"x\"}", json_string_of(R1)), "1 ");
    check_records(test_string("{\"cribl_data\":{\"original_message\":%s}}", json_string_of(R1)),
                  "1 ");
    check_records(test_string("{\"message\":%s}", json_string_of("{\"records\":[" R1 "," R2 "]}")),
                  "1 2 ");
}

static const char *in_strings(const char *t, int levels)
{
    for (int i = 0; i < levels; i++)
        t = test_string("{\"message\":%s}", json_string_of(t));
    return t;
}

static void test_strings_in_strings_up_to_three_levels(void)
{
    check_records(in_strings(R1, 1), "1 ");
    check_records(in_strings(R1, 2), "1 ");
    check_records(in_strings(R1, 3), "1 ");
}

static void test_the_depth_of_strings_is_bounded(void)
{
    taken *t = take(in_strings(R1, 4));

    EXPECT_INT(t->found.records, 0);
}

static void test_words_before_a_record_in_a_string(void)
{
    check_records(test_string("{\"message\":%s}", json_string_of("azure_tag: azure-storage. " R1)),
                  "1 ");
    check_records(
        test_string("{\"message\":%s}", json_string_of("<134>Jun  1 12:00:00 azurefunction " R1)),
        "1 ");
}

static void test_words_before_a_record(void)
{
    check_records("azure_tag: azure-storage. azure_storage_tag: X. " R1, "1 ");
    check_records("@cee:" R1, "1 ");
    check_records("@cee: " R1, "1 ");
}

static void test_syslog_headers(void)
{
    check_records("<134>" R1, "1 ");
    check_records("<134>Jun  1 12:00:00 azurefunction " R1, "1 ");
    check_records("<134>Jun  1 12:00:00 host app[123]: " R1, "1 ");
    check_records("<134>1 2026-06-01T12:00:00Z host app 1 ID - " R1, "1 ");
    check_records("<134>1 2026-06-01T12:00:00Z host app 1 ID [a@1 b=\"c\" d=\"e]f\"] " R1, "1 ");
    check_records("<134>1 2026-06-01T12:00:00Z host app 1 ID [a@1 b=\"c\"][d@2 e=\"f\"] "
                  "\357\273\277" R1,
                  "1 ");
}

static void test_several_documents_in_one_message(void)
{
    check_records(R1 R2, "1 2 ");
    check_records(R1 "\n" R2 "\n", "1 2 ");
    check_records(R1 "\r\n" R2, "1 2 ");
    check_records("7 " R1 "7 " R2, "1 2 ");
    check_records(R1 "," R2, "1 2 ");
    check_records(R1 " and " R2 ".", "1 2 ");
}

static void test_a_slash_between_documents(void)
{
    check_records(R1 "/" R2, "1 2 ");
    check_records(R1 " / " R2, "1 2 ");
}

/* JSON has no comments, so nothing can be hidden in one. */
static void test_a_document_behind_two_slashes_is_one(void)
{
    check_records(R1 "//" R2, "1 2 ");
    check_records(R1 "/*" R2 "*/", "1 2 ");
}

static void test_a_slash_behind_the_last_document(void)
{
    check_records(R1 "/", "1 ");
}

static void test_a_byte_order_mark(void)
{
    check_records("\357\273\277" R1, "1 ");
}

static void test_nul_bytes_around_and_between_records(void)
{
    static const text message = TEXT("\0" R1 "\0\0" R2 "\0");
    taken *t = take_text(NULL, tight(message));

    EXPECT_STRING(records_of(t), "1 2 ");
    EXPECT_INT(t->found.broken, 0);
}

static void test_a_message_of_nul_bytes_holds_nothing(void)
{
    static const char message[70] = "";
    taken *t = take_text(NULL, tight((text){message, sizeof(message)}));

    EXPECT_STRING(records_of(t), "");
    EXPECT_INT(t->found.broken, 0);
}

static void test_invalid_utf8_around_and_in_a_record(void)
{
    check_records("\377\376" R1 "\303", "1 ");
    check_records("{\"a\":\"\377\",\"r\":1}", "1 ");
}

static void test_line_breaks_as_rsyslog_writes_them(void)
{
    check_records("{#012  \"r\" : 1#012}#015#012{#011\"r\":2}", "1 2 ");
    check_records("{\"a\":\"#012\",\"r\":1}", "1 ");
}

static void test_a_tables_rows(void)
{
    check_records("{\"tables\":[{\"name\":\"PrimaryResult\",\"columns\":[{\"name\":\"a\"},"
                  "{\"name\":\"r\"}],\"rows\":[[\"x\",1],[\"y\",2]]}]}",
                  "1 2 ");
}

static void test_a_tables_dynamic_columns_are_parsed(void)
{
    check_records("{\"tables\":[{\"columns\":[{\"name\":\"r\",\"type\":\"dynamic\"},"
                  "{\"name\":\"s\",\"type\":\"string\"}],"
                  "\"rows\":[[\"[{\\\"a\\\":1}]\",\"x\"]]}]}",
                  "[{\"a\":1}] ");
}

static void test_records_in_members_of_any_name(void)
{
    check_records("{\"data\":{\"deep\":[{\"items\":[" R1 "]}]},\"more\":" R2 "}", "1 2 ");
}

static void test_what_stands_in_a_record_is_no_other_record(void)
{
    check_records("{\"r\":1,\"inner\":" R2 ",\"s\":\"{\\\"r\\\":3}\"}", "1 ");
}

static void test_a_foreign_object_may_carry_records(void)
{
    taken *t = take("[{\"foreign\":1,\"inner\":" R1 "}," R2 "]");

    EXPECT_STRING(records_of(t), "1 2 ");
    EXPECT_INT(t->found.records, 2);
    EXPECT_INT(t->found.other_kinds, 1);
}

static void test_an_alert_of_ours_is_passed_over_with_all_in_it(void)
{
    taken *t = take("[{\"own\":1,\"inner\":" R1 ",\"text\":\"{\\\"r\\\":3}\"}," R2 "]");

    EXPECT_STRING(records_of(t), "2 ");
    EXPECT_INT(t->found.other_kinds, 1);
}

static void test_a_record_without_targets_may_carry_another(void)
{
    check_records("{\"r\":1,\"empty\":1,\"records\":[" R2 "]}", "1 2 ");
    check_records("{\"r\":1,\"empty\":1,\"_raw\":\"{\\\"r\\\":2}\"}", "1 2 ");
    check_records("{\"r\":1,\"empty\":1,\"properties\":{\"r\":2,\"x\":{\"r\":3}}}", "1 3 ");
    check_records("{\"r\":1,\"empty\":1,\"properties\":\"{\\\"r\\\":2}\"}", "1 ");
}

static void test_a_bracket_in_a_known_records_text_is_no_record(void)
{
    static const char *const texts[] = {"[ Create", "{ Create", "[ 1 ] Create [", "a\\n{Create }"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char message[80];

        snprintf(message, sizeof(message), "{\"r\":1,\"empty\":1,\"n\":\"%s\"}", texts[i]);
        check_records(message, "1 ");
        snprintf(message, sizeof(message), "{\"foreign\":1,\"n\":\"%s\"}", texts[i]);
        EXPECT_STRING(broken_of(take(message)), "");
    }
}

static void test_a_broken_record_in_a_known_records_text_is_told(void)
{
    static const char *const texts[] = {"{a:1", "{a=1", "[{ 'a' : 1", "[\\u007b\\u0022r",
                                        "{\\\"r\\\""};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char message[80];

        snprintf(message, sizeof(message), "{\"r\":1,\"empty\":1,\"n\":\"%s\"}", texts[i]);
        test_case("%s", message);
        EXPECT(broken_of(take(message))[0] == '[');
    }
}

static void test_tables_as_kusto_writes_them(void)
{
    check_records(
        "{\"Tables\":[{\"TableName\":\"Table_0\",\"Columns\":[{\"ColumnName\":\"a\"},"
        "{\"ColumnName\":\"r\",\"DataType\":\"Int32\"}],\"Rows\":[[\"x\",1],[\"y\",2]]}]}",
        "1 2 ");
    check_records("[{\"FrameType\":\"DataTable\",\"Columns\":[{\"ColumnName\":\"r\",\"ColumnType\":"
                  "\"dynamic\"}],\"Rows\":[[\"[1]\"],[[2]]]}]",
                  "[1] [2] ");
    check_records("{\"columns\":[\"a\",\"r\"],\"rows\":[[0,1]]}", "1 ");
}

#define ROW "[\"2026-06-01T12:00:00Z\",\"Update user\",\"[{\\\"id\\\":1}]\"]"

static void test_rows_without_columns_are_parts_of_records(void)
{
    static const char *const messages[] = {
        ROW,
        "[" ROW "]}]}",
        "{\"rows\":[" ROW "]}",
        "{\"tables\":[{\"columns\":[],\"rows\":[" ROW "]}]}",
        "{\"columns\":[{\"type\":\"string\"}],\"rows\":[" ROW "]}",
        "[{\"FrameType\":\"TableFragment\",\"Rows\":[" ROW "]}]",
    };

    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        taken *t = take(messages[i]);

        test_case("%s", messages[i]);
        EXPECT_STRING(broken_of(t), "[" ROW "]");
        EXPECT(t->found.reason == UNWRAP_PART);
    }
}

static void test_arrays_that_are_no_rows_are_no_parts_of_records(void)
{
    check_records("[\"2026-06-01T12:00:00Z\",\"words\",\"more words\",1]", "");
    check_records("[\"words\",\"[1]\",{\"a\":1}]", "");
    check_records("[\"2026-06-01T12:00:00Z\",\"[1]\",{\"a\":1},2]", "");
    check_records("[\"2026-06-01T12:00:00Z\",\"words\"," R1 "]", "1 ");
}

static void test_a_tables_rows_may_be_objects(void)
{
    check_records("{\"columns\":[{\"name\":\"r\"}],\"rows\":[" R1 ",[2]],\"more\":{\"r\":3}}",
                  "1 2 3 ");
}

static void test_of_two_columns_of_one_name_the_last_counts(void)
{
    check_records("{\"columns\":[{\"name\":\"r\"},{\"name\":\"r\"}],\"rows\":[[1,2]]}", "2 ");
}

static void test_a_text_without_json_holds_nothing(void)
{
    check_records("", "");
    check_records("Jun  1 12:00:00 host sshd[42]: Accepted publickey for root", "");
    check_records("host [warning] [core] something", "");
    check_records("just \"a string\"", "");
}

static void test_records_are_handed_out_in_their_order(void)
{
    buffer message = {0}, expected = {0};

    for (int i = 0; i < 500; i++) {
        buffer_append_string(&message, test_string("{\"r\":%d}\n", i));
        buffer_append_string(&expected, test_string("%d ", i));
    }
    check_records(buffer_string(&message), buffer_string(&expected));
    buffer_free(&message);
    buffer_free(&expected);
}

/* --- broken documents --- */

static void test_a_cut_document_is_told_with_its_reason(void)
{
    taken *t = take("words {\"a\":\"b");

    EXPECT_INT(t->found.records, 0);
    EXPECT_INT(t->found.broken, 1);
    EXPECT_STRING(t->found.reason, "cut off");
    EXPECT_STRING(broken_of(t), "[{\"a\":\"b]");
}

static void test_a_document_that_is_too_deep_is_told(void)
{
    buffer message = {0};
    taken *t;

    for (int i = 0; i < 100; i++)
        buffer_append_string(&message, "{\"a\":");
    buffer_append_char(&message, '1');
    for (int i = 0; i < 100; i++)
        buffer_append_char(&message, '}');
    t = take(buffer_string(&message));
    EXPECT_INT(t->found.records, 0);
    EXPECT(t->found.broken > 0);
    EXPECT_STRING(t->found.reason, "nested too deep");
    buffer_free(&message);
}

static void test_records_around_a_broken_document_are_found(void)
{
    taken *t = take(R1 "\n{\"a\": oops}\n" R2);

    EXPECT_STRING(records_of(t), "1 2 ");
    EXPECT_INT(t->found.broken, 1);
    EXPECT_STRING(broken_of(t), "[{\"a\": oops}]");
}

static void test_whole_records_in_a_cut_container_are_found(void)
{
    taken *t = take("{\"records\":[" R1 "," R2 ",{\"r\":3,\"x\":\"");

    EXPECT_STRING(records_of(t), "1 2 ");
    EXPECT(t->found.broken > 0);
    EXPECT(strstr(broken_of(t), "{\"r\":3,\"x\":\"") != NULL);
}

static void test_a_record_behind_a_document_of_ten_thousand_levels_is_found(void)
{
    enum { LEVELS = 10000 };
    char *deep = arena_alloc(test_arena(), LEVELS + 1);
    taken *t;

    memset(deep, '[', LEVELS);
    deep[LEVELS] = '\0';
    t = take(test_string("%s\n" R1, deep));
    EXPECT_STRING(records_of(t), "1 ");
}

static void test_a_message_of_nothing_but_beginnings_comes_to_an_end(void)
{
    enum { BYTES = 200000 };
    char *message = arena_alloc(test_arena(), BYTES);

    for (size_t i = 0; i < BYTES; i++)
        message[i] = "{\"a\":"[i % 5];
    EXPECT_INT(take_text(NULL, tight((text){message, BYTES}))->found.records, 0);
    memset(message, '{', BYTES);
    EXPECT_INT(take_text(NULL, tight((text){message, BYTES}))->found.records, 0);
    memset(message, '[', BYTES);
    EXPECT_INT(take_text(NULL, tight((text){message, BYTES}))->found.records, 0);
}

static void test_headers_in_brackets_are_not_broken(void)
{
    taken *t = take("<134>1 - host app - - [x@1 y=\"z\"] [123] app[5]: " R1);

    EXPECT_STRING(records_of(t), "1 ");
    EXPECT_INT(t->found.broken, 0);
}

static void test_an_object_with_too_many_members_is_told(void)
{
    buffer message = {0};
    taken *t;

    buffer_append_char(&message, '{');
    for (int i = 0; i < 4 * JSON_MOST_MEMBERS; i++) {
        json_write_key(&message, test_string("k%d", i));
        buffer_append_char(&message, '1');
    }
    buffer_append_string(&message, "}\n" R1);
    t = take(buffer_string(&message));
    EXPECT_STRING(records_of(t), "1 ");
    EXPECT_INT(t->found.broken, 1);
    EXPECT_STRING(t->found.reason, "an object with too many members");
    buffer_free(&message);
}

/* What is no JSON in front of a record, and inside of it what would end that. */
static void test_no_text_in_front_swallows_a_record(void)
{
    static const char *const traps[][2] = {
        {"{'", "':0}"},
        {"[/*", "*/]"},
        {"{/*", "*/}"},
        {"[//", "\\n]"},
        {"{\"", "\\\":0}"},
        {"['", "']"},
        {"{\"a\":'", "'}"},
        {"[\"", "\\\"]"},
        {"{", "}"},
        {"[", "]"},
        {"[{'", "':1}]"},
        {"{\"a\":{'", "'}}"},
        {"[NaN,'", "']"},
        {"{a:'", "'}"},
        {"[\"\\", "\"]"},
        {"{\"a\\u", "\"}"},
        {"[[[[{\"a\":[", "]}]]]]"},
        {"{\"alert_id\":\"", "\"}"},
    };

    for (size_t i = 0; i < LENGTH_OF(traps); i++) {
        taken *t = take(test_string("user=%s raw={\"r\":1,\"agent\":%s}", traps[i][0],
                                    json_string_of(traps[i][1])));

        test_case("%s %s", traps[i][0], traps[i][1]);
        EXPECT_STRING(records_of(t), "1 ");
    }
}

/* Of codes in strings those of the quotes' kind alone are undone. */
static void test_a_record_whose_quotes_are_coded(void)
{
    static const char *const coded[] = {
        "{\\x22r\\x22:1}",
        "ip - POST {\\x22r\\x22:1,\\x22a\\x22:\\x22\\x5C\\x22\\x22} 200",
        "{\\x22r\\x22:1,\\x22a\\x22:\\x22\\\\\\x22&quot;\\x22}",
        "{\\042r\\042:1}",
        "<Data>[{&quot;r&quot;:1,&quot;a&quot;:&quot;\\&quot;&amp;quot;\\\\&quot;}]</Data>",
        "{&#34;r&#34;:1}",
        "POST \\x22{\\x5C\\x22r\\x5C\\x22:1,\\x5C\\x22a\\x5C\\x22:0}\\x22 200",
        "{\\134\\042r\\134\\042:1}",
        "{&#92;&#34;r&#92;&#34;:1}",
        "{&#x22;r&#x22;:1}",
    };

    for (size_t i = 0; i < LENGTH_OF(coded); i++)
        check_records(coded[i], "1 ");
}

static void test_no_coded_quote_in_front_swallows_a_record(void)
{
    static const char *const fronts[] = {
        "{\\x22", "[\\x22", "{\\x22r\\x22:", "{&quot;", "[{&#34;", "{\\042} [", "{\\x22}] ",
    };

    for (size_t i = 0; i < LENGTH_OF(fronts); i++) {
        test_case("%s", fronts[i]);
        EXPECT_STRING(records_of(take(test_string("user: %s. " R1, fronts[i]))), "1 ");
        EXPECT_STRING(records_of(take(test_string("user: %s " R1, fronts[i]))), "1 ");
        EXPECT_STRING(records_of(take(test_string("user: %s[ " R1 "]", fronts[i]))), "1 ");
    }
    EXPECT_STRING(records_of(take("{\\x22r\\x22:2} " R1)), "2 1 ");
}

static void test_a_coded_document_without_a_record_is_passed(void)
{
    static const char *const coded[] = {
        "{\\x22a\\x22:1}",
        "ip - POST [{\\x22a\\x22:{\\x22b\\x22:\\x22\\x22}}] 200",
        "<Data>{&quot;a&quot;:1}</Data>",
    };

    for (size_t i = 0; i < LENGTH_OF(coded); i++)
        check_records(coded[i], "");
    check_records("{\\x22a\\x22:1} " R1, "1 ");
}

static void test_what_is_coded_and_broken_is_told_as_it_reads(void)
{
    taken *t = take("{\\x22r\\x22:1,\\x22a\\x22:-");

    EXPECT_STRING(records_of(t), "");
    EXPECT_STRING(broken_of(t), "[{\"r\":1,\"a\":-]");
    t = take("<Data>{&quot;r&quot;:&quot;\\x22&quot;}</Data>");
    EXPECT_STRING(broken_of(t), "[{\"r\":\"\\x22\"}]");
}

/* What seems to be the end of a quoted record is the first quote of the good one. */
static void test_no_quoted_record_in_front_swallows_one(void)
{
    static const char *const quoted[] = {
        "{\\\"r\\\":2,\\\"empty\\\":0} ",
        "{\\\"r\\\":2,\\\"a\\\":{\\\"b\\\":\\\"\\\"}}",
        "{\\\\\\\"r\\\\\\\":2} ",
    };

    for (size_t i = 0; i < LENGTH_OF(quoted); i++) {
        test_case("%s", quoted[i]);
        EXPECT_STRING(records_of(take(test_string("user: %s. " R1, quoted[i]))), "2 1 ");
        EXPECT_STRING(records_of(take(test_string("user: %s[" R1 "]", quoted[i]))), "2 1 ");
    }
}

static void test_a_document_in_a_broken_records_name_does_not_divide_it(void)
{
    static const char message[] = "{\"a\":1,\"displayName\":\"{\\\"r\\\":7}\",\"b\":2,\"c\":\"";
    taken *t = take(message);

    EXPECT_INT(t->found.records, 0);
    EXPECT_STRING(broken_of(t), test_string("[%s]", message));
}

/* A record in another string of it is judged, and left out of the stretch. */
static void test_a_record_in_a_cut_carrier_is_left_out_of_the_stretch(void)
{
    taken *t = take("{\"message\":\"{\\\"r\\\":7}\",\"b\":2,\"c\":\"");

    EXPECT_STRING(records_of(t), "7 ");
    EXPECT_STRING(broken_of(t), "[{\"message\":\"         \",\"b\":2,\"c\":\"]");
}

static void test_what_a_broken_tables_cell_holds_does_not_divide_it(void)
{
    static const char *const cells[] = {"{\"r\":2,\"empty\":0}", "{\"r\":2}", "[{\"r\":2}]"};

    for (size_t i = 0; i < LENGTH_OF(cells); i++) {
        const char *message = test_string(
            "{\"tables\":[{\"columns\":-,\"rows\":[[\"a\",%s,\"b\"]]}]}", json_string_of(cells[i]));

        test_case("%s", cells[i]);
        EXPECT_STRING(broken_of(take(message)), test_string("[%s]", message));
    }
}

static void test_words_that_show_a_key_are_a_part_of_a_record(void)
{
    static const char *const parts[] = {
        "  \"operation\": \"x\",",
        "\"operation\" : \"x\",#012\"p\": {\"a\":1},",
        "\"a\": [\"x\"]\n},\n",
        "\"operation\":\"x",
        "\"x\",\n  \"p\": {\"a\":1}",
        "\"x\"\n}",
        "\"x\",",
        "\"x\"",
        "\"x",
        "\"x\", [",
        "\\n#012\\t\"x\\\",\\n  \\\"p\\\": 1",
    };

    for (size_t i = 0; i < LENGTH_OF(parts); i++) {
        taken *t = take(test_string("<134>host app[1]: %s", parts[i]));

        test_case("%s", parts[i]);
        EXPECT_INT(t->found.broken, 1);
        EXPECT_STRING(t->found.reason, UNWRAP_PART);
        EXPECT_STRING(broken_of(t), test_string("[%s]", strchr(parts[i], '"')));
    }
}

static void test_words_around_documents_are_no_part_of_a_record(void)
{
    check_records("he said \"yes\": of course " R1 " \"no\"", "1 ");
    check_records("a: \"b\" c=\"d\" [x y=\"z\"]: " R1, "1 ");
    check_records("a=\"b\", c=\"d\", e \"f\" said: \"g\" " R1 " \"h\"", "1 ");
}

/* The first quote closes what another message began. */
static void test_the_end_of_a_value_is_a_part_of_a_record(void)
{
    static const char *const parts[] = {"Update user\",\n \"p\": 1", "Update user\"}", "x\\\"}",
                                        "x\", \"p\": [1]"};

    for (size_t i = 0; i < LENGTH_OF(parts); i++) {
        test_case("%s", parts[i]);
        EXPECT_STRING(broken_of(take(parts[i])), test_string("[%s]", parts[i]));
    }
}

/* The documents that stand in front of such words belong to it. */
static void test_a_part_of_a_record_begins_with_its_first_document(void)
{
    taken *t = take("{\"id\":1},\n{\"id\":2}],\n\"operation\": \"x\"}");

    EXPECT_STRING(broken_of(t), "[{\"id\":1},\n{\"id\":2}],\n\"operation\": \"x\"}]");
}

static void test_a_sink_need_not_hear_of_broken_documents(void)
{
    taken *t = new_taken();
    const unwrap_sink sink = {t, take_object, NULL, NULL};

    t->found = unwrap_text(new_unwrap(), NULL, text_of("{\"a\":\n" R1), &sink);
    EXPECT_STRING(records_of(t), "1 ");
    EXPECT(t->found.broken > 0);
}

static bool stops_at_once(void *arg)
{
    (void)arg;
    return true;
}

static bool stops_after_one(void *arg)
{
    const taken *t = arg;

    return t->records.length > 0;
}

static void check_stop(bool (*must_stop)(void *), const char *message, const char *expected)
{
    taken *t = new_taken();
    const unwrap_sink sink = {t, take_object, take_broken, must_stop};

    t->found = unwrap_text(new_unwrap(), NULL, tight_of(message), &sink);
    EXPECT(t->found.stopped);
    EXPECT_STRING(records_of(t), expected);
    EXPECT_STRING(broken_of(t), "");
}

static void test_a_stop_ends_the_walk_wherever_it_is(void)
{
    static const char *const messages[] = {
        "{\"records\":[" R1 "," R2 "]}",
        "{\"a\":" R1 ",\"b\":" R2 "}",
        "[" R1 "]" R2,
        R1 "\n{\"broken\":[\n" R2,
    };

    for (size_t i = 0; i < LENGTH_OF(messages); i++) {
        check_stop(stops_at_once, messages[i], "");
        check_stop(stops_after_one, messages[i], "1 ");
    }
    check_stop(stops_at_once, "{\"broken\":", "");
}

static void test_every_cut_of_a_message_is_read_without_reading_on(void)
{
    const char *whole = test_string("<134>[x] {\"records\":[" R1 ",{\"m\":%s}]}#012" R2,
                                    json_string_of("{\"m\":\"\\u0053\",\"r\":3}"));

    for (size_t length = 0; length < strlen(whole); length++)
        take_text(NULL, tight((text){whole, length}));
    check_records(whole, "1 3 2 ");
}

/* --- trees --- */

static void check_tree(json *tree, const char *expected)
{
    taken *t = new_taken();
    const unwrap_sink sink = {t, take_object, take_broken, NULL};

    t->found = unwrap_tree(new_unwrap(), tree, &sink);
    EXPECT_STRING(records_of(t), expected);
}

static void test_records_in_a_tree(void)
{
    check_tree(json_of("{'r':1}"), "1 ");
    check_tree(json_of("{'records':[{'r':1},{'r':2}]}"), "1 2 ");
    check_tree(json_of("{'message':'{\\u0022r\\u0022:1}'}"), "1 ");
    check_tree(json_of("{'a':5}"), "");
    check_tree(NULL, "");
}

/* --- the rulebase --- */

static void give_back_carrier(void *c)
{
    carrier_unref(c);
}

static carrier *open_carrier(const char *path)
{
    char *error;
    carrier *c = carrier_open(path, &error);

    test_case("%s: %s", path, error ? error : "");
    free(error);
    REQUIRE(c != NULL);
    test_case("%s", "");
    test_at_end(give_back_carrier, c);
    return c;
}

static const carrier *rulebase_of(const char *rules)
{
    return open_carrier(test_file("test.rulebase", test_string("version=2\n%s\n", rules)));
}

static void test_the_rulebase_is_asked_where_other_text_stands_in_front(void)
{
    const carrier *rulebase = rulebase_of("rule=:fields %record:name-value-list%");
    taken *t = take_with(rulebase, "fields r=1 a=b");

    EXPECT_STRING(records_of(t), "1 ");
    EXPECT_INT(t->found.records, 1);
    EXPECT(t->found.by_rulebase);
}

static void test_the_rulebase_is_not_asked_where_json_begins_the_text(void)
{
    const carrier *rulebase = rulebase_of("rule=:%record:json%%-:rest%");
    taken *t = take_with(rulebase, R1);

    EXPECT_STRING(records_of(t), "1 ");
    EXPECT_INT(t->found.records, 1);
    EXPECT_NOT(t->found.by_rulebase);
}

static void test_documents_are_looked_for_where_no_rule_leads_to_a_record(void)
{
    const carrier *rulebase = rulebase_of("rule=:fields %record:word% %-:rest%");
    taken *t = take_with(rulebase, "fields x {\"r\":1}");

    EXPECT_STRING(records_of(t), "1 ");
    EXPECT_NOT(t->found.by_rulebase);
}

static void test_a_rulebase_that_does_not_fit_changes_nothing(void)
{
    const carrier *rulebase = rulebase_of("rule=:fields %record:name-value-list%");
    taken *t = take_with(rulebase, "something else");

    EXPECT_INT(t->found.records, 0);
    EXPECT_NOT(t->found.by_rulebase);
}

static void test_a_text_that_the_rulebase_found_is_looked_through(void)
{
    const carrier *rulebase = rulebase_of("rule=:a %-:char-to:|%|%record:rest%");
    carrier *c = open_carrier(test_path("test.rulebase"));
    json *fields = carrier_take_apart(c, text_of("a {|{\"r\":1}"));

    EXPECT_TEXT_IS(json_string(carrier_record(fields)), R1);
    json_free(fields);
    EXPECT_STRING(records_of(take_with(rulebase, "a {|" R1)), "1 ");
}

static const char *installed_rulebase(const char *name)
{
    const char *directory = getenv("SYNCTAP_RULEBASE_DIR"); /* as `make check` sets it */

    REQUIRE(directory != NULL);
    return test_string("%s/%s", directory, name);
}

static void test_our_own_rulebases_can_be_opened(void)
{
    open_carrier(installed_rulebase("entra-audit.rulebase"));
    open_carrier(installed_rulebase("identity-info.rulebase"));
}

#define CEF "CEF:0|Microsoft|Azure|1|100|Audit|5|"

static void test_json_in_a_cef_extension(void)
{
    const carrier *rulebase = open_carrier(installed_rulebase("entra-audit.rulebase"));
    static const char *const messages[] = {
        CEF "msg={\"r\":1,\"q\":\"a\\=b\\\\n\"}",
        "<134>Jun  1 12:00:00 host " CEF "src=10.0.0.1 msg={\"r\":1,\"q\":\"a\\=b\"}",
        CEF "msg={\"r\":1}",
    };

    for (size_t i = 0; i < LENGTH_OF(messages); i++) {
        test_case("%s", messages[i]);
        EXPECT_STRING(records_of(take_with(rulebase, messages[i])), "1 ");
    }
}

static void test_a_carrier_in_a_cef_extension_does_not_hide_its_record(void)
{
    const carrier *rulebase = open_carrier(installed_rulebase("entra-audit.rulebase"));
    taken *t = take_with(rulebase, CEF "msg={\"r\":1,\"q\":\" CEF:0|a|b|c|d|e|5|msg={"
                                       "\\\\\"r\\\\\":2,\\\\\"empty\\\\\":0}\"}");

    EXPECT_NOT(t->found.by_rulebase);
    EXPECT_INT(t->found.broken, 1);
    EXPECT(strstr(broken_of(t), "[{\"r\":1,") != NULL);
}

/* CEF's escapes, as they are, would end a name and the record with it. */
static void test_a_record_that_was_cut_in_a_cef_extension_is_one_stretch(void)
{
    static const char *const names[] = {"}]}}", "},{", "} x", "}}"};
    const carrier *rulebase = open_carrier(installed_rulebase("entra-audit.rulebase"));

    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        taken *t =
            take_with(rulebase, test_string(CEF "msg={\"r\":1,\"empty\":0,\"n\":\"\\\\\"%s\","
                                                "\"t\":[{\"u\":2}],\"x\":\"",
                                            names[i]));

        test_case("%s", names[i]);
        EXPECT_STRING(broken_of(t), test_string("[{\"r\":1,\"empty\":0,\"n\":\"\\\"%s\",\"t\":[{"
                                                "\"u\":2}],\"x\":\"]",
                                                names[i]));
    }
}

static void test_json_in_a_leef_attribute(void)
{
    check_records("LEEF:2.0|Microsoft|Azure|1|100|\tsrc=10.0.0.1\tmsg=" R1 "\tcat=audit", "1 ");
}

static bool is_refused_with_a_reason(const char *path)
{
    char *error = NULL;
    carrier *opened = carrier_open(path, &error);
    bool told = opened == NULL && error != NULL && strlen(error) > 0;

    carrier_unref(opened);
    free(error);
    return told;
}

static void test_a_rulebase_that_is_not_there_is_told(void)
{
    EXPECT(is_refused_with_a_reason(test_path("absent.rulebase")));
}

static void refuse_or_abort(void *path)
{
    if (!is_refused_with_a_reason(path))
        abort();
}

static void test_a_wrong_rule_is_told(void)
{
    char *path = strdup(test_file("wrong.rulebase", "version=2\nrule=:%record:no-such-parser%\n"));

    test_at_end(free, path);
    EXPECT(test_survives(refuse_or_abort, path));
}

static void take_apart_in_vain(void *message)
{
    json_free(carrier_take_apart(open_carrier(test_path("test.rulebase")), *(text *)message));
}

static void test_a_message_for_the_rulebase_need_not_end_in_nul(void)
{
    text message = guarded_of("other words");

    rulebase_of("rule=:fields %record:rest%");
    EXPECT(test_survives(take_apart_in_vain, &message));
}

static void test_a_message_that_no_rule_fits_has_no_fields(void)
{
    rulebase_of("rule=:fields %record:rest%");
    EXPECT(carrier_take_apart(open_carrier(test_path("test.rulebase")), text_of("other words")) ==
           NULL);
}

static void test_a_rule_without_a_record_gives_nothing(void)
{
    rulebase_of("rule=:fields %other:rest%");
    EXPECT(carrier_take_apart(open_carrier(test_path("test.rulebase")), text_of("fields x")) ==
           NULL);
}

CU_TestInfo unwrap_tests[] = {
    TEST(test_a_single_record),
    TEST(test_arrays_of_records),
    TEST(test_containers_of_records),
    TEST(test_splunks_containers),
    TEST(test_records_as_strings),
    TEST(test_strings_in_strings_up_to_three_levels),
    TEST(test_the_depth_of_strings_is_bounded),
    TEST(test_words_before_a_record_in_a_string),
    TEST(test_words_before_a_record),
    TEST(test_syslog_headers),
    TEST(test_several_documents_in_one_message),
    TEST(test_a_slash_between_documents),
    TEST(test_a_document_behind_two_slashes_is_one),
    TEST(test_a_slash_behind_the_last_document),
    TEST(test_a_byte_order_mark),
    TEST(test_nul_bytes_around_and_between_records),
    TEST(test_a_message_of_nul_bytes_holds_nothing),
    TEST(test_invalid_utf8_around_and_in_a_record),
    TEST(test_line_breaks_as_rsyslog_writes_them),
    TEST(test_a_tables_rows),
    TEST(test_a_tables_dynamic_columns_are_parsed),
    TEST(test_records_in_members_of_any_name),
    TEST(test_what_stands_in_a_record_is_no_other_record),
    TEST(test_a_foreign_object_may_carry_records),
    TEST(test_an_alert_of_ours_is_passed_over_with_all_in_it),
    TEST(test_a_record_without_targets_may_carry_another),
    TEST(test_a_bracket_in_a_known_records_text_is_no_record),
    TEST(test_a_broken_record_in_a_known_records_text_is_told),
    TEST(test_tables_as_kusto_writes_them),
    TEST(test_rows_without_columns_are_parts_of_records),
    TEST(test_arrays_that_are_no_rows_are_no_parts_of_records),
    TEST(test_a_tables_rows_may_be_objects),
    TEST(test_of_two_columns_of_one_name_the_last_counts),
    TEST(test_no_text_in_front_swallows_a_record),
    TEST(test_a_record_whose_quotes_are_coded),
    TEST(test_no_coded_quote_in_front_swallows_a_record),
    TEST(test_a_coded_document_without_a_record_is_passed),
    TEST(test_what_is_coded_and_broken_is_told_as_it_reads),
    TEST(test_no_quoted_record_in_front_swallows_one),
    TEST(test_a_document_in_a_broken_records_name_does_not_divide_it),
    TEST(test_a_record_in_a_cut_carrier_is_left_out_of_the_stretch),
    TEST(test_what_a_broken_tables_cell_holds_does_not_divide_it),
    TEST(test_words_that_show_a_key_are_a_part_of_a_record),
    TEST(test_words_around_documents_are_no_part_of_a_record),
    TEST(test_the_end_of_a_value_is_a_part_of_a_record),
    TEST(test_a_part_of_a_record_begins_with_its_first_document),
    TEST(test_a_text_without_json_holds_nothing),
    TEST(test_records_are_handed_out_in_their_order),
    TEST(test_a_cut_document_is_told_with_its_reason),
    TEST(test_a_document_that_is_too_deep_is_told),
    TEST(test_records_around_a_broken_document_are_found),
    TEST(test_whole_records_in_a_cut_container_are_found),
    TEST(test_a_record_behind_a_document_of_ten_thousand_levels_is_found),
    TEST(test_a_message_of_nothing_but_beginnings_comes_to_an_end),
    TEST(test_headers_in_brackets_are_not_broken),
    TEST(test_an_object_with_too_many_members_is_told),
    TEST(test_a_sink_need_not_hear_of_broken_documents),
    TEST(test_a_stop_ends_the_walk_wherever_it_is),
    TEST(test_every_cut_of_a_message_is_read_without_reading_on),
    TEST(test_records_in_a_tree),
    TEST(test_the_rulebase_is_asked_where_other_text_stands_in_front),
    TEST(test_the_rulebase_is_not_asked_where_json_begins_the_text),
    TEST(test_documents_are_looked_for_where_no_rule_leads_to_a_record),
    TEST(test_a_rulebase_that_does_not_fit_changes_nothing),
    TEST(test_a_text_that_the_rulebase_found_is_looked_through),
    TEST(test_our_own_rulebases_can_be_opened),
    TEST(test_json_in_a_cef_extension),
    TEST(test_a_carrier_in_a_cef_extension_does_not_hide_its_record),
    TEST(test_a_record_that_was_cut_in_a_cef_extension_is_one_stretch),
    TEST(test_json_in_a_leef_attribute),
    TEST(test_a_rulebase_that_is_not_there_is_told),
    TEST(test_a_wrong_rule_is_told),
    TEST(test_a_message_for_the_rulebase_need_not_end_in_nul),
    TEST(test_a_message_that_no_rule_fits_has_no_fields),
    TEST(test_a_rule_without_a_record_gives_nothing),
    TESTS_END,
};
