/*
 * What the unit tests of core/ share.
 *
 * Every t/unit/test_*.c is a program of its own: it includes this file first,
 * has a table of tests, and returns what cmocka_run_group_tests() does.
 */

#ifndef AT_TEST_H
#define AT_TEST_H


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "at.h"


#define AT_TEST_N(table)  (sizeof(table) / sizeof((table)[0]))

/* Fails with the row of the table that was wrong. */
#define at_test_true(what, ...)                                              \
    do {                                                                     \
        if (!(what)) {                                                       \
            print_error(__VA_ARGS__);                                        \
            print_error("\n");                                               \
            assert_true(what);                                               \
        }                                                                    \
    } while (0)


/* A counted string made of a C string. */
static inline at_str_t
at_test_str(const char *s)
{
    at_str_t  str;

    str.len = strlen(s);
    str.data = s;

    return str;
}


/*
 * The bytes of s in memory of exactly their length, so that a sanitizer sees
 * a read behind them.  The test frees .data.
 */
static inline at_str_t
at_test_exact(at_str_t s)
{
    char  *copy;

    copy = malloc(s.len > 0 ? s.len : 1);
    assert_non_null(copy);

    if (s.len > 0) {
        memcpy(copy, s.data, s.len);
    }

    return (at_str_t) { s.len, copy };
}


/* The same numbers in every run, so a failure can be repeated. */
static inline uint32_t
at_test_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;

    return *state;
}


#endif /* AT_TEST_H */
