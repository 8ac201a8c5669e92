/*
 * Globs: each kind of pattern, the odd ones that Redis takes too, and that a
 * pattern of many stars is no work without end; and what no one can have meant.
 */

#include "at_test.h"
#include "at_glob.h"

#include <string.h>


static int
match(const char *pattern, const char *text)
{
    return at_glob_match((at_str_t) { strlen(pattern), pattern },
                         (at_str_t) { strlen(text), text });
}


static void
test_plain(void **state)
{
    (void) state;

    assert_true(match("", ""));
    assert_false(match("", "a"));
    assert_true(match("abc", "abc"));
    assert_false(match("abc", "ab"));
    assert_false(match("abc", "abcd"));
    assert_false(match("abc", "ABC"));
    assert_true(match("a?c", "abc"));
    assert_false(match("a?c", "ac"));
}


static void
test_stars(void **state)
{
    (void) state;

    assert_true(match("*", ""));
    assert_true(match("*", "anything"));
    assert_true(match("q=*sofa*;o=*", "q=red sofa;o=landscape"));
    assert_false(match("q=*sofa*;o=*", "q=red couch;o=landscape"));
    assert_true(match("*a*b", "xaxbxb"));
    assert_true(match("**", "x"));
    assert_true(match("a*", "a"));
    assert_false(match("*a", "ab"));
}


static void
test_sets(void **state)
{
    (void) state;

    assert_true(match("[abc]", "b"));
    assert_false(match("[abc]", "d"));
    assert_true(match("[a-c]x", "bx"));
    assert_true(match("[c-a]x", "bx"));
    assert_false(match("[^a-c]", "b"));
    assert_true(match("[^a-c]", "d"));
    assert_true(match("[a-]", "-"));
    assert_true(match("[\\]]", "]"));
    assert_true(match("[a", "a"));
    assert_false(match("[]", "a"));
    assert_true(match("[^]", "a"));
}


static void
test_escapes(void **state)
{
    (void) state;

    assert_true(match("\\*", "*"));
    assert_false(match("\\*", "a"));
    assert_true(match("a\\?", "a?"));
    assert_true(match("\\", "\\"));
    assert_true(match("\\\\", "\\"));
}


static void
test_bytes(void **state)
{
    (void) state;

    assert_true(match("[\x80-\xff]*", "\xc3\xa9t\xc3\xa9"));
    assert_true(at_glob_match(AT_STR("a*"), AT_STR("a\0b")));
    assert_false(at_glob_match(AT_STR("a"), AT_STR("a\0b")));
}


static void
test_work_is_bounded(void **state)
{
    char  pattern[201], text[10001];

    (void) state;

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';

    for (size_t i = 0; i < sizeof(pattern) - 1; i += 2) {
        pattern[i] = '*';
        pattern[i + 1] = 'a';
    }

    pattern[sizeof(pattern) - 1] = '\0';
    assert_true(match(pattern, text));

    pattern[sizeof(pattern) - 2] = 'b';
    assert_false(match(pattern, text));
}


static void
test_faults(void **state)
{
    size_t  i;

    static const struct {
        const char  *pattern;
        const char  *fault;
    } rows[] = {
        { "",            NULL },
        { "q=*sofa*",    NULL },
        { "[a-c]?",      NULL },
        { "[^a]",        NULL },
        { "[\\]]",       NULL },
        { "\\[",         NULL },
        { "]",           NULL },
        { "\\\\",        NULL },
        { "a\\",         "ends in a backslash" },
        { "\\\\\\",      "ends in a backslash" },
        { "[a",          "has a [ without its ]" },
        { "\\\\[",       "has a [ without its ]" },
        { "[",           "has a [ without its ]" },
        { "[^",          "has a [ without its ]" },
        { "[a\\]",       "has a [ without its ]" },
        { "[a\\",        "has a [ without its ]" },
        { "[]",          "has an empty set" },
        { "[]a]",        "has an empty set" },
        { "x[^]",        "has an empty set" },
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_str_t     pattern = at_test_exact(at_test_str(rows[i].pattern));
        const char  *fault = at_glob_fault(pattern);

        at_test_true((fault == NULL) == (rows[i].fault == NULL)
                     && (fault == NULL || strcmp(fault, rows[i].fault) == 0),
                     "%s: %s", rows[i].pattern, fault ? fault : "none");

        free((void *) pattern.data);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_stars),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_work_is_bounded),
    };

    return cmocka_run_group_tests_name("glob", tests, NULL, NULL);
}
