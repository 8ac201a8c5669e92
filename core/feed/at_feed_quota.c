/*
 * What headers say of limits.
 *
 * All known forms are read for every source: "X-Ratelimit-Limit", "-Remaining"
 * and "-Reset" (since 1970, in seconds or in milliseconds, or seconds from
 * now, told apart by their size; or a date or duration in words), with or
 * without "X-", with a suffix that names one of several limits, "available"
 * for "remaining", a limit with its window ("20/min"), and Retry-After.
 * Numbers are a stranger's and saturate.
 */

#include <string.h>

#include "at_feed_internal.h"


/* A reset above is a date; above the other, one in ms. */
#define AT_FEED_UNIX_TIME  1000000000LL
#define AT_FEED_UNIX_MS    (AT_FEED_UNIX_TIME * 100)

#define AT_FEED_RESET_MAX  (32LL * 24 * 60 * 60 * 1000)


typedef struct {
    const char  *name;
    int64_t      ms;
} at_feed_window_t;


static const at_feed_window_t  at_feed_windows[] = {
    { "s",   1000 },
    { "m",   60 * 1000 },
    { "h",   60 * 60 * 1000 },
    { "d",   24 * 60 * 60 * 1000 }
};


/* Takes prefix off s, without regard to case. */

static int
at_feed_quota_skip(at_str_t *s, const char *prefix)
{
    size_t  len;

    len = strlen(prefix);

    if (s->len < len
        || !at_str_ieq((at_str_t) { len, s->data },
                       (at_str_t) { len, prefix }))
    {
        return 0;
    }

    s->data += len;
    s->len -= len;

    return 1;
}


static at_feed_bucket_t *
at_feed_quota_bucket(at_feed_private_t *s, at_str_t name)
{
    size_t             i;
    at_feed_bucket_t  *b;

    if (name.len && name.data[0] == '-') {
        name.data++;
        name.len--;
    }

    if (name.len >= sizeof(b->name)) {
        return NULL;
    }

    for (i = 0; i < s->nbuckets; i++) {
        if (at_str_ieq(name, (at_str_t) { strlen(s->buckets[i].name),
                                          s->buckets[i].name }))
        {
            return &s->buckets[i];
        }
    }

    if (s->nbuckets == AT_FEED_BUCKETS_MAX) {
        return NULL;
    }

    b = &s->buckets[s->nbuckets++];

    memcpy(b->name, name.data, name.len);
    b->name[name.len] = '\0';
    b->quota = (at_feed_quota_t) { 1, -1, -1, -1, -1 };

    return b;
}


/* "20/min" has a window; "20" has none: -1. */

static int64_t
at_feed_quota_window(at_str_t value)
{
    char         c;
    size_t       i;
    const char  *slash;

    slash = value.len ? memchr(value.data, '/', value.len) : NULL;

    if (slash == NULL || slash + 1 == value.data + value.len) {
        return -1;
    }

    c = (char) (slash[1] | 0x20);

    for (i = 0; i < sizeof(at_feed_windows) / sizeof(at_feed_windows[0]); i++) {
        if (c == at_feed_windows[i].name[0]) {
            return at_feed_windows[i].ms;
        }
    }

    return -1;
}


/* -1: it cannot be read, and so says nothing. */

static int64_t
at_feed_quota_reset(at_str_t value, int64_t now)
{
    size_t   i;
    int64_t  n;

    for (i = 0; i < value.len && value.data[i] >= '0' && value.data[i] <= '9';
         i++)
    {
        /* void */
    }

    while (i < value.len && value.data[i] == ' ') {
        i++;
    }

    if (i == 0 || i < value.len) {
        return at_retry_after(value, now);
    }

    n = at_feed_number(value);

    if (n > AT_FEED_UNIX_MS && n < INT64_MAX) {
        n /= 1000;
    }

    if (n > AT_FEED_UNIX_TIME) {
        n = n > now ? n - now : 0;
    }

    return n > AT_FEED_RESET_MAX / 1000 ? AT_FEED_RESET_MAX : n * 1000;
}


static void
at_feed_quota_ratelimit(at_feed_answer_t *a, at_str_t name, at_str_t value)
{
    int64_t            *field, n;
    size_t              i;
    at_feed_bucket_t   *b;
    static const char  *kinds[] = { "-limit", "-remaining", "-available",
                                    "-reset" };

    for (i = 0; i < 4 && !at_feed_quota_skip(&name, kinds[i]); i++) {
        /* void */
    }

    n = (i == 3) ? at_feed_quota_reset(value, a->private->now)
                 : at_feed_number(value);

    if (i == 4 || n < 0) {
        return;
    }

    b = at_feed_quota_bucket(a->private, name);
    if (b == NULL) {
        return;
    }

    field = &b->quota.remaining;

    if (i == 0) {
        field = &b->quota.limit;
        b->quota.window_ms = at_feed_quota_window(value);
    }

    if (i == 3) {
        field = &b->quota.reset_ms;
    }

    *field = n;
}


void
at_feed_quota_header(at_feed_answer_t *a, at_str_t name, at_str_t value)
{
    while (value.len && value.data[0] == ' ') {
        value.data++;
        value.len--;
    }

    if (at_str_ieq(name, AT_STR("Retry-After"))) {
        a->retry_after_ms = at_retry_after(value, a->private->now);
        return;
    }

    (void) at_feed_quota_skip(&name, "x-");

    if (at_feed_quota_skip(&name, "ratelimit")
        || at_feed_quota_skip(&name, "rate-limit"))
    {
        at_feed_quota_ratelimit(a, name, value);
    }
}


/* 1: of what a still allows, a smaller part is left than of b. */

static int
at_feed_quota_nearer(const at_feed_quota_t *a, const at_feed_quota_t *b)
{
    if (a->remaining < 0 || b->remaining < 0) {
        return a->remaining >= 0;
    }

    if (a->limit <= 0 || b->limit <= 0) {
        return a->remaining < b->remaining;
    }

    return (double) a->remaining / (double) a->limit
           < (double) b->remaining / (double) b->limit;
}


void
at_feed_quota_end(at_feed_answer_t *a)
{
    size_t              i;
    at_feed_private_t  *s;

    s = a->private;

    for (i = 0; i < s->nbuckets; i++) {
        if (!a->quota.has
            || at_feed_quota_nearer(&s->buckets[i].quota, &a->quota))
        {
            a->quota = s->buckets[i].quota;
        }
    }
}
