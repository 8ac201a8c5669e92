/*
 * Text and URLs of strangers, as they come out of a source's answer.
 */

#include "test_feed.h"
#include "at_text.h"


static void
test_body(char *body, size_t size, const char *field, const char *value)
{
    (void) snprintf(body, size, "{\"photos\":[{\"id\":1,\"%s\":\"%s\","
                    "\"src\":{\"large\":\"https://a.b/c\"}}]}", field,
                    value);
}


static void
test_titles(void **state)
{
    size_t              i;
    char                body[4096];
    test_feed_t         t;
    test_feed_in_t      in = { .source = "pexels", .body = body };
    static const char  *rows[][2] = {
        { "  a \\t\\r\\n\\u0000\\u00a0\\u3000 b  ", "a b" },
        { "\\u2028a\\u202eb\\u200bc\\ufeff", "abc" },
        { "5 < 6 <b>7</b>", "5 < 6 <b>7</b>" },
        { "R&amp;B &amp;amp; &lt;i&gt; &#39;x&#x27; &nbsp;y",
          "R&B &amp; <i> 'x' y" },
        { "&", "&" },
        { "&;&#;&#x;&#xzz;&#99999999999;&toolongforaname;",
          "&;&#;&#x;&#xzz;&#99999999999;&toolongforaname;" },
        { "&#8203;&#10;", "" },
        { "a\xFF" "b\xC3", "ab" },
        { "\\ud83d\\udecb \\ud83d", "\xF0\x9F\x9B\x8B" },
        { "\xD8\xA3\xD8\xB1\xD9\x8A\xD9\x83\xD8\xA9",
          "\xD8\xA3\xD8\xB1\xD9\x8A\xD9\x83\xD8\xA9" }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        test_body(body, sizeof(body), "alt", rows[i][0]);
        test_feed_run(&t, &in);
        test_feed_is(&t, 0, title, rows[i][1]);
        test_feed_free(&t);
    }
}


/* Long ones are cut at a character. */

static void
test_long(void **state)
{
    char            body[65536], text[32768];
    size_t          i;
    test_feed_t     t;
    test_feed_in_t  in = { .source = "pexels", .body = body };

    (void) state;

    for (i = 0; i < 10000; i++) {
        memcpy(text + 3 * i, "\xE2\x82\xAC", 4);
    }

    test_body(body, sizeof(body), "alt", text);
    test_feed_run(&t, &in);
    assert_int_equal(t.answer->designs[0].title.len, 3 * AT_FEED_TITLE_MAX);
    assert_true(at_utf8_valid(t.answer->designs[0].title));
    test_feed_free(&t);

    memset(text, 'a', 300);
    text[199] = ' ';
    text[300] = '\0';
    test_body(body, sizeof(body), "alt", text);
    test_feed_run(&t, &in);
    assert_int_equal(t.answer->designs[0].title.len, 199);
    test_feed_free(&t);
}


/* What Pexels calls the photographer's page; empty: it is no URL. */

static void
test_urls(void **state)
{
    size_t              i;
    char                body[8192];
    test_feed_t         t;
    test_feed_in_t      in = { .source = "pexels", .body = body };
    static const char  *rows[][2] = {
        { "https://a.b", "https://a.b" },
        { "HTTP://A.b:8080/c?d#e", "HTTP://A.b:8080/c?d#e" },
        { " https://a.b/c ", "https://a.b/c" },
        { "//a.b/c", "https://a.b/c" },
        { "http://127.0.0.1:81/c", "http://127.0.0.1:81/c" },
        { "https://a.b/\xC3\xA9 \\\"<>'{}|^`",
          "https://a.b/%C3%A9%20%22%3C%3E%27%7B%7D%7C%5E%60" },
        { "https://a.b/%41%zz%", "https://a.b/%41%25zz%25" },
        { "https://a.b/\\u0000", "" },
        { "https://a.b/\\n", "" },
        { "https://a.b\\\\c", "" },
        { "https://a.b/\\\\c", "" },
        { "https://a.b/\\\\c", "" },
        { "https://a.b/\\u007f", "" },
        { "https://user@a.b/", "" },
        { "https://a.b:x/", "" },
        { "https://a.b:123456/", "" },
        { "https://a..b/", "" },
        { "https://.a/", "" },
        { "https://a./", "" },
        { "https://localhost/", "" },
        { "https://[::1]/", "" },
        { "https://a%2eb/", "" },
        { "https:///a.b", "" },
        { "https://", "" },
        { "https:a.b", "" },
        { "/a.b", "" },
        { "//", "" },
        { "javascript:alert(1)//https://a.b", "" },
        { "data:image/png;base64,AAAA", "" },
        { "ftp://a.b/c", "" },
        { "https//a.b", "" }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        test_body(body, sizeof(body), "photographer_url", rows[i][0]);
        test_feed_run(&t, &in);
        assert_int_equal(t.outcome, AT_FEED_OK);
        test_feed_is(&t, 0, author_url, rows[i][1]);
        test_feed_free(&t);
    }
}


static void
test_url_bound(void **state)
{
    char            body[8192], url[4096];
    size_t          len;
    test_feed_t     t;
    test_feed_in_t  in = { .source = "pexels", .body = body };

    (void) state;

    for (len = AT_FEED_URL_MAX - 8; len < AT_FEED_URL_MAX + 9; len++) {
        memset(url, 'a', len);
        memcpy(url, "https://a.b/", 12);
        url[len] = '\0';
        test_body(body, sizeof(body), "photographer_url", url);
        test_feed_run(&t, &in);
        assert_int_equal(t.answer->designs[0].author_url.len,
                         len > AT_FEED_URL_MAX ? 0 : len);
        test_feed_free(&t);

        /* One byte that becomes three, near the end. */

        url[len - 2] = '{';
        url[len - 1] = 'x';
        test_body(body, sizeof(body), "photographer_url", url);
        test_feed_run(&t, &in);
        assert_int_equal(t.answer->designs[0].author_url.len,
                         len + 2 > AT_FEED_URL_MAX ? 0 : len + 2);
        test_feed_free(&t);
    }

    memset(url, 'a', sizeof(url) - 1);
    memcpy(url, "https://a.b/", 12);
    url[sizeof(url) - 1] = '\0';
    test_body(body, sizeof(body), "photographer_url", url);
    test_feed_run(&t, &in);
    assert_int_equal(t.answer->designs[0].author_url.len, 0);
    test_feed_free(&t);
}


/* The same picture, however it is scaled, counted or reached. */

static void
test_canonical(void **state)
{
    size_t              i;
    char                body[2048];
    test_feed_t         t;
    test_feed_in_t      in = { .source = "pexels", .body = body };
    static const char  *rows[][2] = {
        { "https://A.b/C.jpg", "url:a.b/C.jpg" },
        { "http://a.b/C.jpg", "url:a.b/C.jpg" },
        { "https://www.a.b/C.jpg", "url:a.b/C.jpg" },
        { "https://a.b/C.jpg?w=3&h=4&auto=compress", "url:a.b/C.jpg" },
        { "https://a.b/C.jpg?ixid=x&utm_source=y#z", "url:a.b/C.jpg" },
        { "https://a.b/C?id=5&w=3&max=4", "url:a.b/C?id=5&max=4" },
        { "https://a.b/C?", "url:a.b/C" },
        { "https://a.b/C?&&", "url:a.b/C" },
        { "https://a.b/C?d", "url:a.b/C?d" },
        { "https://a.b:443/C", "url:a.b/C" }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        (void) snprintf(body, sizeof(body), "{\"photos\":[{\"id\":1,"
                        "\"src\":{\"original\":\"%s\"}}]}", rows[i][0]);
        test_feed_run(&t, &in);
        at_test_true(test_feed_joined(&t.answer->designs[0], rows[i][1]),
                     "%s: %.*s", rows[i][0],
                     (int) t.answer->designs[0].joins[1].len,
                     t.answer->designs[0].joins[1].data);
        test_feed_free(&t);
    }

    /* A long one is hashed, so keys are bounded, and still differ. */

    (void) snprintf(body, sizeof(body), "{\"photos\":["
        "{\"id\":1,\"src\":{\"original\":\"https://a.b/%0200u\"}},"
        "{\"id\":2,\"src\":{\"original\":\"https://a.b/%0200u\"}}]}", 1u, 2u);
    test_feed_run(&t, &in);
    assert_int_equal(t.answer->ndesigns, 2);
    assert_int_equal(t.answer->designs[0].joins[1].len, 6 + 32);
    assert_memory_equal(t.answer->designs[0].joins[1].data, "h:url:", 6);
    assert_false(at_str_eq(t.answer->designs[0].joins[1],
                           t.answer->designs[1].joins[1]));
    test_feed_free(&t);
}


static void
test_blurhash(void **state)
{
    size_t              i;
    char                body[1024];
    test_feed_t         t;
    test_feed_in_t      in = { .source = "unsplash", .body = body };
    static const char  *rows[][2] = {
        { "LEHV6nWB2yk8pyo0adR*.7kCMdnj", "LEHV6nWB2yk8pyo0adR*.7kCMdnj" },
        { "LEHV6n#$%*+,-.:;=?@[]^_{|}~", "LEHV6n#$%*+,-.:;=?@[]^_{|}~" },
        { "LEHV6", "" },
        { "LEHV6n WB2yk8", "" },
        { "LEHV6n<script>", "" },
        { "LEHV6n\xC3\xA9", "" },
        { "LEHV6n\\u0000", "" }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        (void) snprintf(body, sizeof(body), "{\"results\":[{\"id\":\"a\","
                        "\"blur_hash\":\"%s\",\"urls\":{\"full\":"
                        "\"https://a.b/c\"}}]}", rows[i][0]);
        test_feed_run(&t, &in);
        test_feed_is(&t, 0, blurhash, rows[i][1]);
        test_feed_free(&t);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_titles),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_url_bound),
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_blurhash)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
