/*
 * How long the headers of an answer ask to wait.
 *
 * Providers say it in many ways: Retry-After (seconds, a fraction, a date),
 * retry-after-ms, and a reset beside every limit they report.  A reset counts
 * only when its limit is used up: many providers send their resets with every
 * answer.  On a 429 it counts as well if what remains is not said, or if
 * nothing else says how long.  The caller owns the record; nothing is
 * allocated.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at_ai_internal.h"


#define AT_AI_EPOCH_MIN  1000000000     /* larger resets are a date */
#define AT_AI_EPOCH_MS   100000000000   /* and these one in milliseconds */


void
at_ai_retry_reset(at_ai_retry_t *r)
{
    memset(r, 0, sizeof(at_ai_retry_t));
    r->after_ms = -1;
}


/* Takes prefix off name, compared without case. */

static int
at_ai_retry_prefix(at_str_t *name, at_str_t prefix)
{
    if (name->len < prefix.len
        || !at_str_ieq((at_str_t) { prefix.len, name->data }, prefix))
    {
        return 0;
    }

    name->data += prefix.len;
    name->len -= prefix.len;

    return 1;
}


static at_ai_bucket_t *
at_ai_retry_bucket(at_ai_retry_t *r, at_str_t name)
{
    size_t           i;
    at_ai_bucket_t  *b;

    if (name.len >= sizeof(b->name)) {
        return NULL;
    }

    for (i = 0; i < r->nbuckets; i++) {
        b = &r->buckets[i];

        if (at_str_ieq(name, (at_str_t) { strlen(b->name), b->name })) {
            return b;
        }
    }

    if (r->nbuckets == AT_AI_BUCKETS_MAX) {
        return NULL;
    }

    b = &r->buckets[r->nbuckets++];

    if (name.len) {
        memcpy(b->name, name.data, name.len);
    }

    b->name[name.len] = '\0';
    b->remaining = -1;
    b->reset_ms = -1;

    return b;
}


/* A number with or without a fraction; AT_ERROR: it is none. */

static int
at_ai_retry_number(at_str_t value, double *n)
{
    char   text[32], *end;

    if (value.len == 0 || value.len >= sizeof(text)
        || memchr("-.0123456789", value.data[0], 12) == NULL)
    {
        return AT_ERROR;
    }

    memcpy(text, value.data, value.len);
    text[value.len] = '\0';

    *n = strtod(text, &end);

    return (*end == '\0') ? AT_OK : AT_ERROR;
}


static int64_t
at_ai_retry_reset_ms(at_str_t value, int64_t now)
{
    char    text[32];
    int     len;
    double  n;

    if (at_ai_retry_number(value, &n) != AT_OK || !(n > AT_AI_EPOCH_MIN)) {
        return at_retry_after(value, now);
    }

    if (n > AT_AI_EPOCH_MS) {
        n = n / 1000;
    }

    n = n - (double) now;

    if (!(n > 0)) {
        return 0;
    }

    /* At most 14 digits and a fraction, by the length of value. */

    len = snprintf(text, sizeof(text), "%.0f", n);
    if (len < 0 || (size_t) len >= sizeof(text)) {
        return -1;
    }

    return at_retry_after((at_str_t) { (size_t) len, text }, now);
}


static int64_t
at_ai_retry_ms(at_str_t value, int64_t now)
{
    char    text[40];
    int     len;
    double  n;

    if (at_ai_retry_number(value, &n) != AT_OK) {
        return -1;
    }

    len = snprintf(text, sizeof(text), "%.*sms", (int) value.len, value.data);
    if (len < 0 || (size_t) len >= sizeof(text)) {
        return -1;
    }

    return at_retry_after((at_str_t) { (size_t) len, text }, now);
}


static int64_t
at_ai_later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}


void
at_ai_retry_header(at_ai_retry_t *r, at_str_t name, at_str_t value,
    int64_t now)
{
    int              reset;
    double           n;
    at_ai_bucket_t  *b;

    if (at_str_ieq(name, AT_STR("Retry-After"))) {
        r->after_ms = at_ai_later(r->after_ms, at_retry_after(value, now));
        return;
    }

    if (at_str_ieq(name, AT_STR("Retry-After-Ms"))) {
        r->after_ms = at_ai_later(r->after_ms, at_ai_retry_ms(value, now));
        return;
    }

    (void) at_ai_retry_prefix(&name, AT_STR("x-"));

    if (!at_ai_retry_prefix(&name, AT_STR("ratelimit-"))) {
        return;
    }

    if (at_ai_retry_prefix(&name, AT_STR("reset"))) {
        reset = 1;

    } else if (at_ai_retry_prefix(&name, AT_STR("remaining"))) {
        reset = 0;

    } else {
        return;
    }

    b = at_ai_retry_bucket(r, name);
    if (b == NULL) {
        return;
    }

    if (reset) {
        b->reset_ms = at_ai_later(b->reset_ms,
                                  at_ai_retry_reset_ms(value, now));

    } else if (at_ai_retry_number(value, &n) == AT_OK) {
        b->remaining = (n > 0) ? 1 : 0;
    }
}


int64_t
at_ai_retry_wait(const at_ai_retry_t *r, unsigned status)
{
    size_t                 i;
    int64_t                wait, any;
    const at_ai_bucket_t  *b;

    wait = at_ai_status_2xx(status) ? -1 : r->after_ms;
    any = -1;

    for (i = 0; i < r->nbuckets; i++) {
        b = &r->buckets[i];
        any = at_ai_later(any, b->reset_ms);

        if (b->remaining == 0 || (b->remaining < 0 && status == 429)) {
            wait = at_ai_later(wait, b->reset_ms);
        }
    }

    return (wait < 0 && status == 429) ? any : wait;
}
