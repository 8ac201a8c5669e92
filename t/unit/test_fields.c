/*
 * Fields of small requests: both forms, what is ignored, and every refusal
 * with its code and field.
 */

#include "at_test.h"
#include "at_fields.h"


/* Fields of a table as in the endpoints, and the room for what they hold. */
typedef struct {
    at_field_t        fields[2];
    at_field_error_t  error;
    char              room[2][512];
} test_t;


static void
begin(test_t *t)
{
    memset(t, 0, sizeof(test_t));

    t->fields[0] = (at_field_t) { "pattern", 10, 1, 0, AT_STR_NULL };
    t->fields[1] = (at_field_t) { "kind", 5, 0, 0, AT_STR_NULL };
}


/* Either may be NULL; room is of the length that is promised, no more. */

static int
parse(test_t *t, const char *args, const char *json)
{
    int        rc;
    char      *room;
    at_str_t   text;

    begin(t);
    rc = AT_OK;

    if (args) {
        text = at_test_exact(at_test_str(args));
        room = malloc(text.len + 1);
        assert_non_null(room);
        rc = at_fields_args(text, t->fields, 2, room, &t->error);
        memcpy(t->room[0], room, text.len);

        for (size_t i = 0; i < 2; i++) {
            if (t->fields[i].value.len) {
                t->fields[i].value.data = t->room[0]
                                          + (t->fields[i].value.data - room);
            }
        }

        free(room);
        free((void *) text.data);
    }

    if (json && rc == AT_OK) {
        text = at_test_exact(at_test_str(json));
        rc = at_fields_json(text, t->fields, 2, t->room[1], &t->error);
        free((void *) text.data);
    }

    return rc == AT_OK ? at_fields_done(t->fields, 2, &t->error) : rc;
}


static void
test_good(void **state)
{
    size_t  i;
    test_t  t;

    static const struct {
        const char  *args;
        const char  *json;
        const char  *pattern;
        const char  *kind;
    } rows[] = {
        { "pattern=a", NULL, "a", "" },
        { "pattern=a+%2a%5B&kind=b", NULL, "a *[", "b" },
        { "x=1&pattern=a&kind&y", NULL, "a", "" },
        { "pattern=%20+a+", NULL, "a", "" },
        { "&&=&pattern=a&", NULL, "a", "" },
        { NULL, "{\"pattern\":\"a\"}", "a", "" },
        { NULL, " {\"kind\":null,\"pattern\":\"\\u00e9*\",\"n\":{\"kind\":1}}",
          "\xc3\xa9*", "" },
        { "kind=b", "{\"pattern\":\"0123456789\"}", "0123456789", "b" },
        { "pattern=a", "{}", "a", "" },
        { "", "{\"pattern\":\"  a \",\"kind\":\"\"}", "a", "" },
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_test_true(parse(&t, rows[i].args, rows[i].json) == AT_OK,
                     "row %zu: %s", i, t.error.detail);
        at_test_true(at_str_is(t.fields[0].value, rows[i].pattern)
                     && at_str_is(t.fields[1].value, rows[i].kind),
                     "row %zu: %.*s", i, (int) t.fields[0].value.len,
                     t.fields[0].value.data);
    }
}


static void
test_refused(void **state)
{
    size_t  i;
    test_t  t;

    static const struct {
        const char  *args;
        const char  *json;
        const char  *code;
        const char  *field;
    } rows[] = {
        { "", NULL, "missing_field", "pattern" },
        { "pattern=", NULL, "missing_field", "pattern" },
        { "pattern=+%20", NULL, "missing_field", "pattern" },
        { NULL, "{}", "missing_field", "pattern" },
        { NULL, "{\"pattern\":null}", "missing_field", "pattern" },
        { "pattern=a&pattern=a", NULL, "duplicate_field", "pattern" },
        { "pattern=a", "{\"pattern\":\"a\"}", "duplicate_field", "pattern" },
        { NULL, "{\"kind\":\"\",\"kind\":\"\"}", "duplicate_field", "kind" },
        { "pattern=0123456789a", NULL, "too_long", "pattern" },
        { NULL, "{\"kind\":\"123456\"}", "too_long", "kind" },
        { "pattern=%", NULL, "invalid_text", "pattern" },
        { "pattern=a%2", NULL, "invalid_text", "pattern" },
        { "pattern=%zz", NULL, "invalid_text", "pattern" },
        { "pattern=%ff", NULL, "invalid_text", "pattern" },
        { "pattern=%00", NULL, "invalid_text", "pattern" },
        { "pattern=a%7fb", NULL, "invalid_text", "pattern" },
        { NULL, "{\"kind\":\"\\n\"}", "invalid_text", "kind" },
        { NULL, "{\"kind\":\"\\ud800\"}", "invalid_text", "kind" },
        { NULL, "{\"kind\":1}", "wrong_type", "kind" },
        { NULL, "{\"pattern\":[\"a\"]}", "wrong_type", "pattern" },
        { NULL, "{\"pattern\":{}}", "wrong_type", "pattern" },
        { NULL, "[]", "not_an_object", NULL },
        { NULL, "\"pattern\"", "not_an_object", NULL },
        { NULL, "", "invalid_json", NULL },
        { NULL, "{\"kind\":1", "invalid_json", NULL },
        { NULL, "{\"a\":[[[[[[[[[1]]]]]]]]]}", "invalid_json", NULL },
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_test_true(parse(&t, rows[i].args, rows[i].json) == AT_ERROR,
                     "row %zu is taken", i);
        at_test_true(strcmp(t.error.code, rows[i].code) == 0
                     && (t.error.field == rows[i].field
                         || (t.error.field && rows[i].field
                             && strcmp(t.error.field, rows[i].field) == 0)),
                     "row %zu: %s", i, t.error.code);
        assert_true(t.error.detail[0]);
        at_test_true(rows[i].field == NULL
                     || strstr(t.error.detail, rows[i].field),
                     "row %zu does not name its field: %s", i,
                     t.error.detail);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
