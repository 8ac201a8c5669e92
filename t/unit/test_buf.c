/*
 * The byte buffer and the comparison of counted strings: growth, bounds, and
 * that a refused append leaves everything as it was.
 */

#include "at_test.h"
#include "at_test_memory.h"


static void
test_append_grows(void **state)
{
    int       i;
    at_buf_t  b = { NULL, 0, 0, 0 };

    (void) state;

    for (i = 0; i < 1000; i++) {
        assert_int_equal(at_buf_append(&b, "abc", 3), AT_OK);
    }

    assert_int_equal(b.len, 3000);
    assert_true(b.cap >= b.len && b.cap < 8192);

    for (i = 0; i < 3000; i++) {
        assert_int_equal(b.data[i], "abc"[i % 3]);
    }

    at_buf_free(&b);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.cap, 0);
}


static void
test_bound(void **state)
{
    at_buf_t  b = { NULL, 0, 0, 5 };

    (void) state;

    assert_int_equal(at_buf_append(&b, "abc", 3), AT_OK);
    assert_int_equal(at_buf_append(&b, "def", 3), AT_ERROR);
    assert_int_equal(b.len, 3);
    assert_int_equal(at_buf_append(&b, "de", 2), AT_OK);
    assert_int_equal(at_buf_append(&b, "f", 1), AT_ERROR);
    assert_int_equal(at_buf_append(&b, NULL, 0), AT_OK);
    assert_true(b.cap <= 5);
    assert_true(at_str_is(at_buf_str(&b), "abcde"));

    at_buf_free(&b);
    assert_int_equal(b.max, 5);
    assert_int_equal(at_buf_append(&b, "abcdef", 6), AT_ERROR);
    assert_null(b.data);
}


/* The bound counts even when the memory behind it is already there. */
static void
test_bound_lowered(void **state)
{
    at_buf_t  b = { NULL, 0, 0, 0 };

    (void) state;

    assert_int_equal(at_buf_append(&b, "abcdef", 6), AT_OK);

    b.max = 8;
    assert_int_equal(at_buf_append(&b, "ghi", 3), AT_ERROR);
    assert_int_equal(at_buf_append(&b, "gh", 2), AT_OK);

    b.max = 4;
    assert_int_equal(at_buf_reserve(&b, 1), AT_ERROR);

    at_buf_free(&b);
}


static void
test_overflow(void **state)
{
    at_buf_t  b = { NULL, 0, 0, 0 };

    (void) state;

    assert_int_equal(at_buf_append(&b, "abc", 3), AT_OK);
    assert_int_equal(at_buf_reserve(&b, SIZE_MAX), AT_ERROR);
    assert_int_equal(at_buf_reserve(&b, SIZE_MAX - 2), AT_ERROR);
    assert_true(at_str_is(at_buf_str(&b), "abc"));

    at_buf_free(&b);
}


static void
test_reserve(void **state)
{
    at_buf_t  b = { NULL, 0, 0, 0 };
    uint8_t  *before;

    (void) state;

    assert_int_equal(at_buf_reserve(&b, 1000), AT_OK);
    assert_int_equal(b.len, 0);

    before = b.data;

    while (b.len < 1000) {
        assert_int_equal(at_buf_append(&b, "0123456789", 10), AT_OK);
    }

    assert_ptr_equal(b.data, before);
    at_buf_free(&b);
}


static void
test_printf(void **state)
{
    char      big[1000];
    at_buf_t  b = { NULL, 0, 0, 0 };

    (void) state;

    assert_int_equal(at_buf_printf(&b, "%d-%s", 7, "x"), AT_OK);
    assert_int_equal(at_buf_printf(&b, "%s", ""), AT_OK);
    assert_true(at_str_is(at_buf_str(&b), "7-x"));

    memset(big, 'y', sizeof(big));
    big[sizeof(big) - 1] = '\0';

    assert_int_equal(at_buf_printf(&b, "<%s>", big), AT_OK);
    assert_int_equal(b.len, 3 + 999 + 2);
    assert_memory_equal(b.data, "7-x<yyy", 7);
    assert_int_equal(b.data[b.len - 1], '>');

    at_buf_free(&b);

    /* no byte for a NUL is asked of the bound */

    b.max = 999;
    assert_int_equal(at_buf_printf(&b, "%s", big), AT_OK);
    assert_int_equal(at_buf_printf(&b, "z"), AT_ERROR);
    assert_int_equal(b.len, 999);

    at_buf_free(&b);
}


static void
test_number(void **state)
{
    size_t    i;
    char      text[32];
    at_buf_t  b;

    static const uint64_t  t[] = {
        0, 1, 9, 10, 99, 100, 4294967295u, 4294967296u,
        9999999999999999999u, 10000000000000000000u, UINT64_MAX
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        memset(&b, 0, sizeof(at_buf_t));
        assert_int_equal(at_buf_append_number(&b, t[i]), AT_OK);
        (void) snprintf(text, sizeof(text), "%ju", (uintmax_t) t[i]);
        assert_true(at_str_is(at_buf_str(&b), text));

        b.max = b.len;
        assert_int_equal(at_buf_append_number(&b, t[i]), AT_ERROR);
        assert_true(at_str_is(at_buf_str(&b), text));
        at_buf_free(&b);
    }
}


static void
test_compare(void **state)
{
    (void) state;

    assert_true(at_str_eq(AT_STR(""), AT_STR_NULL));
    assert_true(at_str_eq(AT_STR("a\0b"), AT_STR("a\0b")));
    assert_false(at_str_eq(AT_STR("a\0b"), AT_STR("a\0c")));
    assert_false(at_str_eq(AT_STR("ab"), AT_STR("abc")));

    assert_true(at_str_is(AT_STR("ab"), "ab"));
    assert_false(at_str_is(AT_STR("ab\0"), "ab"));
    assert_false(at_str_is(AT_STR("Ab"), "ab"));

    assert_true(at_str_ieq(AT_STR("Retry-After"), AT_STR("rETRY-aFTER")));
    assert_false(at_str_ieq(AT_STR("["), AT_STR("{")));
    assert_false(at_str_ieq(AT_STR("@"), AT_STR("`")));
    assert_false(at_str_ieq(AT_STR("a"), AT_STR("ab")));

    /* bytes above 127 are no letters, whatever the locale */

    assert_false(at_str_ieq(AT_STR("\xC4"), AT_STR("\xE4")));
    assert_true(at_str_ieq(AT_STR("\xC4"), AT_STR("\xC4")));
}


/* A bound and no memory are two things; either leaves all as it was. */
static void
test_no_memory(void **state)
{
    char      big[600];
    at_buf_t  b = { NULL, 0, 0, 1000 };

    (void) state;

    memset(big, 'x', sizeof(big));
    assert_int_equal(at_buf_append(&b, "abc", 3), AT_OK);

    at_test_memory_end = 500;
    assert_int_equal(at_buf_append(&b, big, 600), AT_NO_MEMORY);
    assert_int_equal(at_buf_reserve(&b, 600), AT_NO_MEMORY);
    assert_int_equal(at_buf_printf(&b, "%.*s", 600, big), AT_NO_MEMORY);
    assert_int_equal(at_buf_append(&b, big, 998), AT_ERROR);
    at_test_memory_end = 0;

    assert_true(at_str_is(at_buf_str(&b), "abc"));
    assert_int_equal(at_buf_append(&b, big, 600), AT_OK);
    at_buf_free(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_append_grows),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_bound_lowered),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_printf),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_no_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
