/*
 * Answers that are no success, and what headers say of limits.
 */

#include "test_feed.h"


typedef struct {
    const char         *source;
    unsigned            status;
    const char         *headers;
    const char         *body;
    at_feed_outcome_e   outcome;
    int64_t             retry_ms;
} test_error_t;


static const test_error_t  test_errors[] = {
    /* Unsplash's rate limit is a 403 in plain text. */
    { "unsplash", 403, NULL, "Rate Limit Exceeded", AT_FEED_RATE_LIMITED,
      -1 },
    { "unsplash", 403, "X-Ratelimit-Limit: 50\nX-Ratelimit-Remaining: 0\n",
      "", AT_FEED_RATE_LIMITED, -1 },
    { "unsplash", 403, "X-Ratelimit-Remaining: 3\n", "{\"errors\":[\"no\"]}",
      AT_FEED_AUTH, -1 },
    { "unsplash", 401, NULL,
      "{\"errors\":[\"OAuth error: The access token is invalid\"]}",
      AT_FEED_AUTH, -1 },
    { "unsplash", 404, NULL, "{\"errors\":[\"x\"]}", AT_FEED_ERROR, -1 },

    { "pexels", 429, NULL, "{\"status\":429,\"error\":\"x\"}",
      AT_FEED_RATE_LIMITED, -1 },
    { "pexels", 429, "Retry-After: 90\n", "", AT_FEED_RATE_LIMITED, 90000 },
    { "pexels", 429, "Retry-After: Fri, 15 Jan 2027 08:01:00 GMT\n", "",
      AT_FEED_RATE_LIMITED, 60000 },
    { "pexels", 429, "X-Ratelimit-Remaining: 0\n"
      "X-Ratelimit-Reset: 1800000120\n", "", AT_FEED_RATE_LIMITED, 120000 },
    { "pexels", 429, "X-Ratelimit-Remaining: 9\n"
      "X-Ratelimit-Reset: 1800000120\n", "", AT_FEED_RATE_LIMITED, -1 },
    { "pexels", 401, NULL, "{\"error\":\"x\"}", AT_FEED_AUTH, -1 },
    { "pexels", 402, NULL, "", AT_FEED_AUTH, -1 },
    { "pexels", 400, NULL, "", AT_FEED_ERROR, -1 },
    { "pexels", 408, NULL, "", AT_FEED_TIMEOUT, -1 },
    { "pexels", 500, NULL, "<html>", AT_FEED_ERROR, -1 },
    { "pexels", 502, NULL, "", AT_FEED_ERROR, -1 },
    { "pexels", 503, "Retry-After: 3\n", "", AT_FEED_ERROR, 3000 },
    { "pexels", 503, NULL, "try again in 20 seconds", AT_FEED_ERROR, 20000 },
    { "pexels", 504, NULL, "", AT_FEED_TIMEOUT, -1 },
    { "pexels", 302, NULL, "", AT_FEED_ERROR, -1 },
    { "pexels", 304, NULL, "", AT_FEED_ERROR, -1 },

    { "flickr", 429, NULL, "<html>Too Many Requests</html>",
      AT_FEED_RATE_LIMITED, -1 },
    { "openverse", 429, NULL, "{\"detail\":\"Request was throttled. Expected "
      "available in 86399 seconds.\"}", AT_FEED_RATE_LIMITED, 86399000 },
    { "openverse", 403, NULL, "Request was throttled.",
      AT_FEED_RATE_LIMITED, -1 }
};


static void
test_outcomes(void **state)
{
    size_t               i, piece;
    test_feed_t          t;
    test_feed_in_t       in;
    const test_error_t  *row;

    (void) state;

    for (i = 0; i < AT_TEST_N(test_errors); i++) {
        row = &test_errors[i];

        for (piece = 0; piece < 3; piece++) {
            memset(&in, 0, sizeof(in));
            in.source = row->source;
            in.status = row->status;
            in.headers = row->headers;
            in.body = row->body;
            in.piece = piece;
            in.cut = piece == 2;

            test_feed_run(&t, &in);

            at_test_true(t.outcome == row->outcome,
                         "%s %u '%s': %s", row->source, row->status,
                         row->body, at_feed_outcome_name(t.outcome));
            at_test_true(t.answer->retry_after_ms == row->retry_ms,
                         "%s %u '%s': retry after %lld", row->source,
                         row->status, row->body,
                         (long long) t.answer->retry_after_ms);
            assert_int_equal(t.answer->ndesigns, 0);
            assert_int_equal(t.answer->more, 1);

            test_feed_free(&t);
        }
    }
}


/* A body of any length and any bytes, none of which is repeated. */

static void
test_body(void **state)
{
    char            body[4096];
    test_feed_t     t;
    test_feed_in_t  in = { .source = "unsplash", .status = 403 };

    (void) state;

    memset(body, 'k', sizeof(body) - 1);
    body[sizeof(body) - 1] = '\0';
    memcpy(body + 600, "rate limit", 10);
    in.body = body;

    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_AUTH);
    assert_string_equal(t.answer->reason, "status 403");
    test_feed_free(&t);

    memcpy(body + 502, "rate limit", 10);
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_RATE_LIMITED);
    test_feed_free(&t);
}


typedef struct {
    const char       *headers;
    at_feed_quota_t   quota;
} test_quota_t;


static const test_quota_t  test_quotas[] = {
    { "", { 0, -1, -1, -1, -1 } },
    { "X-Other: 5\n", { 0, -1, -1, -1, -1 } },

    /* Pexels: a time, of the month's end. */
    { "X-Ratelimit-Limit: 20000\nX-Ratelimit-Remaining: 19684\n"
      "X-Ratelimit-Reset: 1800086400\n", { 1, 20000, 19684, 86400000, -1 } },
    { "X-Ratelimit-Reset: 1799999999\n", { 1, -1, -1, 0, -1 } },

    /* The same in milliseconds and in words. */
    { "X-Ratelimit-Reset: 1800086400000\n", { 1, -1, -1, 86400000, -1 } },
    { "X-Ratelimit-Reset: 1799999999000\n", { 1, -1, -1, 0, -1 } },
    { "X-Ratelimit-Reset: 2027-01-15T08:01:00Z\n",
      { 1, -1, -1, 60000, -1 } },
    { "X-Ratelimit-Reset: Fri, 15 Jan 2027 08:01:00 GMT\n",
      { 1, -1, -1, 60000, -1 } },
    { "X-Ratelimit-Reset: 1m30s\n", { 1, -1, -1, 90000, -1 } },
    { "X-Ratelimit-Reset: 2027-01-15\n", { 0, -1, -1, -1, -1 } },

    /* Pixabay: seconds. */
    { "X-RateLimit-Limit: 100\nX-RateLimit-Remaining: 99\n"
      "X-RateLimit-Reset: 59\n", { 1, 100, 99, 59000, -1 } },

    { "x-ratelimit-limit: 50\nx-ratelimit-remaining: 49\n",
      { 1, 50, 49, -1, -1 } },
    { "RateLimit-Limit: 50\nRateLimit-Remaining: 49\nRateLimit-Reset: 1\n",
      { 1, 50, 49, 1000, -1 } },
    { "X-Rate-Limit-Limit: 50\nX-Rate-Limit-Remaining: 7\n",
      { 1, 50, 7, -1, -1 } },

    /* Openverse: two limits, of which the nearer one counts. */
    { "x-ratelimit-limit-anon_burst: 20/min\n"
      "x-ratelimit-available-anon_burst: 18\n"
      "x-ratelimit-limit-anon_sustained: 200/day\n"
      "x-ratelimit-available-anon_sustained: 20\n",
      { 1, 200, 20, -1, 86400000 } },
    { "x-ratelimit-available-anon_sustained: 190\n"
      "x-ratelimit-limit-anon_sustained: 200/day\n"
      "x-ratelimit-limit-anon_burst: 20/min\n"
      "x-ratelimit-available-anon_burst: 2\n",
      { 1, 20, 2, -1, 60000 } },
    { "x-ratelimit-limit-a: 5/hour\nx-ratelimit-available-b: 3\n",
      { 1, -1, 3, -1, -1 } },

    /* And no such things. */
    { "X-Ratelimit-Limit: many\nX-Ratelimit-Remaining: -3\n",
      { 0, -1, -1, -1, -1 } },
    { "X-Ratelimit-Limit: \nX-Ratelimit: 3\nX-Ratelimit-Reset-: x\n",
      { 0, -1, -1, -1, -1 } },
    { "X-Ratelimit-Limit: 99999999999999999999\n"
      "X-Ratelimit-Remaining: 99999999999999999999\n"
      "X-Ratelimit-Reset: 99999999999999999999\n",
      { 1, INT64_MAX, INT64_MAX, 32LL * 86400000, -1 } }
};


static void
test_headers(void **state)
{
    size_t                  i;
    test_feed_t             t;
    test_feed_in_t          in = { .source = "pexels" };
    const at_feed_quota_t  *q;

    (void) state;

    in.body = "{\"photos\":[]}";

    for (i = 0; i < AT_TEST_N(test_quotas); i++) {
        in.headers = test_quotas[i].headers;
        test_feed_run(&t, &in);

        q = &test_quotas[i].quota;

        at_test_true(t.outcome == AT_FEED_OK
                     && t.answer->quota.has == q->has
                     && t.answer->quota.limit == q->limit
                     && t.answer->quota.remaining == q->remaining
                     && t.answer->quota.reset_ms == q->reset_ms
                     && t.answer->quota.window_ms == q->window_ms,
                     "%s: %lld %lld %lld %lld", in.headers,
                     (long long) t.answer->quota.limit,
                     (long long) t.answer->quota.remaining,
                     (long long) t.answer->quota.reset_ms,
                     (long long) t.answer->quota.window_ms);
        test_feed_free(&t);
    }
}


/* More kinds of limits, and longer names, than anybody has. */

static void
test_many_headers(void **state)
{
    char            headers[4096];
    size_t          i, n;
    test_feed_t     t;
    test_feed_in_t  in = { .source = "pexels", .headers = headers };

    (void) state;

    in.body = "{\"photos\":[]}";
    n = 0;

    for (i = 0; i < 40; i++) {
        n += (size_t) snprintf(headers + n, sizeof(headers) - n,
                               "x-ratelimit-remaining-%u: %u\n", (unsigned) i,
                               (unsigned) (50 - i));
    }

    (void) snprintf(headers + n, sizeof(headers) - n,
                    "x-ratelimit-remaining-"
                    "a_name_that_is_longer_than_any_other: 1\n");

    test_feed_run(&t, &in);
    assert_int_equal(t.answer->quota.remaining, 43);
    test_feed_free(&t);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_body),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_many_headers)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
