/*
 * Strings: the growing buffer, base64, UTF-8 length, hashes, dates, random ids.
 *
 * Nothing here keeps state.  A buffer belongs to whoever declared it, starts
 * as zeros and is released by sb_buf_free().  A failed growth is remembered,
 * so that a writer may check once, at its end.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "sandbox.h"


static int
sb_buf_grow(sb_buf_t *b, size_t more)
{
    char    *p;
    size_t   size;

    if (b->failed || more > SB_MEMORY_MAX - b->len) {
        b->failed = 1;
        return SB_ERROR;
    }

    if (b->size > b->len + more) {
        return SB_OK;
    }

    size = b->size ? b->size * 2 : 256;

    if (size < b->len + more + 1) {
        size = b->len + more + 1;
    }

    p = realloc(b->data, size);
    if (p == NULL) {
        b->failed = 1;
        return SB_ERROR;
    }

    b->data = p;
    b->size = size;

    return SB_OK;
}


int
sb_buf_add(sb_buf_t *b, const void *data, size_t len)
{
    if (sb_buf_grow(b, len) != SB_OK) {
        return SB_ERROR;
    }

    if (len) {
        memcpy(b->data + b->len, data, len);
    }

    b->len += len;
    b->data[b->len] = '\0';

    return SB_OK;
}


int
sb_buf_print(sb_buf_t *b, const char *fmt, ...)
{
    int      n;
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);

    if (n < 0 || sb_buf_grow(b, (size_t) n) != SB_OK) {
        b->failed = 1;
        return SB_ERROR;
    }

    va_start(args, fmt);
    vsnprintf(b->data + b->len, (size_t) n + 1, fmt, args);
    va_end(args);

    b->len += (size_t) n;

    return SB_OK;
}


void
sb_buf_free(sb_buf_t *b)
{
    free(b->data);
    memset(b, 0, sizeof(sb_buf_t));
}


int
sb_buf_base64(sb_buf_t *b, const void *data, size_t len)
{
    char                 *d;
    size_t                i;
    uint32_t              v;
    const unsigned char  *p;

    static const char  abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789+/";

    if (sb_buf_grow(b, (len + 2) / 3 * 4) != SB_OK) {
        return SB_ERROR;
    }

    p = data;
    d = b->data + b->len;

    for (i = 0; i + 2 < len; i += 3) {
        v = (uint32_t) p[i] << 16 | (uint32_t) p[i + 1] << 8 | p[i + 2];
        *d++ = abc[v >> 18];
        *d++ = abc[v >> 12 & 63];
        *d++ = abc[v >> 6 & 63];
        *d++ = abc[v & 63];
    }

    if (i < len) {
        v = (uint32_t) p[i] << 16;
        if (i + 1 < len) {
            v |= (uint32_t) p[i + 1] << 8;
        }

        *d++ = abc[v >> 18];
        *d++ = abc[v >> 12 & 63];
        *d++ = (i + 1 < len) ? abc[v >> 6 & 63] : '=';
        *d++ = '=';
    }

    *d = '\0';
    b->len = (size_t) (d - b->data);

    return SB_OK;
}


/* Code points; the text is known to be UTF-8. */

size_t
sb_utf8_length(const char *s)
{
    size_t  n;

    for (n = 0; *s; s++) {
        if ((*s & 0xc0) != 0x80) {
            n++;
        }
    }

    return n;
}


/* For quoting in messages: ASCII without control characters, cut to fit. */

void
sb_printable(char *dst, size_t size, const char *src)
{
    size_t  i;

    for (i = 0; src[i] && i + 1 < size; i++) {
        dst[i] = (src[i] < 0x20 || src[i] == 0x7f) ? '?' : src[i];
    }

    dst[i] = '\0';
}


void
sb_http_date(char *dst, size_t size, int64_t at)
{
    time_t     t;
    struct tm  tm;

    static const char *const  day[] = {
        "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
    };
    static const char *const  month[] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun",
        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
    };

    t = (time_t) at;
    memset(&tm, 0, sizeof(tm));
    gmtime_r(&t, &tm);

    snprintf(dst, size, "%s, %02d %s %04d %02d:%02d:%02d GMT",
             day[tm.tm_wday], tm.tm_mday, month[tm.tm_mon],
             tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}


void
sb_hex_id(char *dst, size_t bytes)
{
    size_t         i;
    unsigned char  raw[32];

    memset(raw, 0, sizeof(raw));

    if (bytes > sizeof(raw)) {
        bytes = sizeof(raw);
    }

    if (getrandom(raw, bytes, 0) != (ssize_t) bytes) {
        abort();
    }

    for (i = 0; i < bytes; i++) {
        snprintf(dst + 2 * i, 3, "%02x", raw[i]);
    }
}


/* FNV-1a, with the terminator so that joints count. */

uint64_t
sb_hash(uint64_t h, const char *s)
{
    do {
        h = (h ^ (unsigned char) *s) * 0x100000001b3u;
    } while (*s++);

    return h;
}


/* The last half of splitmix64: each bit of z moves every bit; one to one. */

uint64_t
sb_scramble(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;

    return z ^ (z >> 31);
}


double
sb_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec * 1000 + (double) ts.tv_nsec / 1000000;
}


int64_t
sb_now_ms(void)
{
    return (int64_t) sb_now();
}
