/*
 * Result URLs: which may be followed, what goes on the wire of them, and what
 * an operator may list.
 */

#include "test_ai.h"


static void
test_urls(void **state)
{
    size_t  i;

    static const at_str_t  hosts[] = {
        { 21, "https://files.example" },
        { 27, "https://*.pictures.example/" },
        { 21, "http://127.0.0.1:9000" },
        { 17, "http://[::1]:9000" },
        { 9, "not a url" },
    };

    static const struct {
        const char  *url;
        int          allowed;
    } t[] = {
        { "https://files.example/a.png?x=1", 1 },
        { "https://files.example", 1 },
        { "https://files.example?x", 1 },
        { "https://files.example#x", 1 },
        { "HTTPS://FILES.Example/a", 1 },
        { "https://files.example:443/a", 1 },
        { "https://a.pictures.example/", 1 },
        { "https://a.b.pictures.example/", 1 },
        { "http://127.0.0.1:9000/x", 1 },
        { "http://[::1]:9000/x", 1 },

        { "", 0 },
        { "https://", 0 },
        { "https:///a", 0 },
        { "//files.example/a", 0 },
        { "/a", 0 },
        { "ftp://files.example/a", 0 },
        { "https:/files.example/a", 0 },
        { "http://files.example/a", 0 },
        { "http://files.example:443/a", 0 },
        { "https://files.example:444/a", 0 },
        { "https://files.example:0/a", 0 },
        { "https://files.example:/a", 0 },
        { "https://files.example:65979/a", 0 },
        { "https://files.example:4294967739/a", 0 },
        { "https://files.example:443:443/a", 0 },
        { "https://files.example.evil.example/", 0 },
        { "https://evilfiles.example/", 0 },
        { "https://files.example./", 0 },
        { "https://.files.example/", 0 },
        { "https://user@files.example/", 0 },
        { "https://files.example@evil.example/", 0 },
        { "https://files.example:pw@evil.example/", 0 },
        { "https://evil.example/@files.example", 0 },
        { "https://evil.example?https://files.example/", 0 },
        { "https://evil.example#@files.example/", 0 },
        { "https://evil.example\\@files.example/", 0 },
        { "https://files.example\\@evil.example/", 0 },
        { "https://files.example/\\evil", 0 },
        { "https://files.example/a b", 0 },
        { "https://files.example/a\r\nX: y", 0 },
        { "https://files.example/\xc3\xa9", 0 },
        { "https://files%2eexample/", 0 },
        { "https://pictures.example/", 0 },
        { "https://.pictures.example/", 0 },
        { "https://a..pictures.example/", 0 },
        { "https://*.pictures.example/", 0 },
        { "https://evilpictures.example/", 0 },
        { "http://127.0.0.1/x", 0 },
        { "http://127.0.0.1:9001/x", 0 },
        { "http://[::1]/x", 0 },
        { "http://[::1:9000/x", 0 },
        { "http://[::1]9000/x", 0 },
        { "http://[::1%25eth0]:9000/x", 0 },
        { "not a url", 0 },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        if (at_ai_url_allowed(test_str(t[i].url), hosts, 5)
            != t[i].allowed)
        {
            fail_msg("%s: not %d", t[i].url, t[i].allowed);
        }

        assert_int_equal(at_ai_url_allowed(test_str(t[i].url), NULL, 0), 0);
    }

    /* A NUL does not end it. */

    assert_int_equal(at_ai_url_allowed((at_str_t) { 31,
                         "https://files.example\0.evil.example" }, hosts, 5),
                     0);
}


static void
test_origins(void **state)
{
    size_t  i;
    char    longest[AT_AI_URL_MAX + 16];

    static const struct {
        const char  *origin;
        int          valid;
    } t[] = {
        { "https://files.example", 1 },
        { "http://files.example", 1 },
        { "HTTPS://Files.Example:8443", 1 },
        { "https://*.files.example", 1 },
        { "https://*.example:443", 1 },
        { "http://localhost", 1 },
        { "http://127.0.0.1:65535", 1 },
        { "http://[::1]:9000", 1 },
        { "http://[2001:db8::1]", 1 },

        { "", 0 },
        { "files.example", 0 },
        { "*.files.example", 0 },
        { "//files.example", 0 },
        { "ftp://files.example", 0 },
        { "https:files.example", 0 },
        { "https://", 0 },
        { "https://:443", 0 },
        { "https://*", 0 },
        { "https://*.", 0 },
        { "https://*:443", 0 },
        { "https://**.files.example", 0 },
        { "https://*files.example", 0 },
        { "https://a.*.files.example", 0 },
        { "https://*.*.files.example", 0 },
        { "https://*..files.example", 0 },
        { "https://*.[::1]", 0 },
        { "https://.files.example", 0 },
        { "https://files.example.", 0 },
        { "https://files.example/", 0 },
        { "https://files.example/a", 0 },
        { "https://files.example?a", 0 },
        { "https://files.example#a", 0 },
        { "https://files.example:443/", 0 },
        { "https://user@files.example", 0 },
        { "https://user:pw@files.example", 0 },
        { "https://files.example:", 0 },
        { "https://files.example:0", 0 },
        { "https://files.example:65536", 0 },
        { "https://files.example:000443", 0 },
        { "https://files.example:+443", 0 },
        { "https://files.example:http", 0 },
        { "https://files.example:443:443", 0 },
        { "https://files .example", 0 },
        { "https://files.example\n", 0 },
        { "https://files%2eexample", 0 },
        { "https://f\xc3\xadles.example", 0 },
        { "http://::1", 0 },
        { "http://[::1", 0 },
        { "http://[]", 0 },
        { "http://[::1%25eth0]", 0 },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        if (at_ai_origin_valid(test_str(t[i].origin)) != t[i].valid) {
            fail_msg("%s: not %d", t[i].origin, t[i].valid);
        }
    }

    assert_int_equal(at_ai_origin_valid((at_str_t) { 23,
                         "https://files.example\0a" }), 0);

    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "https://", 8);
    assert_int_equal(at_ai_origin_valid((at_str_t) { 8 + 253, longest }), 1);
    assert_int_equal(at_ai_origin_valid((at_str_t) { 8 + 254, longest }), 0);
    assert_int_equal(at_ai_origin_valid((at_str_t) { sizeof(longest),
                                                     longest }), 0);
}


/* What goes on the wire of a result URL. */

static void
test_result_urls(void **state)
{
    size_t             i;
    char               body[128];
    at_generate_t      g;
    test_answer_t      a;
    test_result_t      r;
    at_ai_provider_t   p;

    static const at_str_t  hosts[] = {
        { 12, "http://a.com" }, { 17, "http://[::1]:9000" }
    };

    static const struct {
        const char  *url, *sent;
    } t[] = {
        { "http://a.com", "http://a.com/" },
        { "http://a.com#x", "http://a.com/" },
        { "http://a.com?x=1", "http://a.com/?x=1" },
        { "http://a.com?x#/y", "http://a.com/?x" },
        { "http://a.com:80", "http://a.com:80/" },
        { "HTTP://A.com?/", "HTTP://A.com/?/" },
        { "http://[::1]:9000?x", "http://[::1]:9000/?x" },
        { "http://a.com/", "http://a.com/" },
        { "http://a.com/#", "http://a.com/" },
        { "http://a.com/b?c#d", "http://a.com/b?c" },
        { "http://a.com//b", "http://a.com//b" },
    };

    (void) state;

    p = test_provider("openai", "");
    p.result_hosts = hosts;
    p.nresult_hosts = 2;
    g = test_request("sofa");

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        (void) snprintf(body, sizeof(body), "{\"data\":[{\"url\":\"%s\"}]}",
                        t[i].url);
        memset(&a, 0, sizeof(test_answer_t));
        a.status = 200;
        a.body = body;
        a.len = strlen(body);

        r = test_run(&p, &g, &a, 1);
        assert_int_equal(r.step, AT_AI_NEXT);
        assert_string_equal(r.url, t[i].sent);
    }
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_result_urls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
