/*
 * From error answers to class, wait and reason: every shape providers are
 * known to send, and what must never reach a log.
 */

#include "test_ai.h"
#include "ai/at_ai_internal.h"


static void
test_classes(void **state)
{
    size_t         i;
    test_result_t  r;

    static const struct {
        unsigned        status;
        const char     *body;
        at_ai_class_e   class;
        const char     *reason;
    } t[] = {
        { 400, "{\"error\":{\"message\":\"Unknown parameter: "
          "'response_format'.\",\"type\":\"invalid_request_error\",\"param\":"
          "\"response_format\",\"code\":\"unknown_parameter\"}}",
          AT_AI_INVALID, "status 400 (unknown_parameter): Unknown parameter" },
        { 400, "{\"error\":{\"message\":\"Your request was rejected by the "
          "safety system.\",\"type\":\"image_generation_user_error\","
          "\"param\":null,\"code\":\"moderation_blocked\"}}",
          AT_AI_MODERATED, "status 400 (moderation_blocked" },
        { 400, "{\"error\":{\"code\":\"content_policy_violation\","
          "\"message\":\"no\"}}", AT_AI_MODERATED, "content_policy" },
        { 400, "{\"error\":{\"code\":\"contentFilter\",\"inner_error\":{"
          "\"code\":\"ResponsibleAIPolicyViolation\"}}}",
          AT_AI_MODERATED, "contentFilter" },
        { 400, "{\"code\":\"Client specified an invalid argument\",\"error\""
          ":\"Generated image rejected by content moderation.\"}",
          AT_AI_MODERATED, "status 400: Generated image rejected" },
        { 403, "blocked by our Content Policy", AT_AI_MODERATED, "403" },
        { 400, "{\"error\":{\"code\":\"billing_hard_limit_reached\","
          "\"message\":\"Billing hard limit has been reached\"}}",
          AT_AI_CREDENTIAL, "billing_hard_limit_reached" },
        { 400, "{\"error\":{\"code\":\"invalid_api_key\",\"message\":\"no\"}"
          "}", AT_AI_CREDENTIAL, "invalid_api_key" },
        { 400, "", AT_AI_INVALID, "status 400" },
        { 401, "{\"error\":{\"message\":\"no key\"}}", AT_AI_CREDENTIAL,
          "status 401: no key" },
        { 401, "{\"title\":\"Unauthenticated\",\"detail\":\"You did not pass"
          " an authentication token\",\"status\":401}", AT_AI_CREDENTIAL,
          "status 401: You did not pass" },
        { 402, "", AT_AI_CREDENTIAL, "status 402" },
        { 403, "", AT_AI_CREDENTIAL, "status 403" },
        { 404, "{\"error\":{\"message\":\"Unknown request URL: POST /openai/"
          "v1/images/generations. Please check the URL for typos\",\"type\":"
          "\"invalid_request_error\",\"code\":\"unknown_url\"}}",
          AT_AI_INVALID, "(unknown_url): this address has no images API" },
        { 404, "not here", AT_AI_INVALID, "status 404: not here" },
        { 405, "", AT_AI_INVALID, "takes no POST" },
        { 408, "", AT_AI_TRANSIENT, "status 408" },
        { 413, "", AT_AI_INVALID, "status 413" },
        { 422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\"}"
          "]}", AT_AI_INVALID, "status 422: field required" },
        { 422, "{\"detail\":{\"error\":\"bad size\"}}", AT_AI_INVALID,
          "status 422: bad size" },
        { 429, "", AT_AI_RATE_LIMITED, "status 429" },
        { 429, "{\"error\":\"job queue is full\"}", AT_AI_RATE_LIMITED,
          "status 429: job queue is full" },
        { 429, "{\"error\":{\"message\":\"You exceeded your current quota, "
          "please check your plan and billing details.\",\"type\":"
          "\"insufficient_quota\",\"param\":null,\"code\":"
          "\"insufficient_quota\"}}", AT_AI_CREDENTIAL,
          "status 429 (insufficient_quota" },
        { 429, "{\"error\":{\"type\":\"insufficient_quota\"}}",
          AT_AI_CREDENTIAL, "insufficient_quota" },
        /* A refusal cannot be the reason of a 429. */
        { 429, "{\"error\":{\"code\":\"moderation_blocked\"}}",
          AT_AI_RATE_LIMITED, "429" },
        { 500, "{\"error\":{\"message\":\"The server had an error\",\"type\""
          ":\"server_error\"}}", AT_AI_TRANSIENT,
          "status 500 (server_error): The server had an error" },
        { 502, "<html><body>Bad Gateway</body></html>", AT_AI_TRANSIENT,
          "status 502: an HTML page" },
        { 503, "", AT_AI_TRANSIENT, "status 503" },
        { 503, "{\"error\":\"Model a/b is currently loading\","
          "\"estimated_time\":20.0}", AT_AI_RATE_LIMITED,
          "status 503: Model a/b is currently loading" },
        { 503, "{\"error\":[\"busy\"]}", AT_AI_TRANSIENT, "503: busy" },
        { 504, "", AT_AI_TRANSIENT, "status 504" },
        { 529, "", AT_AI_TRANSIENT, "status 529" },
        { 301, "<html>", AT_AI_INVALID, "redirects are not followed" },
        { 302, "", AT_AI_TRANSIENT, "redirects are not followed" },
        { 307, "", AT_AI_TRANSIENT, "redirects are not followed" },
        { 308, "", AT_AI_INVALID, "redirects are not followed" },
        { 304, "", AT_AI_TRANSIENT, "redirects are not followed" },
        /* The same codes beside a 5xx are its own affair. */
        { 500, "{\"error\":{\"code\":\"moderation_blocked\"}}",
          AT_AI_TRANSIENT, "status 500 (moderation_blocked)" },
        { 499, "{\"error\":{\"code\":\"moderation_blocked\"}}",
          AT_AI_MODERATED, "status 499 (moderation_blocked)" },
        { 500, "{\"error\":\"blocked by our content policy\"}",
          AT_AI_TRANSIENT, "status 500: blocked" },

        /* Errors in a 200. */
        { 200, "{\"error\":{\"message\":\"no\",\"code\":"
          "\"content_policy_violation\"}}", AT_AI_MODERATED,
          "status 200 with an error (content_policy_violation): no" },
        { 200, "{\"error\":\"Image rejected by content moderation.\"}",
          AT_AI_MODERATED, "status 200 with an error: Image rejected" },
        { 200, "{\"error\":{\"code\":\"insufficient_quota\"}}",
          AT_AI_CREDENTIAL, "status 200 with an error (insufficient_quota)" },
        { 200, "{\"error\":{\"type\":\"authentication_error\"}}",
          AT_AI_CREDENTIAL, "with an error (authentication_error)" },
        { 200, "{\"error\":{\"code\":401,\"message\":\"no\"}}",
          AT_AI_CREDENTIAL, "with an error (401): no" },
        { 200, "{\"detail\":\"no\",\"status\":402}", AT_AI_CREDENTIAL,
          "with an error: no" },
        { 200, "{\"error\":{\"code\":\"rate_limit_exceeded\"}}",
          AT_AI_RATE_LIMITED, "with an error (rate_limit_exceeded)" },
        { 200, "{\"error\":{\"code\":\"429\"}}", AT_AI_RATE_LIMITED,
          "with an error (429)" },
        { 200, "{\"status\":429}", AT_AI_RATE_LIMITED,
          "status 200 with an error" },
        { 200, "{\"message\":\"Too many requests, slow down\"}",
          AT_AI_RATE_LIMITED, "with an error: Too many" },
        { 200, "{\"error\":{\"code\":503,\"message\":\"busy\"}}",
          AT_AI_TRANSIENT, "with an error (503): busy" },
        { 200, "{\"error\":{\"code\":400,\"message\":\"bad size\"}}",
          AT_AI_TRANSIENT, "with an error (400): bad size" },
        { 200, "{\"error\":\"bad size\"}", AT_AI_TRANSIENT,
          "with an error: bad size" },
        { 200, "{\"status\":399,\"code\":600}", AT_AI_TRANSIENT,
          "with an error (600)" },
        { 200, "{\"status\":399}", AT_AI_TRANSIENT, "no picture" },

        { 204, "", AT_AI_TRANSIENT, "status 204 carries no whole picture" },
        { 206, "x", AT_AI_TRANSIENT, "status 206 carries no whole picture" },
        { 0, "", AT_AI_TRANSIENT, "status 0" },
        { 999, "", AT_AI_TRANSIENT, "status 999" },
        /* Broken or cut JSON still has its first words. */
        { 401, "{\"error\":{\"message\":\"no key\",", AT_AI_CREDENTIAL,
          "no key" },
        { 500, "{\"error\" oops", AT_AI_TRANSIENT,
          "status 500: a body of 13 bytes without a message" },
        { 400, "{\"request\":{\"api_key\":\"hello\"}}", AT_AI_INVALID,
          "status 400: a body of 31 bytes without a message" },
        { 500, " \xef\xbb\xbf\t", AT_AI_TRANSIENT, "status 500" },
        { 500, "\xef\xbb\xbf [\"hello\"]", AT_AI_TRANSIENT,
          "status 500: a body of 13 bytes without a message" },
        { 500, "\"quoted\"", AT_AI_TRANSIENT, "quoted" },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        r = test_json("openai", t[i].status, t[i].body);
        test_failed(r, t[i].class, t[i].reason);
    }
}


#define H(...)  { __VA_ARGS__, NULL }


static void
test_waits(void **state)
{
    size_t            i, k;
    at_generate_t     g;
    test_answer_t     a;
    test_result_t     r;
    at_ai_provider_t  p;

    static const struct {
        unsigned     status;
        const char  *headers[10];
        const char  *body;
        int64_t      ms;
    } t[] = {
        { 429, { NULL }, "", -1 },
        { 429, H("Retry-After", "7"), "", 7000 },
        { 429, H("retry-after", "7.66"), "", 7660 },
        { 429, H("RETRY-AFTER", "0"), "", 0 },
        { 429, H("Retry-After", "soon"), "", -1 },
        { 429, H("Retry-After", "-5"), "", -1 },
        { 429, H("Retry-After", "99999999999"), "", 86400000 },
        /* TEST_NOW is Mon, 21 Sep 2026 14:13:20 GMT. */
        { 429, H("Retry-After", "Mon, 21 Sep 2026 14:13:50 GMT"), "",
          30000 },
        { 429, H("Retry-After", "Mon, 21 Sep 2026 14:00:00 GMT"), "", 0 },
        { 503, H("Retry-After", "9"), "", 9000 },
        { 429, H("retry-after-ms", "1500"), "", 1500 },
        { 429, H("retry-after-ms", "1500", "retry-after", "1"), "", 1500 },
        { 429, H("retry-after-ms", "1s"), "", -1 },
        { 429, H("retry-after-ms", "1.2"), "", 2 },
        { 429, H("retry-after-ms", "-5"), "", -1 },
        { 429, H("retry-after-ms", "-"), "", -1 },
        { 429, H("retry-after-ms", "."), "", -1 },
        { 429, H("retry-after-ms", "1.2.3"), "", -1 },
        { 429, H("retry-after-ms", "1e3"), "", -1 },
        { 429, H("retry-after-ms", "0x10"), "", -1 },
        { 429, H("retry-after-ms", "inf"), "", -1 },
        { 429, H("retry-after-ms", "-nan"), "", -1 },
        { 429, H("retry-after-ms", "9999999999999999999999999999999"), "",
          86400000 },
        { 429, H("retry-after-ms", "99999999999999999999999999999999"), "",
          -1 },

        { 429, H("x-ratelimit-reset-requests", "1m30s"), "", 90000 },
        { 429, H("x-ratelimit-reset-tokens", "7.66s"), "", 7660 },
        { 429, H("x-ratelimit-reset-images", "120ms",
                 "x-ratelimit-reset-requests", "2s"), "", 2000 },
        /* Which limit it was is said: the others do not count. */
        { 429, H("x-ratelimit-remaining-requests", "14370",
                 "x-ratelimit-reset-requests", "2m59.56s",
                 "x-ratelimit-remaining-tokens", "0",
                 "x-ratelimit-reset-tokens", "7.66s"), "", 7660 },
        /* Nothing better is said. */
        { 429, H("x-ratelimit-remaining-requests", "3",
                 "x-ratelimit-reset-requests", "4s"), "", 4000 },
        { 429, H("x-ratelimit-remaining-requests", "3",
                 "x-ratelimit-reset-requests", "4s", "Retry-After", "1"),
          "", 1000 },
        /* A reset alone counts beside a Retry-After, the later wins. */
        { 429, H("x-ratelimit-reset", "4", "Retry-After", "1"), "", 4000 },
        { 429, H("x-ratelimit-reset", "4", "Retry-After", "9"), "", 9000 },
        { 503, H("x-ratelimit-reset", "4", "Retry-After", "1"), "", 1000 },
        /* Below zero is no number of calls that remain. */
        { 200, H("x-ratelimit-remaining-requests", "-1",
                 "x-ratelimit-reset-requests", "4s"), "{\"data\":[]}", -1 },
        { 429, H("x-ratelimit-remaining-requests", "-1",
                 "x-ratelimit-reset-requests", "4s"), "", 4000 },
        { 500, H("ratelimit-remaining", "0e0", "ratelimit-reset", "5"), "",
          -1 },
        { 500, H("ratelimit-remaining", "0.0", "ratelimit-reset", "5"), "",
          5000 },
        { 500, H("ratelimit-remaining", "nan", "ratelimit-reset", "5"), "",
          -1 },
        { 429, H("ratelimit-reset", "11"), "", 11000 },
        { 429, H("ratelimit-remaining", "0", "ratelimit-reset", "11",
                 "retry-after", "3"), "", 11000 },
        /* A date, in seconds and in milliseconds. */
        { 429, H("x-ratelimit-reset", "1790000012"), "", 12000 },
        { 429, H("x-ratelimit-reset", "1790000012000"), "", 12000 },
        { 429, H("x-ratelimit-reset", "1790000012.5"), "", 12500 },
        { 429, H("x-ratelimit-reset", "1790000012499"), "", 12499 },
        { 429, H("x-ratelimit-reset", "1.79e9"), "", -1 },
        { 429, H("x-ratelimit-reset", "9999999999999999999999999999999"),
          "", 86400000 },
        { 429, H("x-ratelimit-reset", "1780000000"), "", 0 },
        { 500, H("x-ratelimit-reset-requests", "1m30s"), "", -1 },
        { 500, H("ratelimit-remaining", "0", "ratelimit-reset", "5"), "",
          5000 },

        { 429, { NULL }, "{\"detail\":\"Request was throttled. Your rate "
          "limit resets in ~30s.\"}", 30000 },
        { 429, { NULL }, "{\"error\":{\"message\":\"Rate limit reached. "
          "Please try again in 7.66s. Visit\"}}", 7660 },
        { 429, H("Retry-After", "2"), "{\"error\":{\"message\":\"try again "
          "in 7s\"}}", 7000 },
        { 429, H("Retry-After", "20"), "try again in 7s", 20000 },
        { 503, { NULL }, "{\"error\":\"Model a is currently loading\","
          "\"estimated_time\":20.5}", 20500 },
        { 503, { NULL }, "{\"error\":\"Model a is currently loading\","
          "\"estimated_time\":null}", -1 },
        { 503, { NULL }, "{\"error\":\"x\",\"estimated_time\":2.05e1}",
          20500 },
        { 503, { NULL }, "{\"error\":\"x\",\"estimated_time\":2E-3}", 2 },
        { 503, { NULL }, "{\"error\":\"x\",\"estimated_time\":0.0001}",
          1 },
        { 503, { NULL }, "{\"error\":\"x\",\"estimated_time\":1e300}",
          600000 },
        { 503, { NULL }, "{\"error\":\"x\",\"estimated_time\":-5}", -1 },
        { 503, { NULL }, "{\"error\":\"x\",\"estimated_time\":"
          "1.0000000000000000000000000000000001}", -1 },

        /* The prompt is the client's. */
        { 500, { NULL }, "{\"error\":\"no: try again in 7s\"}", -1 },
        { 408, { NULL }, "{\"error\":\"no: try again in 7s\"}", -1 },
        { 503, { NULL }, "{\"error\":\"no: try again in 7s\"}", 7000 },
        { 429, { NULL }, "{\"error\":\"try again in 20 hours\"}", 600000 },
        { 429, H("Retry-After", "7200"), "{\"error\":\"try again in 20 "
          "hours\"}", 7200000 },
        { 429, { NULL }, "{\"error\":\"You've sent 'wait 9m' too often\"}",
          -1 },
        { 429, { NULL }, "{\"error\":\"\\\"a\\\" wait 9m \\\"b\\\" is no "
          "prompt, retry in 8s\"}", 8000 },
        { 429, { NULL }, "{\"error\":\"`wait 9m\"}", -1 },
        { 429, { NULL }, "{\"error\":\"\xe2\x80\x9cwait 9m\xe2\x80\x9d: "
          "it's full, you can't wait 3s\"}", 3000 },

        /* What does not pass has no time to wait. */
        { 401, H("Retry-After", "7"), "", -1 },
        { 400, H("Retry-After", "7"), "try again in 7s", -1 },
        { 429, H("Retry-After", "7"),
          "{\"error\":{\"code\":\"insufficient_quota\"}}", -1 },

        /* A 200 without a picture; its Retry-After has no meaning. */
        { 200, H("Retry-After", "7"), "{\"data\":[]}", -1 },
        { 200, H("x-ratelimit-remaining-images", "0",
                 "x-ratelimit-reset-images", "12s"), "{\"data\":[]}",
          12000 },
        { 200, { NULL }, "{\"error\":\"Model a is currently loading\","
          "\"estimated_time\":20}", 20000 },
        { 200, H("Retry-After", "7"), "{\"error\":\"rate limit\"}", 7000 },
        { 200, { NULL }, "{\"error\":\"rate limit, retry in 8s\"}", 8000 },
        { 200, H("Retry-After", "7"), "{\"error\":\"retry in 8s\"}", -1 },
    };

    (void) state;

    p = test_provider("openai", "");
    g = test_request("sofa");

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        memset(&a, 0, sizeof(test_answer_t));
        a.status = t[i].status;
        a.body = t[i].body;
        a.len = strlen(t[i].body);

        for (k = 0; k < 10; k++) {
            a.headers[k] = t[i].headers[k];
        }

        r = test_run(&p, &g, &a, 1);
        assert_int_equal(r.step, AT_AI_FAILED);

        if (r.retry_ms != t[i].ms) {
            fail_msg("row %zu: %lld ms, not %lld", i,
                     (long long) r.retry_ms, (long long) t[i].ms);
        }
    }
}


/* More limits than there is room for, and names too long, are dropped. */

static void
test_many_limits(void **state)
{
    size_t         i;
    char           name[64];
    at_ai_retry_t  retry;

    (void) state;

    at_ai_retry_reset(&retry);

    for (i = 0; i < 100; i++) {
        (void) snprintf(name, sizeof(name), "X-RateLimit-Reset-%zu", i);
        at_ai_retry_header(&retry, test_str(name), AT_STR("5"), TEST_NOW);
    }

    at_ai_retry_header(&retry,
                       AT_STR("x-ratelimit-reset-a-name-that-is-far-too-long"),
                       AT_STR("50"), TEST_NOW);

    assert_int_equal(retry.nbuckets, AT_AI_BUCKETS_MAX);
    assert_int_equal(at_ai_retry_wait(&retry, 429), 5000);
    assert_int_equal(at_ai_retry_wait(&retry, 200), -1);
}


/* A success that used up the last of a limit says so. */

static void
test_wait_on_success(void **state)
{
    at_buf_t          png;
    at_generate_t     g;
    test_answer_t     a;
    test_result_t     r;
    at_ai_provider_t  p;

    (void) state;

    png = test_png(64, 48, 300);
    p = test_provider("stability", "");
    g = test_request("sofa");
    memset(&a, 0, sizeof(test_answer_t));
    a.status = 200;
    a.body = png.data;
    a.len = png.len;
    a.headers[0] = "ratelimit-remaining";
    a.headers[1] = "0";
    a.headers[2] = "ratelimit-reset";
    a.headers[3] = "6";

    r = test_run(&p, &g, &a, 1);
    test_done(r, 64, 48);
    assert_int_equal(r.retry_ms, 6000);

    a.headers[1] = "1";
    r = test_run(&p, &g, &a, 1);
    test_done(r, 64, 48);
    assert_int_equal(r.retry_ms, -1);

    at_buf_free(&png);
}


static void
test_reason_text(void **state)
{
    size_t  i;
    char    out[160];

    static const struct {
        const char  *in, *out;
    } t[] = {
        { "", "" },
        { "plain", "plain" },
        { "  a\r\n\tb  c  ", "a b c" },
        { "caf\xc3\xa9 \xe2\x82\xb9 \xf0\x9f\x9b\x8b",
          "caf\xc3\xa9 \xe2\x82\xb9 \xf0\x9f\x9b\x8b" },
        { "bad \xff\xc3 \xed\xa0\x80 end", "bad ?? ??? end" },
        { "a\x01" "b\x7f" "c\xc2\x85" "d", "a b c d" },
        { "rtl \xe2\x80\xae x \xe2\x80\xa8 y \xef\xbb\xbfz", "rtl x y z" },

        /* Keys, whole and partly shown. */
        { "Incorrect API key provided: sk-abc12***********wxyz. You can",
          "Incorrect API key provided: ***. You can" },
        { "key sk-proj-AbCdEf12 is bad", "key sk-*** is bad" },
        { "r8_abcdef hf_abcdef gsk_abcdef xai-abcdef",
          "r8_*** hf_*** gsk_*** xai-***" },
        { "Authorization: Bearer abc.def-ghi/jkl=", "Authorization: Bearer "
          "***" },
        { "bearer   x", "bearer ***" },
        { "{\"api_key\":\"hello\",\"token\": \"x y\",\"n\":1}",
          "{\"api_key\":\"***\",\"token\": \"***\",\"n\":1}" },
        { "{\\\"api_key\\\":\\\"he\\\\llo\\\",\\\"n\\\":1}",
          "{\\\"api_key\\\":\\\"***\\\",\\\"n\\\":1}" },
        { "'client_secret' => 'hel\\'lo', 'n'",
          "'client_secret' => '***', 'n'" },
        { "\"x-api-key\": \"hello", "\"x-api-key\": \"***" },
        { "\"x-api-key\": hello, n", "\"x-api-key\": ***, n" },
        { "\"authorization\": \"Token abc\", n",
          "\"authorization\": \"***\", n" },
        { "\"secret\":[\"abc\",\"def\"]", "\"secret\":***" },
        { "Authorization: 0a1b2c3d is wrong", "Authorization: ***" },
        { "Authorization: Token abc is wrong",
          "Authorization: Token *** is wrong" },
        { "Proxy-Authorization: Digest username=a, response=b",
          "Proxy-Authorization: ***" },
        { "Cookie: a=b; c=d", "Cookie: ***" },
        { "API key \"abc\" is wrong", "API key \"***\" is wrong" },
        { "API key provided is 'abc'", "API key provided is '***'" },
        { "token <abc>, token: <abc>", "token <***>, token: <***>" },
        { "password=(abc) x", "password=***" },
        { "secret2 = abc", "secret2 = ***" },
        { "token:", "token:" },
        { "bearer token: abc", "bearer token: ***" },
        /* Names without values. */
        { "missing authorization header", "missing authorization header" },
        { "Your API key is invalid: renew it",
          "Your API key is invalid: renew it" },
        { "field \"token\" \"required\"", "field \"token\" \"required\"" },
        { "the bearer token is missing", "the bearer token is missing" },
        { "monkeys: 5, tokens: 7", "monkeys: 5, tokens: 7" },
        { "api_key=hello, rest", "api_key=***, rest" },
        { "token: hello rest", "token: *** rest" },
        { "token: a{b}c&d) rest", "token: ***) rest" },
        { "Invalid API key: 'hello'", "Invalid API key: '***'" },
        { "was ab****yz here", "was *** here" },
        { "id 0123456789abcdef0123456789abcdef end", "id *** end" },
        { "sk- risk-free task-list ask-me", "sk- risk-free task-list ask-me"
        },
        { "request 8f14e45f-ceea-467f-9b0f-0123456789ab kept",
          "request 8f14e45f-ceea-467f-9b0f-0123456789ab kept" },
        { "Internationalization of everything",
          "Internationalization of everything" },

        /* Signed URLs. */
        { "get https://h.example/a?X-Sig=abc&b=c now? yes",
          "get https://h.example/a?*** now? yes" },
        { "get https://h.example/a#t=abc now# yes",
          "get https://h.example/a#*** now# yes" },
        { "https://user:pw@h.example/a x", "https://***@h.example/a x" },
        { "https:\\/\\/user:pw@h.example\\/a", "https://***@h.example/a" },
        { "//user:p/w@p@h.example/", "//***@h.example/" },
        { "https://user:p?w@h.example/ x", "https://*** x" },
        { "a@h.example // a@h.example", "a@h.example // a@h.example" },

        /* Base64, tokens in parts, and words that are none of it. */
        { "got dGhpcyBpcyBh+HNlY3JldC/4 end", "got *** end" },
        { "got dGhp+yBpc/BhIHNl/3JldA== end", "got *** end" },
        { "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.a-b_c end",
          "got eyJ*** end" },
        { "got eyJhbGciOiJIUzI1NiJ9. eyJzdWIiOiIxIn0. aB3-dE5f end",
          "got eyJ***. eyJ***. *** end" },
        { "Zm9vYmFyMTIzNDU2Nzg5MDEyMzQ1 Njc4OTAxMg==",
          "*** ***" },
        { "sk-abcd.efgh/ijkl+mn, x", "sk-***, x" },
        { "POST /openai/v1/images/generations. Check",
          "POST /openai/v1/images/generations. Check" },
        { "https://h.example/v1/generation/stable-diffusion-v1-6/x",
          "https://h.example/v1/generation/stable-diffusion-v1-6/x" },
        { "stable-diffusion-xl-1024-v1-0, ResponsibleAIPolicyViolation",
          "stable-diffusion-xl-1024-v1-0, ResponsibleAIPolicyViolation" },

        /* What nobody sees does not part a secret. */
        { "sk-ab\xc2\xad" "cd\xd8\x9c" "ef\xe2\x80\x8bgh x", "sk-*** x" },
        { "a\xe2\x81\xa0" "b\xe2\x81\xaf" "c\xe2\x81\xb0",
          "abc\xe2\x81\xb0" },
        { "a\xe2\x81\x9f" "b", "a\xe2\x81\x9f" "b" },
        { "a\xf3\xa0\x80\x81" "b\xf3\xa0\x81\xbf" "c\xf3\xa0\x87\xaf"
          "d\xf3\xa1\x80\x80", "abcd\xf3\xa1\x80\x80" },
        { "a\xe1\xa0\x8e" "b\xef\xbf\xb9" "c", "abc" },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        at_ai_reason(out, sizeof(out), t[i].in);
        assert_string_equal(out, t[i].out);
    }
}


/* A secret cannot hide behind the end of the line. */

static void
test_reason_cut(void **state)
{
    char    in[400], out[160];
    size_t  i;

    (void) state;

    for (i = 100; i < 170; i++) {
        memset(in, 'x', i);
        in[i] = ' ';
        (void) snprintf(in + i + 1, sizeof(in) - i - 1,
                        "sk-SECRETSECRET1 \xe2\x82\xb9\xe2\x82\xb9");

        at_ai_reason(out, sizeof(out), in);
        assert_true(strlen(out) < sizeof(out));
        assert_null(strstr(out, "SEC"));
        assert_true(at_utf8_valid(test_str(out)));
    }
}


/* Any text makes one line of UTF-8, and what is masked stays so. */

static void
test_reason_random(void **state)
{
    char          in[64], out[160], again[160];
    size_t        i, n;
    uint32_t      x;
    const char   *piece;

    static const char  *const pieces[] = {
        "token", "api_key", "Authorization", "bearer ", "Basic", "sk-", "eyJ",
        ":", "=", " ", "\"", "\\\"", "'", "<", "{", "/", "//", "?", "@", ".",
        "a", "B", "7", "*", "\xc3\xa9", "\xf0\x9f\x9b\x8b", "\xc2\xad", "\xff",
        "\n", " is ", " provided", "aB3dE5fG7hI9jK1lM3nO"
    };

    (void) state;

    x = 1;

    for (i = 0; i < 200000; i++) {
        in[0] = '\0';

        for (n = 0; n < sizeof(in) - 24; n += strlen(piece)) {
            x = x * 1664525 + 1013904223;
            piece = pieces[(x >> 16) % (sizeof(pieces) / sizeof(pieces[0]))];
            memcpy(in + n, piece, strlen(piece) + 1);
        }

        at_ai_reason(out, sizeof(out), in);
        assert_true(at_utf8_valid(test_str(out)));
        assert_true(strlen(out) < sizeof(out));

        if (strstr(out, "aB3dE5fG7hI9jK1lM3nO")) {
            fail_msg("%s", in);
        }

        at_ai_reason(again, 16, in);
        assert_true(at_utf8_valid(test_str(again)));
        assert_true(strlen(again) < 16);
        assert_memory_equal(again, out, strlen(again));
    }
}


static void
test_openai_key_quote(void **state)
{
    test_result_t  r;

    (void) state;

    r = test_json("openai", 401, "{\"error\":{\"message\":\"Incorrect API "
                  "key provided: sk-prQ7x********************M3Qe. You can "
                  "find your API key at https://platform.example.\",\"type\""
                  ":\"invalid_request_error\",\"param\":null,\"code\":"
                  "\"invalid_api_key\"}}");
    test_failed(r, AT_AI_CREDENTIAL, "(invalid_api_key): Incorrect API key");
    assert_null(strstr(r.reason, "prQ7x"));
    assert_null(strstr(r.reason, "M3Qe"));
}


/* Past the bound the rest is not read, and does not matter. */

static void
test_error_bound(void **state)
{
    char           *body;
    size_t          i, len;
    at_buf_t        b;
    test_result_t   r;

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));
    (void) at_buf_append_str(&b, AT_STR("{\"error\":{\"message\":\"early\"},"
                                        "\"pad\":\""));
    len = 4 * AT_AI_ERROR_MAX;
    body = malloc(len);
    assert_non_null(body);
    memset(body, 'x', len);
    (void) at_buf_append(&b, body, len);
    free(body);
    (void) at_buf_append_str(&b, AT_STR("\",\"code\":\"moderation_blocked\""
                                        "}"));

    for (i = 1; i < TEST_NPIECES; i++) {
        at_generate_t     g;
        test_answer_t     a;
        at_ai_provider_t  p;

        p = test_provider("openai", "");
        g = test_request("sofa");
        memset(&a, 0, sizeof(test_answer_t));
        a.status = 400;
        a.body = b.data;
        a.len = b.len;

        r = test_run_pieces(&p, &g, &a, 1, test_pieces[i]);
        test_failed(r, AT_AI_INVALID, "status 400: early");
        assert_int_equal(r.stopped, 1);
    }

    at_buf_free(&b);
}


/* JSON that is deep, and a message that is long. */

static void
test_error_hostile(void **state)
{
    char           body[9000];
    test_result_t  r;

    (void) state;

    memset(body, '[', 5000);
    body[5000] = '\0';
    r = test_json("openai", 500, body);
    test_failed(r, AT_AI_TRANSIENT, "status 500: a body of 5000 bytes");

    memset(body, 'm', 8012);
    memcpy(body, "{\"message\":\"", 12);
    memcpy(body + 8012, "\"}", 3);
    r = test_json("openai", 500, body);
    test_failed(r, AT_AI_TRANSIENT, "status 500: mmmm");

    r = test_json("openai", 500, "{\"message\":\"a\\u0000b\"}");
    test_failed(r, AT_AI_TRANSIENT, "status 500: a b");
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_many_limits),
        cmocka_unit_test(test_wait_on_success),
        cmocka_unit_test(test_reason_text),
        cmocka_unit_test(test_reason_cut),
        cmocka_unit_test(test_reason_random),
        cmocka_unit_test(test_openai_key_quote),
        cmocka_unit_test(test_error_bound),
        cmocka_unit_test(test_error_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
