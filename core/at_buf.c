/*
 * The growable byte buffer and the comparison of counted strings (at.h).
 *
 * Everything in core/ that collects bytes of unknown length does it here, so
 * the bound and the overflow checks are in one place.  The owner of a buffer
 * frees it with at_buf_free(); a pointer into it is good until it grows.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at.h"


#define AT_BUF_MIN  64


static int at_str_lower(int c);


int
at_buf_reserve(at_buf_t *b, size_t len)
{
    size_t    cap, need;
    uint8_t  *data;

    if (len <= b->cap - b->len) {
        /* the bound may have been lowered after the buffer grew */
        return (b->max != 0 && (b->len > b->max || len > b->max - b->len))
               ? AT_ERROR : AT_OK;
    }

    if (len > SIZE_MAX - b->len) {
        return AT_ERROR;
    }

    need = b->len + len;

    if (b->max != 0 && need > b->max) {
        return AT_ERROR;
    }

    cap = b->cap > SIZE_MAX / 2 ? need : b->cap * 2;

    if (cap < AT_BUF_MIN) {
        cap = AT_BUF_MIN;
    }

    if (b->max != 0 && cap > b->max) {
        cap = b->max;
    }

    if (cap < need) {
        cap = need;
    }

    data = realloc(b->data, cap);
    if (data == NULL) {
        return AT_NO_MEMORY;
    }

    b->data = data;
    b->cap = cap;

    return AT_OK;
}


int
at_buf_append(at_buf_t *b, const void *data, size_t len)
{
    int  rc;

    if (len == 0) {
        return AT_OK;
    }

    rc = at_buf_reserve(b, len);
    if (rc != AT_OK) {
        return rc;
    }

    memcpy(b->data + b->len, data, len);
    b->len += len;

    return AT_OK;
}


int
at_buf_append_str(at_buf_t *b, at_str_t s)
{
    return at_buf_append(b, s.data, s.len);
}


int
at_buf_append_number(at_buf_t *b, uint64_t n)
{
    char    text[20];
    size_t  i;

    i = sizeof(text);

    do {
        text[--i] = (char) ('0' + n % 10);
        n /= 10;
    } while (n > 0);

    return at_buf_append(b, text + i, sizeof(text) - i);
}


int
at_buf_printf(at_buf_t *b, const char *fmt, ...)
{
    int      n;
    char     small[256], *big;
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(small, sizeof(small), fmt, args);
    va_end(args);

    if (n < 0) {
        return AT_ERROR;
    }

    if ((size_t) n < sizeof(small)) {
        return at_buf_append(b, small, (size_t) n);
    }

    /*
     * vsnprintf() needs a byte for its NUL, which the bound of the buffer
     * does not have to grant.
     */

    big = malloc((size_t) n + 1);
    if (big == NULL) {
        return AT_NO_MEMORY;
    }

    va_start(args, fmt);
    n = vsnprintf(big, (size_t) n + 1, fmt, args);
    va_end(args);

    n = n < 0 ? AT_ERROR : at_buf_append(b, big, (size_t) n);

    free(big);

    return n;
}


void
at_buf_free(at_buf_t *b)
{
    free(b->data);

    b->data = NULL;
    b->len = 0;
    b->cap = 0;
}


at_str_t
at_buf_str(const at_buf_t *b)
{
    at_str_t  s;

    s.len = b->len;
    s.data = (const char *) b->data;

    return s;
}


int
at_str_eq(at_str_t a, at_str_t b)
{
    return a.len == b.len
           && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}


int
at_str_is(at_str_t a, const char *b)
{
    at_str_t  s;

    s.len = strlen(b);
    s.data = b;

    return at_str_eq(a, s);
}


int
at_str_ieq(at_str_t a, at_str_t b)
{
    size_t  i;

    if (a.len != b.len) {
        return 0;
    }

    for (i = 0; i < a.len; i++) {
        if (at_str_lower(a.data[i]) != at_str_lower(b.data[i])) {
            return 0;
        }
    }

    return 1;
}


/* tolower() depends on the locale and is undefined for a negative char. */
static int
at_str_lower(int c)
{
    return (c >= 'A' && c <= 'Z') ? c + ('a' - 'A') : c;
}
