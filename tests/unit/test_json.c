/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as KQL reads a dynamic, in the bounds that messages are held to, and JSON written. */
#include "base/json.h"

#include <libfastjson/json.h>
#include <stdlib.h>

#include "suites.h"
#include "test.h"

static void give_back_parser(void *p)
{
    json_parser_free(p);
}

static void give_back_json(void *root)
{
    json_free(root);
}

static json_parser *new_parser(void)
{
    json_parser *p = json_parser_new(JSON_MOST_DEPTH);

    REQUIRE(p != NULL);
    test_at_end(give_back_parser, p);
    return p;
}

/* Parses bytes of exactly this length; the reason of a failure, NULL for none. */
static const char *parse(text t, json **root, size_t *taken)
{
    const char *reason = json_parse(new_parser(), tight(t), root, taken);

    test_at_end(give_back_json, *root);
    return reason;
}

static const char *reason_against(const char *written)
{
    json *root;
    size_t taken;
    const char *reason = parse(text_of(written), &root, &taken);

    EXPECT_INT(root != NULL, reason == NULL);
    return reason;
}

/* As the engine's writers write it, with their backslashes: not through quoted(). */
static json *parsed(const char *written)
{
    json *root;
    size_t taken;

    REQUIRE(parse(text_of(written), &root, &taken) == NULL);
    return root;
}

static const char *written(json *value)
{
    buffer out = {0};
    const char *copy;

    json_write_value(&out, value);
    copy = test_string("%s", buffer_string(&out));
    buffer_free(&out);
    return copy;
}

static void give_back_case_mode(void *unused)
{
    (void)unused;
    fjson_global_do_case_sensitive_comparison(1);
}

/* What rsyslogd turns on for its whole process. */
static void use_the_daemons_mode(void)
{
    fjson_global_do_case_sensitive_comparison(0);
    test_at_end(give_back_case_mode, NULL);
}

/* --- tostring and paths --- */

static text to_string(const char *value)
{
    json *document = parsed(test_string("[%s]", value));

    return json_tostring(json_array_item(document, 0), test_arena());
}

static void test_tostring_of_a_string_is_its_text(void)
{
    EXPECT_TEXT_IS(to_string("\"3\""), "3");
    EXPECT_TEXT_IS(to_string("\"\""), "");
    EXPECT_TEXT_IS(to_string("\"a\\\"b\\\\c\""), "a\"b\\c");
    EXPECT_TEXT_IS(to_string("\"\\u0053ync_x\""), "Sync_x");
    EXPECT_TEXT_IS(to_string("\"café\""), "café");
}

static void test_tostring_of_a_number_is_its_text(void)
{
    EXPECT_TEXT_IS(to_string("1.5"), "1.5");
    EXPECT_TEXT_IS(to_string("42"), "42");
    EXPECT_TEXT_IS(to_string("0"), "0");
    EXPECT_TEXT_IS(to_string("-7"), "-7");
    EXPECT_TEXT_IS(to_string("9007199254740993"), "9007199254740993");
    EXPECT_TEXT_IS(to_string("9223372036854775807"), "9223372036854775807");
}

static void test_tostring_of_a_boolean_is_its_text(void)
{
    EXPECT_TEXT_IS(to_string("true"), "true");
    EXPECT_TEXT_IS(to_string("false"), "false");
}

static void test_tostring_of_null_is_empty(void)
{
    EXPECT_TEXT_IS(to_string("null"), "");
    EXPECT_TEXT_IS(json_tostring(NULL, test_arena()), "");
}

static void test_tostring_of_arrays_and_objects_is_their_json_text(void)
{
    EXPECT_TEXT_IS(to_string("[1, 2,3 ]"), "[1,2,3]");
    EXPECT_TEXT_IS(to_string("[]"), "[]");
    EXPECT_TEXT_IS(to_string("{}"), "{}");
    EXPECT_TEXT_IS(to_string("{ \"x\" : [null, true] }"), "{\"x\":[null,true]}");
    EXPECT_TEXT_IS(to_string("[\"a\\\"b\"]"), "[\"a\\\"b\"]");
}

static void test_a_member_of_what_is_no_object_or_has_none_is_null(void)
{
    static const char *const without[] = {
        "[10,20,30]", "[{'a':1}]", "{'a':null}", "{'nested':{'a':'y'}}", "{'A':'in another case'}",
    };

    for (size_t i = 0; i < LENGTH_OF(without); i++) {
        test_case("%s", without[i]);
        EXPECT(json_member(json_of(without[i]), "a") == NULL);
    }
    EXPECT(json_member(json_array_item(json_of("['text']"), 0), "a") == NULL);
    EXPECT(json_member(NULL, "a") == NULL);
}

static void test_json_inside_a_string_is_not_parsed_again(void)
{
    json *document = parsed("{\"t\":\"{\\\"userPrincipalName\\\":\\\"Sync_x\\\"}\"}");

    EXPECT(json_member(json_member(document, "t"), "userPrincipalName") == NULL);
}

/* --- members --- */

static void test_a_member_that_is_null_is_there(void)
{
    json *object = json_of("{'a':null}");

    EXPECT(json_has_member(object, "a"));
    EXPECT(json_member(object, "a") == NULL);
    EXPECT_NOT(json_has_member(object, "b"));
}

static void test_what_is_no_object_has_no_members(void)
{
    EXPECT_NOT(json_has_member(NULL, "a"));
    EXPECT_NOT(json_has_member(json_of("['a']"), "a"));
    EXPECT_INT(json_member_count(json_of("['a']")), 0);
    EXPECT_INT(json_member_count(NULL), 0);
}

static void test_members_keep_their_order(void)
{
    json *object = json_of("{'z':1,'a':2,'m':3}");
    const char *key;
    json *value;

    EXPECT_INT(json_member_count(object), 3);
    EXPECT(json_nth_member(object, 0, &key, &value));
    EXPECT_STRING(key, "z");
    EXPECT(json_nth_member(object, 2, &key, &value));
    EXPECT_STRING(key, "m");
    EXPECT_TEXT_IS(json_tostring(value, test_arena()), "3");
    EXPECT_NOT(json_nth_member(object, 3, &key, &value));
}

static void test_the_nth_member_of_a_large_object(void)
{
    buffer out = {0};
    json *object;

    buffer_append_char(&out, '{');
    for (int i = 0; i < 100; i++) {
        json_write_key(&out, test_string("k%d", i));
        buffer_append_string(&out, test_string("%d", i));
    }
    buffer_append_char(&out, '}');
    object = parsed(buffer_string(&out));
    buffer_free(&out);
    for (size_t i = 0; i < 100; i++) {
        const char *key;
        json *value;

        REQUIRE(json_nth_member(object, i, &key, &value));
        EXPECT_STRING(key, test_string("k%zu", i));
    }
}

static void test_of_two_equal_keys_the_last_counts(void)
{
    json *object = json_of("{'id':'first','id':'last'}");

    EXPECT_TEXT_IS(json_string(json_member(object, "id")), "last");
}

static void test_array_items(void)
{
    json *array = json_of("['a',null,'c']");

    EXPECT_INT(json_array_length(array), 3);
    EXPECT_TEXT_IS(json_string(json_array_item(array, 0)), "a");
    EXPECT(json_array_item(array, 1) == NULL);
    EXPECT_TEXT_IS(json_string(json_array_item(array, 2)), "c");
    EXPECT_INT(json_array_length(json_of("{}")), 0);
    EXPECT_INT(json_array_length(NULL), 0);
}

static void test_kinds(void)
{
    json *array = json_of("[null,true,1,1.5,'s',[],{}]");
    static const json_kind kinds[] = {JSON_NULL,   JSON_BOOLEAN, JSON_NUMBER, JSON_NUMBER,
                                      JSON_STRING, JSON_ARRAY,   JSON_OBJECT};

    for (size_t i = 0; i < LENGTH_OF(kinds); i++) {
        test_case("item %zu", i);
        EXPECT_INT(json_kind_of(json_array_item(array, i)), kinds[i]);
    }
}

static void test_only_a_string_has_a_strings_bytes(void)
{
    json *array = json_of("['text','',12,null,{}]");

    EXPECT_TEXT_IS(json_string(json_array_item(array, 0)), "text");
    EXPECT_TEXT_IS(json_string(json_array_item(array, 1)), "");
    for (size_t i = 2; i < 5; i++) {
        EXPECT(json_string(json_array_item(array, i)).bytes == NULL);
        EXPECT_INT(json_string(json_array_item(array, i)).length, 0);
    }
}

static void test_a_string_keeps_its_nul_bytes(void)
{
    json *document = parsed("[\"a\\u0000b\"]");

    EXPECT_TEXT(json_string(json_array_item(document, 0)), ((text)TEXT("a\0b")));
}

/* --- key case --- */

static void test_keys_are_case_sensitive(void)
{
    json *object = json_of("{'UserPrincipalName':'other','userprincipalname':'lower'}");

    EXPECT(json_member(object, "userPrincipalName") == NULL);
    EXPECT_NOT(json_has_member(object, "userPrincipalName"));
    EXPECT_TEXT_IS(json_string(json_member(object, "UserPrincipalName")), "other");
    EXPECT_TEXT_IS(json_string(json_member(object, "userprincipalname")), "lower");
}

/* Keys of one object that differ in case alone are one key there (libfastjson, json_object.c). */
static void test_a_key_in_another_case_is_another_key_in_the_daemons_mode(void)
{
    json *object;

    use_the_daemons_mode();
    object = json_of("{'UserPrincipalName':'other'}");
    EXPECT(json_member(object, "userPrincipalName") == NULL);
    EXPECT_NOT(json_has_member(object, "userPrincipalName"));
    EXPECT_TEXT_IS(json_string(json_member(object, "UserPrincipalName")), "other");
}

static void test_a_member_may_be_looked_for_in_any_case(void)
{
    json *object = json_of("{'USERPRINCIPALNAME':'a','id':'exact','ID':'other'}");
    bool other_case = false;

    EXPECT_TEXT_IS(json_string(json_member_any_case(object, "id", &other_case)), "exact");
    EXPECT_NOT(other_case);
    EXPECT(json_member_any_case(object, "absent", &other_case) == NULL);
    EXPECT(json_member_any_case(NULL, "id", &other_case) == NULL);
    EXPECT_NOT(other_case);
    EXPECT_TEXT_IS(json_string(json_member_any_case(object, "userPrincipalName", &other_case)),
                   "a");
    EXPECT(other_case);
}

/* --- JSON in strings, and objects made here --- */

static json *kept(json *value)
{
    test_at_end(give_back_json, value);
    return value;
}

static json *in_string(const char *string)
{
    json *document = parsed(test_string("[%s]", string));

    return kept(json_parse_string(new_parser(), json_array_item(document, 0)));
}

static void test_the_value_in_a_string_that_holds_json(void)
{
    EXPECT_STRING(written(in_string("\"{\\\"a\\\":[1]}\"")), "{\"a\":[1]}");
    EXPECT_STRING(written(in_string("\"5\"")), "5");
    EXPECT_STRING(written(in_string("\"\\\"x\\\"\"")), "\"x\"");
}

static void test_a_string_that_holds_no_json_has_no_value(void)
{
    EXPECT(in_string("\"plain\"") == NULL);
    EXPECT(in_string("\"{\\\"a\\\":\"") == NULL);
    EXPECT(in_string("\"1,2\"") == NULL);
    EXPECT(in_string("\"1],[2\"") == NULL);
    EXPECT(in_string("5") == NULL);
    EXPECT(in_string("{}") == NULL);
}

static void test_the_inside_of_a_string_is_unescaped(void)
{
    json_parser *p = new_parser();

    EXPECT_TEXT_IS(json_string(kept(json_unescape(p, tight_of("{\\\"a\\\":\\u0053}")))),
                   "{\"a\":S}");
    EXPECT(json_unescape(p, tight_of("a\\")) == NULL);
    EXPECT(json_unescape(p, tight_of("a\"b")) == NULL);
    EXPECT(json_unescape(p, tight_of("\",\"")) == NULL);
}

static void check_a_made_object(void)
{
    json *object = kept(json_new_object());

    json_put_member(object, "a", json_ref(json_of("['x']")));
    json_put_member(object, "A", NULL);
    EXPECT_STRING(written(object), "{\"a\":[\"x\"],\"A\":null}");
}

static void test_members_are_put_into_an_object(void)
{
    check_a_made_object();
}

static void test_members_are_put_into_an_object_in_the_daemons_mode(void)
{
    use_the_daemons_mode();
    check_a_made_object();
}

static void test_the_members_of_an_object_come_one_after_the_other(void)
{
    json_members all = json_members_of(json_of("{'b':1,'a':null}"));
    json_members none = json_members_of(json_of("[1]"));
    const char *key;
    json *value;

    EXPECT(json_next_member(&all, &key, &value));
    EXPECT_STRING(key, "b");
    EXPECT(json_next_member(&all, &key, &value));
    EXPECT_STRING(key, "a");
    EXPECT(value == NULL);
    EXPECT_NOT(json_next_member(&all, &key, &value));
    EXPECT_NOT(json_next_member(&none, &key, &value));
}

/* --- bounds --- */

/* A number in this many arrays. */
static const char *nested(size_t arrays)
{
    char *out = arena_alloc(test_arena(), 2 * arrays + 2);

    memset(out, '[', arrays);
    out[arrays] = '1';
    memset(out + arrays + 1, ']', arrays);
    out[2 * arrays + 1] = '\0';
    return out;
}

static void test_a_document_less_deep_than_the_bound_is_read(void)
{
    EXPECT(reason_against(nested(JSON_MOST_DEPTH - 1)) == NULL);
    EXPECT(reason_against("{\"a\":{\"b\":[{\"c\":1}]}}") == NULL);
}

static void test_a_document_as_deep_as_the_bound_is_refused(void)
{
    EXPECT_STRING(reason_against(nested(JSON_MOST_DEPTH)), "nested too deep");
    EXPECT_STRING(reason_against(nested(10000)), "nested too deep");
}

static void test_a_parser_may_have_a_bound_of_its_own(void)
{
    json_parser *p = json_parser_new(4);
    json *root;
    size_t taken;

    REQUIRE(p != NULL);
    test_at_end(give_back_parser, p);
    EXPECT(json_parse(p, text_of(nested(3)), &root, &taken) == NULL);
    json_free(root);
    EXPECT_STRING(json_parse(p, text_of(nested(4)), &root, &taken), "nested too deep");
}

/* An object of this many members, whose values make each of them `width` bytes long or more. */
static const char *object_of(size_t members, int width)
{
    buffer out = {0};
    const char *copy;

    buffer_append_char(&out, '{');
    for (size_t i = 0; i < members; i++) {
        json_write_key(&out, test_string("k%zu", i));
        json_write_string(&out, text_of(test_string("%*zu", width, i)));
    }
    buffer_append_char(&out, '}');
    copy = test_string("%s", buffer_string(&out));
    buffer_free(&out);
    return copy;
}

static void test_as_many_members_as_the_bound_are_read(void)
{
    EXPECT(reason_against(object_of(JSON_MOST_MEMBERS, 1)) == NULL);
    EXPECT(reason_against(object_of(JSON_MOST_MEMBERS, 50)) == NULL);
}

/* How far beyond it depends on the members' size: they are counted from time to time. */
static void test_twice_as_many_members_as_the_bound_are_refused(void)
{
    EXPECT_STRING(reason_against(object_of(2 * JSON_MOST_MEMBERS, 1)),
                  "an object with too many members");
    EXPECT_STRING(reason_against(object_of(2 * JSON_MOST_MEMBERS, 50)),
                  "an object with too many members");
    EXPECT_STRING(reason_against(object_of(50 * JSON_MOST_MEMBERS, 1)),
                  "an object with too many members");
}

static void test_an_inner_object_has_the_same_bound_of_members(void)
{
    const char *large = object_of(3 * JSON_MOST_MEMBERS, 10);

    EXPECT_STRING(reason_against(test_string("{\"a\":[{\"b\":%s}]}", large)),
                  "an object with too many members");
}

static void test_many_objects_of_few_members_are_read(void)
{
    buffer out = {0};

    buffer_append_char(&out, '[');
    for (int i = 0; i < 3000; i++) {
        json_write_item(&out);
        buffer_append_string(&out, "{\"a\":1,\"b\":2}");
    }
    buffer_append_char(&out, ']');
    EXPECT(reason_against(buffer_string(&out)) == NULL);
    buffer_free(&out);
}

static void test_a_parser_goes_on_after_a_failure(void)
{
    json_parser *p = new_parser();
    json *root;
    size_t taken;

    EXPECT(json_parse(p, text_of(nested(100)), &root, &taken) != NULL);
    EXPECT(json_parse(p, text_of("{\"a\":"), &root, &taken) != NULL);
    EXPECT(json_parse(p, text_of("{\"a\":\"\\ud83d"), &root, &taken) != NULL);
    EXPECT(json_parse(p, text_of("{\"a\":1}"), &root, &taken) == NULL);
    EXPECT_STRING(written(root), "{\"a\":1}");
    json_free(root);
}

/* --- where a document ends --- */

static void check_end(const char *message, size_t end)
{
    json *root;
    size_t taken;

    test_case("%s", message);
    EXPECT(parse(text_of(message), &root, &taken) == NULL);
    EXPECT(root != NULL);
    EXPECT_INT(taken, end);
}

static void test_blanks_behind_a_document_belong_to_it(void)
{
    check_end("{\"a\":1}", 7);
    check_end("{\"a\":1} \t\r\n ", 12);
    check_end("[1] {\"a\":1}", 4);
}

static void test_text_behind_a_document_is_left(void)
{
    check_end("{\"a\":1}tail", 7);
    check_end("{\"a\":1}{\"b\":2}", 7);
    check_end("{\"a\":1},", 7);
    check_end("[1]]", 3);
    check_end("{\"a\":1}\"", 7);
}

static void test_a_slash_behind_a_document_is_left(void)
{
    check_end("{\"a\":1}/tail", 7);
    check_end("{\"a\":\"/]}\"}/{", 11);
}

static void test_a_slash_as_the_last_byte_is_left(void)
{
    check_end("{\"a\":1}/", 7);
    check_end("[\"a\\\"/\"]/", 8);
}

/* JSON has no comments: what stands there is text like any other. */
static void test_a_comment_behind_a_document_is_left(void)
{
    check_end("{\"a\":1}//{\"b\":2}", 7);
    check_end("{\"a\":1}/*{\"b\":2}*/", 7);
    check_end("{\"a\":1}/*{\"b\":2}", 7);
}

static void test_a_slash_behind_a_document_and_a_blank_is_left(void)
{
    json *root;
    size_t taken;

    EXPECT(parse(text_of("{\"a\":1} /var/log"), &root, &taken) == NULL);
    EXPECT(root != NULL);
    EXPECT(taken == 7 || taken == 8);
}

static void test_a_cut_document_is_told(void)
{
    EXPECT_STRING(reason_against("{\"a\":1"), "cut off");
    EXPECT_STRING(reason_against("{\"a\":\"x"), "cut off");
    EXPECT_STRING(reason_against("{\"a\""), "cut off");
    EXPECT_STRING(reason_against("["), "cut off");
}

static void test_every_cut_of_a_document_is_refused(void)
{
    static const char whole[] = "{\"a\":[1,-2.5e3,true,null,\"\\ud83d\\ude00\\n\"],\"b\":{}}";

    for (size_t length = 1; length < strlen(whole); length++) {
        json *root;
        size_t taken;

        test_case("%zu bytes", length);
        EXPECT(parse((text){whole, length}, &root, &taken) != NULL);
        EXPECT(root == NULL);
    }
    EXPECT(reason_against(whole) == NULL);
}

static void test_broken_documents_are_refused(void)
{
    EXPECT(reason_against("{a:}") != NULL);
    EXPECT(reason_against("{\"a\" 1}") != NULL);
    EXPECT(reason_against("[1 2]") != NULL);
    EXPECT(reason_against("[1}") != NULL);
    EXPECT(reason_against("{\"a\":tru}") != NULL);
}

/* What libfastjson would take, and what nobody would; `@` stands for the broken token. */
static void test_only_the_grammars_tokens_are_read(void)
{
    static const char *const tokens[] = {
        "'a'",        "a",           "/**/1",
        "//\n1",      "1,",          ",1",
        "01",         "-",           "+1",
        ".5",         "1.",          "1e",
        "1e+",        "0x1",         "NaN",
        "nan",        "Infinity",    "-Infinity",
        "True",       "tru",         "nul",
        "nullx",      "\"\\x41\"",   "\"\\u00g0\"",
        "\"\\'\"",    "\"a\" \"b\"", "[1,]",
        "[,1]",       "[1 2]",       "[1",
        "[1}",        "{\"a\"}",     "{\"a\":}",
        "{\"a\":1,}", "{,}",         "{a:1}",
        "{'a':1}",    "{\"a\" 1}",   "{\"a\":1 \"b\":2}",
        "{1:1}",      "{\"a\"::1}",  "{null:1}",
        "{\"a\":1]",  "\"\\\"",      "",
        "\\\"a\\\"",
    };
    static const char *const places[] = {"[@]", "{\"k\":@}", "[1,@]", "{\"k\":{\"l\":[@]}}"};

    for (size_t i = 0; i < LENGTH_OF(tokens); i++) {
        for (size_t n = 0; n < LENGTH_OF(places); n++) {
            size_t before = strcspn(places[n], "@");

            if (*tokens[i] == '\0' && (n == 0 || n == 3))
                continue; /* "[]" is JSON */
            test_case("%.*s%s%s", (int)before, places[n], tokens[i], places[n] + before + 1);
            EXPECT(reason_against(test_string("%.*s%s%s", (int)before, places[n], tokens[i],
                                              places[n] + before + 1)) != NULL);
        }
    }
}

static void test_the_grammars_tokens_are_read(void)
{
    static const char *const tokens[] = {
        "0",
        "-0",
        "10",
        "1.5",
        "-1.5e+10",
        "1E-2",
        "123456789012345678901234567890",
        "true",
        "false",
        "null",
        "\"\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"",
        "[]",
        "{}",
        "[[],{}]",
        " \t\r\n1 \t\r\n",
        "\"\177\"",
        "\"'\"",
        "\"/* */\"",
    };

    for (size_t i = 0; i < LENGTH_OF(tokens); i++) {
        test_case("%s", tokens[i]);
        EXPECT(reason_against(test_string("[%s]", tokens[i])) == NULL);
        EXPECT(reason_against(test_string("{\"k\":%s,\"l\":%s}", tokens[i], tokens[i])) == NULL);
    }
}

static void test_a_large_whole_number_keeps_its_digits(void)
{
    EXPECT_STRING(written(parsed("[123456789012345678901234567890]")),
                  "[123456789012345678901234567890]");
}

/* Control characters between tokens, as transports write them, each in each place. */
static void test_escaped_control_characters_are_blanks(void)
{
    static const char *const escapes[] = {
        "#012",  "#015#012", "#011",    "#x0a",  "#x0A", "\\n",  "\\r\\n", "\\t",
        "\\012", "\\x0a",    "\\u000a", "\\\\n", "\\0",  "#000", "#033",   "\\e"};
    static const char *const tokens[] = {"{",     "\"a\"", ":", "[",     "1", ",", "true", ",",
                                         "\"b\"", "]",     ",", "\"c\"", ":", "{", "}",    "}"};

    for (size_t i = 0; i < LENGTH_OF(escapes); i++) {
        for (size_t place = 1; place < LENGTH_OF(tokens); place++) {
            buffer out = {0};

            for (size_t n = 0; n < LENGTH_OF(tokens); n++) {
                if (n == place)
                    buffer_append_string(&out, escapes[i]);
                buffer_append_string(&out, tokens[n]);
            }
            test_case("%s", buffer_string(&out));
            EXPECT_STRING(written(parsed(buffer_string(&out))), "{\"a\":[1,true,\"b\"],\"c\":{}}");
            buffer_free(&out);
        }
    }
}

static void test_what_is_no_escape_of_a_control_character_is_no_blank(void)
{
    static const char *const others[] = {"#",  "#1",  "#099",    "#101",  "#040",  "#x20",
                                         "\\", "\\q", "\\u0041", "\\x41", "\\101", "\\\""};

    for (size_t i = 0; i < LENGTH_OF(others); i++) {
        test_case("%s", others[i]);
        EXPECT(reason_against(test_string("{%s\"a\":1}", others[i])) != NULL);
    }
}

static void test_both_members_of_one_key_are_in_the_tree(void)
{
    json *document = parsed("{\"a\":{\"x\":1},\"a\":[2],\"b\":3}");

    EXPECT_STRING(written(document), "{\"a\":{\"x\":1},\"a\":[2],\"b\":3}");
    EXPECT_STRING(written(json_member(document, "a")), "[2]");
    EXPECT(json_repeats_a_key(document));
    EXPECT(json_repeats_a_key(parsed("[{\"b\":{\"a\":1,\"a\":1}}]")));
    EXPECT_NOT(json_repeats_a_key(parsed("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}")));
}

static void test_a_parser_counts_keys_that_it_meets_twice(void)
{
    json_parser *p = new_parser();
    json *root;
    size_t taken;

    EXPECT(json_parse(p, text_of("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}"), &root, &taken) ==
           NULL);
    json_free(root);
    EXPECT_INT(json_parser_repeated_keys(p), 0);
    EXPECT(json_parse(p, text_of("{\"a\":1,\"b\":{\"c\":1,\"c\":2},\"a\":3,\"a\":4}"), &root,
                      &taken) == NULL);
    json_free(root);
    EXPECT_INT(json_parser_repeated_keys(p), 3);
}

static void test_keys_are_compared_with_their_length(void)
{
    json *document = parsed("{\"time\":1,\"time\\u0000\":2,\"time\\u0000x\":3}");

    EXPECT_STRING(written(json_member(document, "time")), "1");
    EXPECT_STRING(written(document), "{\"time\":1,\"time\\u0000\":2,\"time\\u0000x\":3}");
    EXPECT_NOT(json_repeats_a_key(document));
}

/* rsyslogd's mode makes libfastjson take them for one key. */
static void test_keys_in_two_cases_are_two_in_the_daemons_mode(void)
{
    use_the_daemons_mode();
    EXPECT_STRING(written(parsed("{\"Time\":1,\"time\":2}")), "{\"Time\":1,\"time\":2}");
}

/* --- documents larger than a piece --- */

/*
 * Documents are read in pieces of some 4096 bytes. The document's members are
 * moved byte by byte over that place, so that each of their bytes stands there.
 */
static void check_over_the_edge(const char *member, const char *expected)
{
    enum { EDGE = 4096, AROUND = 40 };

    for (int padding = EDGE - AROUND; padding < EDGE + AROUND / 4; padding++) {
        json *document =
            parsed(test_string("{\"p\":\"%*s\",%s,\"end\":true}", padding, "", member));

        test_case("%d bytes in front", padding);
        EXPECT_TEXT_IS(json_tostring(json_member(document, "v"), test_arena()), expected);
        EXPECT(json_has_member(document, "end"));
        EXPECT_INT(json_string(json_member(document, "p")).length, padding);
    }
}

static void test_a_surrogate_pair_may_stand_anywhere(void)
{
    check_over_the_edge("\"v\":\"\\ud83d\\ude00\"", "\360\237\230\200");
    check_over_the_edge("\"v\":\",\\ud83d\\ude00,\\ud83d\\ude00,\"",
                        ",\360\237\230\200,\360\237\230\200,");
}

static void test_an_escape_may_stand_anywhere(void)
{
    check_over_the_edge("\"v\":\"\\u0053,\\n,\\\\,\\\",\\/\"", "S,\n,\\,\",/");
}

static void test_a_number_may_stand_anywhere(void)
{
    check_over_the_edge("\"v\":1234567890123", "1234567890123");
    check_over_the_edge("\"w\":[1,2,3],\"v\":-12.75", "-12.75");
}

static void test_a_word_may_stand_anywhere(void)
{
    check_over_the_edge("\"v\":true", "true");
    check_over_the_edge("\"v\":null", "");
}

static void test_utf8_may_stand_anywhere(void)
{
    check_over_the_edge("\"v\":\"é,€,\360\237\230\200\"", "é,€,\360\237\230\200");
}

static void test_a_document_without_commas_is_read_whole(void)
{
    json *document = parsed(test_string("[\"%50000s\"]", "\\ud83d\\ude00"));

    EXPECT_INT(json_string(json_array_item(document, 0)).length, 50000 - 12 + 4);
}

static void test_commas_alone_make_no_difference(void)
{
    char *commas = arena_alloc(test_arena(), 20001);
    json *document;

    memset(commas, ',', 20000);
    commas[20000] = '\0';
    document = parsed(test_string("{\"a\":\"%s\"}", commas));
    EXPECT_TEXT_IS(json_string(json_member(document, "a")), commas);
}

static void test_a_slash_behind_a_large_document_is_left(void)
{
    const char *document = object_of(500, 50);

    check_end(test_string("%s/tail", document), strlen(document));
}

static void append_random_string(buffer *out, random_source *r)
{
    static const char *const pieces[] = {"a", ",", "\\u0053", "\\ud83d\\ude00", "\\n", "é", "\\\"",
                                         "}", "]", "\\\\"};
    size_t count = random_below(r, 40);

    buffer_append_char(out, '"');
    for (size_t i = 0; i < count; i++)
        buffer_append_string(out, pieces[random_below(r, LENGTH_OF(pieces))]);
    buffer_append_char(out, '"');
}

/* What was read and written is read and written the same. */
static void test_random_large_documents_survive_reading_and_writing(void)
{
    random_source r = random_new(5);

    for (int i = 0; i < 50; i++) {
        buffer out = {0};
        const char *once;

        buffer_append_char(&out, '[');
        for (int member = 0; member < 400; member++) {
            json_write_item(&out);
            append_random_string(&out, &r);
        }
        buffer_append_char(&out, ']');
        test_case("document %d", i);
        once = written(parsed(buffer_string(&out)));
        EXPECT_STRING(written(parsed(once)), once);
        EXPECT_INT(json_array_length(parsed(once)), 400);
        buffer_free(&out);
    }
}

/* --- writing --- */

static const char *string_written(text t)
{
    buffer out = {0};
    const char *copy;

    json_write_string(&out, tight(t));
    copy = test_string("%s", buffer_string(&out));
    buffer_free(&out);
    return copy;
}

static void test_quotes_backslashes_and_controls_are_escaped(void)
{
    EXPECT_STRING(string_written(text_of("a\"b\\c")), "\"a\\\"b\\\\c\"");
    EXPECT_STRING(string_written(text_of("\b\t\n\f\r")), "\"\\b\\t\\n\\f\\r\"");
    EXPECT_STRING(string_written((text)TEXT("\0\1\37")), "\"\\u0000\\u0001\\u001f\"");
}

static void test_all_else_is_written_as_it_is(void)
{
    EXPECT_STRING(string_written(text_of("a/b <é> € \360\237\230\200 \177")),
                  "\"a/b <é> € \360\237\230\200 \177\"");
    EXPECT_STRING(string_written(text_of("")), "\"\"");
    EXPECT_STRING(string_written((text){NULL, 0}), "\"\"");
}

/* Eight bytes are looked at in one step: each odd byte in each place of a few steps, and two. */
static void test_each_odd_byte_is_found_wherever_it_stands(void)
{
    static const struct {
        const char *bytes;
        const char *written;
    } odd[] = {{"\"", "\\\""}, {"\\", "\\\\"},           {"\x1f", "\\u001f"},
               {"\n", "\\n"},  {"\xC3\xA9", "\xC3\xA9"}, {"\xFF", "\xEF\xBF\xBD"}};
    const size_t kinds = LENGTH_OF(odd);

    for (size_t i = 0; i < 30 * 30 * kinds * kinds; i++) {
        const size_t one = i % kinds, two = i / kinds % kinds;
        const int before = (int)(i / kinds / kinds % 30), between = (int)(i / kinds / kinds / 30);
        buffer got = {0};

        json_write_string(
            &got, text_of(test_string("%.*s%s%.*s%s!", before, "abcdefghijklmnopqrstuvwxyz[]{}",
                                      odd[one].bytes, between, "!#[]ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                                      odd[two].bytes)));
        EXPECT_TEXT(buffer_text(&got),
                    text_of(test_string("\"%.*s%s%.*s%s!\"", before,
                                        "abcdefghijklmnopqrstuvwxyz[]{}", odd[one].written, between,
                                        "!#[]ABCDEFGHIJKLMNOPQRSTUVWXYZ", odd[two].written)));
        buffer_free(&got);
    }
}

static void test_a_byte_that_is_no_utf8_becomes_the_replacement_character(void)
{
    EXPECT_STRING(string_written(text_of("a\377b")), "\"a\357\277\275b\"");
    EXPECT_STRING(string_written(text_of("\303")), "\"\357\277\275\"");
    EXPECT_STRING(string_written(text_of("\342\204x")), "\"\357\277\275\357\277\275x\"");
    EXPECT_STRING(string_written(text_of("\355\240\200")),
                  "\"\357\277\275\357\277\275\357\277\275\"");
    EXPECT_STRING(string_written(text_of("\300\257")), "\"\357\277\275\357\277\275\"");
}

static void test_invalid_utf8_is_read_and_written_valid(void)
{
    json *document = parsed("{\"a\377\":\"\376b\"}");

    EXPECT_STRING(written(document), "{\"a\357\277\275\":\"\357\277\275b\"}");
}

static void test_a_lone_surrogate_is_read_and_written_valid(void)
{
    EXPECT_STRING(written(parsed("[\"a\\ud83d\"]")), "[\"a\357\277\275\"]");
    EXPECT_STRING(written(parsed("[\"a\\ud83db\"]")), "[\"a\357\277\275b\"]");
    EXPECT_STRING(written(parsed("[\"a\\ude00b\"]")), "[\"a\357\277\275b\"]");
    EXPECT_STRING(written(parsed("[\"a\\ud83d\\u0041\"]")), "[\"a\357\277\275A\"]");
}

static void test_values_are_written_without_blanks(void)
{
    EXPECT_STRING(written(parsed("{ \"a\" : [ 1 , \"x\" , null , true , { } , [ ] ] }")),
                  "{\"a\":[1,\"x\",null,true,{},[]]}");
    EXPECT_STRING(written(NULL), "null");
}

static void test_numbers_are_written_as_they_came(void)
{
    EXPECT_STRING(written(parsed("[0,-1,1.5,1.50,1e3,0.1]")), "[0,-1,1.5,1.50,1e3,0.1]");
}

static void test_keys_are_escaped_as_strings_are(void)
{
    EXPECT_STRING(written(parsed("{\"a\\\"\\n\":1}")), "{\"a\\\"\\n\":1}");
}

static void test_commas_stand_between_members_and_items_only(void)
{
    buffer out = {0};

    buffer_append_char(&out, '{');
    json_write_member(&out, "a", (text)TEXT("x"));
    json_write_key(&out, "b");
    buffer_append_char(&out, '[');
    json_write_item(&out);
    buffer_append_char(&out, '1');
    json_write_item(&out);
    buffer_append_char(&out, '2');
    buffer_append_char(&out, ']');
    json_write_member(&out, "c", (text)TEXT(""));
    buffer_append_char(&out, '}');
    EXPECT_TEXT_IS(buffer_text(&out), "{\"a\":\"x\",\"b\":[1,2],\"c\":\"\"}");
    buffer_free(&out);
}

static void test_what_is_written_is_read_back(void)
{
    random_source r = random_new(3);

    for (int i = 0; i < 300; i++) {
        char bytes[60];
        size_t length = random_below(&r, sizeof(bytes));
        json *read;

        for (size_t b = 0; b < length; b++)
            bytes[b] = (char)random_below(&r, 128);
        read = parsed(test_string("[%s]", string_written((text){bytes, length})));
        EXPECT_TEXT(json_string(json_array_item(read, 0)), ((text){bytes, length}));
    }
}

CU_TestInfo json_tests[] = {
    TEST(test_tostring_of_a_string_is_its_text),
    TEST(test_tostring_of_a_number_is_its_text),
    TEST(test_tostring_of_a_boolean_is_its_text),
    TEST(test_tostring_of_null_is_empty),
    TEST(test_tostring_of_arrays_and_objects_is_their_json_text),
    TEST(test_a_member_of_what_is_no_object_or_has_none_is_null),
    TEST(test_json_inside_a_string_is_not_parsed_again),
    TEST(test_a_member_that_is_null_is_there),
    TEST(test_what_is_no_object_has_no_members),
    TEST(test_members_keep_their_order),
    TEST(test_the_nth_member_of_a_large_object),
    TEST(test_of_two_equal_keys_the_last_counts),
    TEST(test_array_items),
    TEST(test_kinds),
    TEST(test_only_a_string_has_a_strings_bytes),
    TEST(test_a_string_keeps_its_nul_bytes),
    TEST(test_keys_are_case_sensitive),
    TEST(test_a_key_in_another_case_is_another_key_in_the_daemons_mode),
    TEST(test_a_member_may_be_looked_for_in_any_case),
    TEST(test_the_value_in_a_string_that_holds_json),
    TEST(test_a_string_that_holds_no_json_has_no_value),
    TEST(test_the_inside_of_a_string_is_unescaped),
    TEST(test_members_are_put_into_an_object),
    TEST(test_members_are_put_into_an_object_in_the_daemons_mode),
    TEST(test_the_members_of_an_object_come_one_after_the_other),
    TEST(test_a_document_less_deep_than_the_bound_is_read),
    TEST(test_a_document_as_deep_as_the_bound_is_refused),
    TEST(test_a_parser_may_have_a_bound_of_its_own),
    TEST(test_as_many_members_as_the_bound_are_read),
    TEST(test_twice_as_many_members_as_the_bound_are_refused),
    TEST(test_an_inner_object_has_the_same_bound_of_members),
    TEST(test_many_objects_of_few_members_are_read),
    TEST(test_a_parser_goes_on_after_a_failure),
    TEST(test_blanks_behind_a_document_belong_to_it),
    TEST(test_text_behind_a_document_is_left),
    TEST(test_a_slash_behind_a_document_is_left),
    TEST(test_a_slash_as_the_last_byte_is_left),
    TEST(test_a_comment_behind_a_document_is_left),
    TEST(test_a_slash_behind_a_document_and_a_blank_is_left),
    TEST(test_a_cut_document_is_told),
    TEST(test_every_cut_of_a_document_is_refused),
    TEST(test_broken_documents_are_refused),
    TEST(test_only_the_grammars_tokens_are_read),
    TEST(test_the_grammars_tokens_are_read),
    TEST(test_a_large_whole_number_keeps_its_digits),
    TEST(test_escaped_control_characters_are_blanks),
    TEST(test_what_is_no_escape_of_a_control_character_is_no_blank),
    TEST(test_both_members_of_one_key_are_in_the_tree),
    TEST(test_a_parser_counts_keys_that_it_meets_twice),
    TEST(test_keys_are_compared_with_their_length),
    TEST(test_keys_in_two_cases_are_two_in_the_daemons_mode),
    TEST(test_a_surrogate_pair_may_stand_anywhere),
    TEST(test_an_escape_may_stand_anywhere),
    TEST(test_a_number_may_stand_anywhere),
    TEST(test_a_word_may_stand_anywhere),
    TEST(test_utf8_may_stand_anywhere),
    TEST(test_a_document_without_commas_is_read_whole),
    TEST(test_commas_alone_make_no_difference),
    TEST(test_a_slash_behind_a_large_document_is_left),
    TEST(test_random_large_documents_survive_reading_and_writing),
    TEST(test_quotes_backslashes_and_controls_are_escaped),
    TEST(test_all_else_is_written_as_it_is),
    TEST(test_each_odd_byte_is_found_wherever_it_stands),
    TEST(test_a_byte_that_is_no_utf8_becomes_the_replacement_character),
    TEST(test_invalid_utf8_is_read_and_written_valid),
    TEST(test_a_lone_surrogate_is_read_and_written_valid),
    TEST(test_values_are_written_without_blanks),
    TEST(test_numbers_are_written_as_they_came),
    TEST(test_keys_are_escaped_as_strings_are),
    TEST(test_commas_stand_between_members_and_items_only),
    TEST(test_what_is_written_is_read_back),
    TESTS_END,
};
