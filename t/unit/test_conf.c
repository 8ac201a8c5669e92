/*
 * Settings files: what is read, and that every mistake is told with its line.
 */

#include "at_test.h"
#include "at_conf.h"


typedef struct {
    char            *name;
    int64_t          count;
    int64_t          wait;
    int64_t          size;
    at_conf_list_t   list;
} settings_t;


static const char *
no_x(const char *value)
{
    return strchr(value, 'x') ? "has an x" : NULL;
}


static const at_conf_key_t  keys[] = {
    { "a", "name", AT_CONF_TEXT, offsetof(settings_t, name), NULL, 0, 0,
      no_x },
    { "a", "count", AT_CONF_NUMBER, offsetof(settings_t, count), "3", 1, 10,
      NULL },
    { "b", "wait", AT_CONF_TIME, offsetof(settings_t, wait), "5s", 1,
      86400000, NULL },
    { "b", "size", AT_CONF_SIZE, offsetof(settings_t, size), "1k", 0,
      1 << 20, NULL },
    { "b", "list", AT_CONF_LIST, offsetof(settings_t, list), "", 0, 0, no_x },
    { .section = NULL }
};


static int
parse(const char *text, settings_t *settings, char *error)
{
    return at_conf_parse("f", at_test_str(text), keys, settings, error);
}


static void
test_values(void **state)
{
    char        error[AT_CONF_ERROR_MAX];
    settings_t  s;

    (void) state;

    assert_int_equal(parse("# comment\n\n[a]\n  name =  b c = d \t\r\n"
                           "[b]\nwait=10m\nlist = one\nlist = two\n"
                           "[a]\ncount = 7", &s, error), AT_OK);
    assert_string_equal(s.name, "b c = d");
    assert_int_equal(s.count, 7);
    assert_int_equal(s.wait, 600000);
    assert_int_equal(s.size, 1024);
    assert_int_equal(s.list.n, 2);
    assert_string_equal(s.list.items[1], "two");

    at_conf_free(keys, &s);
    assert_null(s.name);
}


static void
test_units(void **state)
{
    size_t      i;
    char        text[64], error[AT_CONF_ERROR_MAX];
    settings_t  s;

    static const struct {
        const char  *value;
        int64_t      ms;                /* -1: refused */
    } table[] = {
        { "1ms", 1 }, { "2s", 2000 }, { "3m", 180000 }, { "1h", 3600000 },
        { "1d", 86400000 }, { "2d", -1 }, { "5", -1 }, { "0s", -1 },
        { "1x", -1 }, { "-1s", -1 }, { " s", -1 }, { "1 s", -1 },
        { "99999999999999999999s", -1 }, { "9223372036854775807d", -1 }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(table); i++) {
        snprintf(text, sizeof(text), "[a]\nname=n\n[b]\nwait = %s\n",
                 table[i].value);

        if (table[i].ms < 0) {
            at_test_true(parse(text, &s, error) == AT_ERROR, "%s",
                         table[i].value);
            continue;
        }

        at_test_true(parse(text, &s, error) == AT_OK, "%s: %s",
                     table[i].value, error);
        at_test_true(s.wait == table[i].ms, "%s", table[i].value);
        at_conf_free(keys, &s);
    }
}


static void
test_mistakes(void **state)
{
    size_t      i;
    char        error[AT_CONF_ERROR_MAX];
    settings_t  s;

    static const struct {
        const char  *text;
        const char  *error;
    } table[] = {
        { "", "f: \"name\" is missing in [a]" },
        { "[a]\nname =\n", "f:2: \"name\" is empty" },
        { "name = n\n", "f:1: \"name\" is not known in []" },
        { "[a]\nnome = n\n", "f:2: \"nome\" is not known in [a]" },
        { "[a]\nwait = 5s\n", "f:2: \"wait\" is not known in [a]" },
        { "[a]\nname = n\nname = m\n",
          "f:3: \"name\" stands in line 2 already: keep one of them" },
        { "[c]\n", "f:1: \"[c]\" is no section that is known" },
        { "[a\n", "f:1: \"[a\" is no section that is known" },
        { "[a]\nname\n",
          "f:2: \"name\" is neither [section] nor key = value" },
        { "[a]\nname = x\n", "f:2: \"x\" of \"name\" has an x" },
        { "[a]\nname = n\ncount = 11\n",
          "f:3: \"11\" of \"count\" is out of range: 1 to 10 are taken" },
        { "[a]\nname = n\ncount = 1a\n",
          "f:3: \"1a\" of \"count\" is not a number" },
        { "[a]\nname = n\ncount =\n",
          "f:3: \"\" of \"count\" is not a number" },
        { "[a]\nname = n\n[b]\nlist = a\nlist = x\n",
          "f:5: \"x\" of \"list\" has an x" }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(table); i++) {
        at_test_true(parse(table[i].text, &s, error) == AT_ERROR, "row %zu",
                     i);
        assert_string_equal(error, table[i].error);
    }

    assert_int_equal(at_conf_parse("f", AT_STR("[a]\nna\0me = n\n"), keys, &s,
                                   error), AT_ERROR);
    assert_string_equal(error, "f:2: holds a NUL byte: this is no text");
    assert_int_equal(at_conf_read("/does/not/exist", keys, &s, error),
                     AT_ERROR);
    assert_non_null(strstr(error, "/does/not/exist: cannot be read"));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_mistakes)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
