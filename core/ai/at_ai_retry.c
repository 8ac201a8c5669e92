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

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "at_ai_internal.h"


#define AT_AI_EPOCH_MIN   1000000000    /* larger resets are a date */
#define AT_AI_EPOCH_MS    100000000000  /* and these one in milliseconds */
#define AT_AI_DAY_MS      86400000
#define AT_AI_NUMBER_MAX  31            /* bytes */


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


/*
 * Digits with or without a fraction, maybe below zero; AT_ERROR: anything
 * else, also what strtod() would take (1e9, 0x1f, inf, nan).
 */

static int
at_ai_retry_number(at_str_t value, double *n)
{
    char    text[AT_AI_NUMBER_MAX + 1], *end;
    size_t  i;

    if (value.len == 0 || value.len > AT_AI_NUMBER_MAX) {
        return AT_ERROR;
    }

    for (i = 0; i < value.len; i++) {
        text[i] = value.data[i];

        if ((text[i] < '0' || text[i] > '9') && text[i] != '.'
            && (text[i] != '-' || i > 0))
        {
            return AT_ERROR;
        }
    }

    text[i] = '\0';

    *n = strtod(text, &end);

    return (end > text && *end == '\0') ? AT_OK : AT_ERROR;
}


/* Up to the next millisecond, within the day that at_retry_after() allows. */

static int64_t
at_ai_retry_round(double ms)
{
    if (!(ms > 0)) {
        return 0;
    }

    return (ms < AT_AI_DAY_MS) ? (int64_t) ceil(ms) : AT_AI_DAY_MS;
}


static int64_t
at_ai_retry_reset_ms(at_str_t value, int64_t now)
{
    double  n;

    if (at_ai_retry_number(value, &n) != AT_OK || !(n > AT_AI_EPOCH_MIN)) {
        return at_retry_after(value, now);
    }

    n = (n > AT_AI_EPOCH_MS) ? n : n * 1000;

    return at_ai_retry_round(n - (double) now * 1000);
}


static int64_t
at_ai_retry_ms(at_str_t value)
{
    double  n;

    if (at_ai_retry_number(value, &n) != AT_OK || n < 0) {
        return -1;
    }

    return at_ai_retry_round(n);
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
        r->after_ms = at_ai_later(r->after_ms, at_ai_retry_ms(value));
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

    } else if (at_ai_retry_number(value, &n) == AT_OK && n >= 0) {

        /* Below zero some mean "no limit" and some what is overdrawn. */

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
