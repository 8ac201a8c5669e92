/*
 * Answers in format "openai": pictures in every place they come in, and
 * everything that is a 200 and no picture.
 */

#include "test_ai.h"


/* JSON with the base64 of a small PNG between before and after. */

static test_result_t
with_png(const char *before, const char *after)
{
    at_buf_t       png, body;
    test_result_t  r;

    png = test_png(64, 48, 3000);
    body = test_wrap(before, png.data, png.len, after);
    r = test_one("openai", 200, "application/json", body.data, body.len);

    if (r.step == AT_AI_DONE) {
        assert_int_equal(r.picture, png.len);
    }

    at_buf_free(&body);
    at_buf_free(&png);

    return r;
}


static void
test_base64_shapes(void **state)
{
    size_t         i;
    test_result_t  r;

    static const struct {
        const char  *before, *after;
    } t[] = {
        /* OpenAI */
        { "{\"created\":1,\"data\":[{\"b64_json\":\"",
          "\",\"revised_prompt\":\"x\"}],\"usage\":{\"total_tokens\":5}}" },
        { " {\"data\" : [ {\"revised_prompt\":null,\"b64_json\":\"",
          "\"} ] }\r\n" },
        /* data URLs in either place */
        { "{\"data\":[{\"b64_json\":\"data:image/png;base64,", "\"}]}" },
        { "{\"data\":[{\"url\":\"data:image/png;base64,", "\"}]}" },
        { "{\"data\":[{\"url\":\"DATA:;Base64,", "\"}]}" },
        /* both members, one empty */
        { "{\"data\":[{\"url\":null,\"b64_json\":\"", "\"}]}" },
        { "{\"data\":[{\"url\":\"\",\"b64_json\":\"", "\"}]}" },
        /* bytes at hand are better than another call */
        { "{\"data\":[{\"url\":\"https://x.example/a.png\",\"b64_json\":\"",
          "\"}]}" },
        { "{\"data\":[{\"b64_json\":\"",
          "\",\"url\":\"https://x.example/a.png\"}]}" },
        /* xAI */
        { "{\"data\":[{\"b64_json\":\"", "\",\"respect_moderation\":true}],"
          "\"usage\":{\"cost_in_usd_ticks\":7}}" },
        /* only the first picture */
        { "{\"data\":[{\"b64_json\":\"", "\"},{\"b64_json\":\"!!!\"}]}" },
        /* a member named as an error is no error beside a picture */
        { "{\"error\":null,\"message\":\"ok\",\"data\":[{\"b64_json\":\"",
          "\"}]}" },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        r = with_png(t[i].before, t[i].after);
        test_done(r, 64, 48);
        assert_int_equal(r.image.type, AT_IMAGE_PNG);
        assert_int_equal(r.has_seed, 0);
        assert_int_equal(r.retry_ms, -1);
    }
}


/* "\/" and line ends are how some encoders write base64. */

static void
test_base64_escapes(void **state)
{
    size_t         i;
    at_buf_t       png, plain, body;
    test_result_t  r;

    (void) state;

    png = test_png(64, 48, 3000);
    plain = test_wrap("", png.data, png.len, "");
    memset(&body, 0, sizeof(at_buf_t));

    (void) at_buf_append_str(&body, AT_STR("{\"data\":[{\"b64_json\":\""));

    for (i = 0; i < plain.len; i++) {
        if (plain.data[i] == '/') {
            (void) at_buf_append_str(&body, AT_STR("\\/"));

        } else if (plain.data[i] == 'A') {
            (void) at_buf_append_str(&body, AT_STR("\\u0041"));

        } else {
            (void) at_buf_append(&body, &plain.data[i], 1);
        }

        if (i % 76 == 75) {
            (void) at_buf_append_str(&body, AT_STR("\\r\\n"));
        }
    }

    (void) at_buf_append_str(&body, AT_STR("\"}]}"));

    r = test_one("openai", 200, "application/json", body.data, body.len);
    test_done(r, 64, 48);
    assert_int_equal(r.picture, png.len);

    at_buf_free(&body);
    at_buf_free(&plain);
    at_buf_free(&png);
}


static void
test_labels(void **state)
{
    at_buf_t       png, body;
    test_result_t  r;

    (void) state;

    png = test_png(64, 48, 300);
    body = test_wrap("{\"data\":[{\"b64_json\":\"", png.data, png.len,
                     "\"}]}");

    r = test_one("openai", 200, NULL, body.data, body.len);
    test_done(r, 64, 48);
    r = test_one("openai", 200, "text/plain; charset=utf-8", body.data,
                 body.len);
    test_done(r, 64, 48);
    r = test_one("openai", 201, "Application/JSON", body.data, body.len);
    test_done(r, 64, 48);

    /* A server that answers with the bytes themselves. */

    r = test_one("openai", 200, "image/png", png.data, png.len);
    test_done(r, 64, 48);
    r = test_one("openai", 200, NULL, png.data, png.len);
    test_done(r, 64, 48);

    at_buf_free(&body);
    at_buf_free(&png);
}


static void
test_moderated(void **state)
{
    test_result_t  r;

    (void) state;

    r = with_png("{\"data\":[{\"respect_moderation\":false,\"b64_json\":\"",
                 "\"}]}");
    test_failed(r, AT_AI_MODERATED, "respect_moderation");

    r = with_png("{\"data\":[{\"b64_json\":\"",
                 "\",\"respect_moderation\":false}]}");
    test_failed(r, AT_AI_MODERATED, "respect_moderation");
    assert_int_equal(r.stopped, 1);

    r = with_png("{\"data\":[{\"b64_json\":\"",
                 "\"}],\"respect_moderation\":false}");
    test_failed(r, AT_AI_MODERATED, "respect_moderation");

    r = test_json("openai", 200,
                  "{\"data\":[{\"url\":\"\",\"respect_moderation\":false}]}");
    test_failed(r, AT_AI_MODERATED, "respect_moderation");

    r = test_json("openai", 200, "{\"error\":{\"message\":\"no\","
                  "\"code\":\"moderation_blocked\"}}");
    test_failed(r, AT_AI_MODERATED, "moderation_blocked");
}


static void
test_no_picture(void **state)
{
    size_t         i;
    test_result_t  r;

    static const struct {
        const char  *body, *reason;
    } t[] = {
        { "{\"data\":[]}", "no picture in the answer" },
        { "{\"created\":1}", "no picture in the answer" },
        { "{}", "no picture in the answer" },
        { "[]", "no picture in the answer" },
        { "{\"data\":null}", "no picture in the answer" },
        { "{\"data\":[{}]}", "no picture in the answer" },
        { "{\"data\":[{\"b64_json\":null}]}", "no picture in the answer" },
        { "{\"data\":[{\"b64_json\":\"\"}]}", "no picture in the answer" },
        { "{\"data\":[{\"b64_json\":\"\",\"url\":\"\"}]}",
          "no picture in the answer" },
        { "{\"data\":[{\"b64_json\":42}]}", "no picture in the answer" },
        { "{\"data\":{\"b64_json\":\"aGVsbG8gd29ybGQh\"}}",
          "no picture in the answer" },
        { "{\"data\":[{\"b64_json\":\"aGVsbG8gd29ybGQh\"}]}", "refused" },
        { "{\"data\":[{\"b64_json\":\"aGk=\"}]}", "refused" },
        { "{\"data\":[{\"b64_json\":\"not base64!\"}]}", "broken" },
        { "{\"data\":[{\"b64_json\":\"!\"}]}", "broken" },
        { "{\"data\":[{\"b64_json\":\"aGVsbG8gd29ybGQhA\"}]}", "base64" },
        { "{\"data\":[{\"b64_json\":\"aGVs\\u0000bG8gd29ybGQh\"}]}",
          "broken" },
        { "{\"data\":[{\"url\":\"ftp://x.example/a\"}]}", "neither" },
        { "{\"data\":[{\"url\":\"file:///etc/passwd\"}]}", "neither" },
        { "{\"data\":[{\"url\":\"data:image/png,abc\"}]}", "not base64" },
        { "{\"data\":[{\"url\":\"data:image/png;base64\"}]}", "no data" },
        { "{\"data\":[{\"url\":\"https:\"}]}", "not a plain" },
        { "{\"data\":[{\"url\":\"https://u:p@x.example/\"}]}",
          "not a plain" },
        { "{\"error\":{\"message\":\"it broke\",\"code\":\"oops\"}}",
          "with an error (oops): it broke" },
        { "{\"error\":\"it broke\"}", "it broke" },
        { "{\"data\":[{\"b64_json\":\"aGVs", "not whole" },
        { "{\"data\":[", "not whole" },
        { "{", "not whole" },
        { "{\"data\":[{]", "not JSON" },
        { "{\"data\":[]} tail", "JSON" },
        { "<html>busy</html>", "instead of a picture" },
        { "Service unavailable", "instead of a picture" },
        { "null", "instead of a picture" },
        { "", "empty answer" },
        { " \r\n\t ", "empty answer" },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        r = test_json("openai", 200, t[i].body);
        test_failed(r, AT_AI_TRANSIENT, t[i].reason);
        assert_int_equal(r.retry_ms, -1);
    }

    r = test_one("openai", 200, "text/html", "<html>", 6);
    test_failed(r, AT_AI_TRANSIENT, "text/html");
}


static void
test_cut_picture(void **state)
{
    at_buf_t       png, body;
    test_result_t  r;

    (void) state;

    /* The JSON is whole, the file in it is not. */

    png = test_png(64, 48, 3000);
    body = test_wrap("{\"data\":[{\"b64_json\":\"", png.data, png.len - 300,
                     "\"}]}");
    r = test_one("openai", 200, "application/json", body.data, body.len);
    test_failed(r, AT_AI_TRANSIENT, "refused");
    at_buf_free(&body);
    at_buf_free(&png);

    png = test_png(8, 8, 30);
    body = test_wrap("{\"data\":[{\"b64_json\":\"", png.data, png.len,
                     "\"}]}");
    r = test_one("openai", 200, "application/json", body.data, body.len);
    test_failed(r, AT_AI_TRANSIENT, "too small");
    at_buf_free(&body);
    at_buf_free(&png);
}


static void
test_depth(void **state)
{
    char           body[512];
    test_result_t  r;

    (void) state;

    memset(body, '[', 200);
    body[200] = '\0';
    r = test_json("openai", 200, body);
    test_failed(r, AT_AI_TRANSIENT, "not JSON that can be read");
}


#define JSON_URL(u)  "{\"data\":[{\"url\":\"" u "\"}]}"


static test_result_t
fetch(const char *json, const test_answer_t *result, size_t n)
{
    at_generate_t     g;
    test_answer_t     a[2];
    at_ai_provider_t  p;

    static const at_str_t  hosts[] = {
        { 21, "https://files.example" },
    };

    p = test_provider("openai", "");
    p.result_hosts = hosts;
    p.nresult_hosts = 1;
    g = test_request("sofa");

    memset(a, 0, sizeof(a));
    a[0].status = 200;
    a[0].body = json;
    a[0].len = strlen(json);

    if (n) {
        a[1] = *result;
    }

    return test_run(&p, &g, a, 1 + n);
}


static void
test_url(void **state)
{
    at_buf_t       png;
    test_answer_t  a;
    test_result_t  r;

    (void) state;

    png = test_png(64, 48, 3000);
    memset(&a, 0, sizeof(test_answer_t));
    a.status = 200;
    a.body = png.data;
    a.len = png.len;

    r = fetch(JSON_URL("https:\\/\\/files.example\\/a.png?sig=1#top"), &a, 1);
    test_done(r, 64, 48);
    assert_string_equal(r.url, "https://files.example/a.png?sig=1");

    a.headers[0] = "Content-Type";
    a.headers[1] = "image/png";
    r = fetch(JSON_URL("https://files.example/a.png"), &a, 1);
    test_done(r, 64, 48);

    a.headers[1] = "application/octet-stream";
    r = fetch(JSON_URL("https://files.example/a.png"), &a, 1);
    test_done(r, 64, 48);

    /* The first of two. */

    r = fetch("{\"data\":[{\"url\":\"https://files.example/1\"},"
              "{\"url\":\"https://files.example/2\"}]}", &a, 1);
    test_done(r, 64, 48);
    assert_string_equal(r.url, "https://files.example/1");

    at_buf_free(&png);
}


static void
test_url_refused(void **state)
{
    test_result_t  r;

    (void) state;

    r = fetch(JSON_URL("https://other.example/a?sig=s3cr3t"), NULL, 0);
    test_failed(r, AT_AI_TRANSIENT, "other.example");
    assert_null(strstr(r.reason, "s3cr3t"));

    r = fetch(JSON_URL("http://files.example/a"), NULL, 0);
    test_failed(r, AT_AI_TRANSIENT, "http://files.example:80");

    r = fetch(JSON_URL("https://files.example@evil.example/a"), NULL, 0);
    test_failed(r, AT_AI_TRANSIENT, "not a plain");

    r = fetch(JSON_URL("https://files.example/a\\r\\nX-A: b"), NULL, 0);
    test_failed(r, AT_AI_TRANSIENT, "not a plain");
}


static void
test_url_too_long(void **state)
{
    size_t         i;
    char           url[AT_AI_URL_MAX + 2], body[AT_AI_URL_MAX + 64];
    test_result_t  r;

    (void) state;

    for (i = 0; i < 2; i++) {
        memset(url, 'a', sizeof(url));
        memcpy(url, "https://files.example/", 22);
        url[AT_AI_URL_MAX + i] = '\0';

        (void) snprintf(body, sizeof(body), JSON_URL("%s"), url);
        r = fetch(body, NULL, 0);

        if (i == 0) {
            assert_int_equal(r.step, AT_AI_NEXT);
            assert_int_equal(strlen(r.url), AT_AI_URL_MAX);

        } else {
            test_failed(r, AT_AI_TRANSIENT, "longer than 4096");
        }
    }
}


static void
test_url_answers(void **state)
{
    size_t         i;
    test_answer_t  a;
    test_result_t  r;

    static const struct {
        unsigned     status;
        const char  *type, *body, *reason;
    } t[] = {
        /* An old URL says nothing about the key. */
        { 403, "application/xml", "<Error/>", "status 403 from the result" },
        { 401, NULL, "", "status 401 from the result host files.example" },
        { 404, NULL, "", "status 404 from the result host files.example" },
        { 302, NULL, "", "status 302 from the result host files.example" },
        { 429, NULL, "", "status 429 from the result host files.example" },
        { 500, NULL, "", "status 500 from the result host files.example" },
        { 201, "image/png", "x", "status 201 from the result host" },
        { 206, "image/png", "x", "status 206 from the result host" },
        { 200, "image/png", "", "empty" },
        { 200, "image/png", "{\"data\":[{\"b64_json\":\"aaaa\"}]}",
          "refused" },
        { 200, "text/html", "<html>", "text/html" },
        { 200, "application/json", "{}", "application/json" },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        memset(&a, 0, sizeof(test_answer_t));
        a.status = t[i].status;
        a.body = t[i].body;
        a.len = strlen(t[i].body);
        a.headers[0] = "Retry-After";
        a.headers[1] = "77";

        if (t[i].type) {
            a.headers[2] = "Content-Type";
            a.headers[3] = t[i].type;
        }

        r = fetch(JSON_URL("https://files.example/a?sig=s3cr3t"), &a, 1);
        test_failed(r, AT_AI_TRANSIENT, t[i].reason);
        assert_null(strstr(r.reason, "s3cr3t"));
        assert_int_equal(r.retry_ms, -1);
    }
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_base64_shapes),
        cmocka_unit_test(test_base64_escapes),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_moderated),
        cmocka_unit_test(test_no_picture),
        cmocka_unit_test(test_cut_picture),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_url),
        cmocka_unit_test(test_url_refused),
        cmocka_unit_test(test_url_too_long),
        cmocka_unit_test(test_url_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
