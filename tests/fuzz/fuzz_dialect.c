/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_dialect: an alert whose texts are the input's lines, in every dialect.
 *
 * Whatever they are, each rendering is one line, without a NUL, that is read
 * back as what it is: a document, or a line with all its keys in order.
 */
#include "fuzz.h"

#include "dialect/dialect.h"
#include "dialect/own_alert.h"

static json_parser *parser;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    parser = json_parser_new(DIALECT_MOST_DEPTH);
    return 0;
}

/* The input up to its next line break, which is taken off. */
static text next_text(text *input)
{
    const char *end = input->length ? memchr(input->bytes, '\n', input->length) : NULL;
    text line = end ? text_between(input->bytes, end) : *input;

    *input = text_from(*input, end ? line.length + 1 : line.length);
    return line;
}

/* All members that a dialect tells of; those that hold texts have the input's. */
static void write_alert(buffer *out, text input)
{
    static const char *const texts[] = {
        "severity",       "display_name", "description",       "time_generated",
        "operation_name", "actor",        "source_ip",         "target_upn",
        "result",         "target_id",    "actor_id",          "result_reason",
        "method",         "caller_ip",    "confidence",        "record_id",
        "correlation_id", "tenant_id",    "logged_by_service", "detected_at",
        "collector",      "rule_id",      "rule_name",         "rule_version"};

    buffer_append_string(out, "{\"alert_id\":\"25a56fda-0cd2-5c5f-b3ec-01a20a819074\"");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        json_write_member(out, texts[i], next_text(&input));
    buffer_append_string(out, ",\"tactics\":[");
    json_write_string(out, next_text(&input));
    buffer_append_string(out, "],\"techniques\":[\"T1098\"],\"sub_techniques\":[");
    json_write_string(out, next_text(&input));
    buffer_append_string(out,
                         "],\"matched_by\":[\"x\"],\"kql\":true,\"late\":true,\"tap\":{\"end\":");
    json_write_string(out, next_text(&input));
    buffer_append_string(out, ",\"usage\":");
    json_write_string(out, next_text(&input));
    buffer_append_string(out, "},\"entities\":[],\"incident\":null}");
}

static void check_document(text rendered)
{
    size_t taken;
    json *tree;

    FUZZ_REQUIRE(json_parse(parser, rendered, &tree, &taken) == NULL, rendered);
    FUZZ_REQUIRE(taken == rendered.length, rendered);
    FUZZ_REQUIRE(dialect_is_object(tree), rendered);
    json_free(tree);
}

static void check(const dialect *d, json *alert)
{
    buffer out = {0};
    text rendered;

    dialect_write(d, alert, &out);
    rendered = buffer_text(&out);
    FUZZ_REQUIRE(!buffer_failed(&out), rendered);
    FUZZ_REQUIRE(memchr(rendered.bytes, '\n', rendered.length) == NULL, rendered);
    FUZZ_REQUIRE(memchr(rendered.bytes, '\r', rendered.length) == NULL, rendered);
    FUZZ_REQUIRE(memchr(rendered.bytes, '\0', rendered.length) == NULL, rendered);
    if (rendered.bytes[0] == '{')
        check_document(rendered);
    else
        FUZZ_REQUIRE(own_alert_line_length(parser, rendered) > 0, rendered);
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const char *bytes, size_t length)
{
    text input = {bytes, length};
    buffer alert = {0};
    size_t taken;
    json *tree;

    own_alert_line_length(parser, input);
    write_alert(&alert, input);
    FUZZ_REQUIRE(json_parse(parser, buffer_text(&alert), &tree, &taken) == NULL, input);
    for (size_t n = 0; dialect_at(n) != NULL; n++)
        check(dialect_at(n), tree);
    json_free(tree);
    buffer_free(&alert);
    return 0;
}
