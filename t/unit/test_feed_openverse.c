/*
 * Openverse: licences in two parts, sizes that are not there, and copies of
 * what other sources have.
 */

#include "test_feed.h"


#define TEST_ID  "6d5b5f64-7e86-4c5c-9e38-a9e2e8f2b6f5"

#define TEST_ITEM(url, landing, rest)                                        \
    "{\"id\":\"" TEST_ID "\",\"title\":\"Living room\",\"url\":\"" url "\"," \
    "\"foreign_landing_url\":\"" landing "\",\"creator\":\"Ann\","           \
    "\"creator_url\":\"https://www.flickr.com/photos/ann\","                 \
    "\"license\":\"by-sa\",\"license_version\":\"2.0\","                     \
    "\"license_url\":\"https://creativecommons.org/licenses/by-sa/2.0/\","   \
    "\"provider\":\"flickr\",\"source\":\"flickr\",\"category\":null,"       \
    "\"filesize\":null,\"filetype\":null,"                                   \
    "\"tags\":[{\"name\":\"sofa\",\"accuracy\":null}],"                      \
    "\"fields_matched\":[\"title\"],\"mature\":false,"                       \
    "\"thumbnail\":\"https://api.openverse.org/v1/images/" TEST_ID           \
    "/thumb/\",\"detail_url\":\"https://api.openverse.org/v1/images/x/\","   \
    "\"unstable__sensitivity\":[]" rest "}"

#define TEST_FLICKR  "https://live.staticflickr.com/7/123_s_b.jpg"

#define TEST_LIST(items)                                                     \
    "{\"result_count\":240,\"page_count\":12,\"page_size\":20,\"page\":1,"   \
    "\"results\":[" items "],\"warnings\":[]}"


static void
test_call(void **state)
{
    (void) state;

    assert_string_equal(test_feed_call("openverse", "query=sofa"
                                       "&orientation=landscape", 2, 0, NULL),
                        "license_type=commercial&q=sofa&page=2&page_size=20"
                        "&aspect_ratio=wide");

    /* Only of those it copies, and only those that are asked. */

    assert_string_equal(test_feed_call("openverse", "query=a", 1,
                                       AT_FEED_ALL, NULL),
                        "license_type=commercial&q=a&page=1&page_size=20"
                        "&excluded_source=flickr,wikimedia,rawpixel");
    assert_string_equal(test_feed_call("openverse", "query=a", 1,
                                       1u << 4 | 1u << 0, NULL),
                        "license_type=commercial&q=a&page=1&page_size=20"
                        "&excluded_source=wikimedia");
}


static void
test_answer(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "openverse" };

    (void) state;

    in.body = TEST_LIST(TEST_ITEM(TEST_FLICKR,
        "https://www.flickr.com/photos/ann/123",
        ",\"attribution\":\"\\\"Living room\\\" by Ann is licensed under "
        "CC BY-SA 2.0.\",\"height\":683,\"width\":1024"));
    test_feed_run(&t, &in);

    assert_int_equal(t.outcome, AT_FEED_OK);
    assert_int_equal(t.answer->more, 1);
    test_feed_is(&t, 0, id, "openverse:" TEST_ID);
    test_feed_is(&t, 0, url, TEST_FLICKR);
    test_feed_is(&t, 0, thumb,
                 "https://api.openverse.org/v1/images/" TEST_ID "/thumb/");
    test_feed_is(&t, 0, page_url, "https://www.flickr.com/photos/ann/123");
    test_feed_is(&t, 0, license, "CC BY-SA 2.0");
    test_feed_is(&t, 0, attribution,
                 "\"Living room\" by Ann is licensed under CC BY-SA 2.0.");
    assert_int_equal(t.answer->designs[0].width, 1024);

    test_feed_free(&t);
}


/* Absent and null are unknown, which is not 0 by 0. */

static void
test_sizes(void **state)
{
    size_t              i;
    test_feed_t         t;
    test_feed_in_t      in = { .source = "openverse" };
    static const char  *bodies[] = {
        TEST_LIST(TEST_ITEM(TEST_FLICKR, "https://a.b/c", "")),
        TEST_LIST(TEST_ITEM(TEST_FLICKR, "https://a.b/c",
                            ",\"width\":null,\"height\":null")),
        TEST_LIST(TEST_ITEM(TEST_FLICKR, "https://a.b/c",
                            ",\"width\":100,\"height\":null")),
        TEST_LIST(TEST_ITEM(TEST_FLICKR, "https://a.b/c",
                            ",\"width\":-100,\"height\":\"x\""))
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(bodies); i++) {
        in.body = bodies[i];
        test_feed_run(&t, &in);

        assert_int_equal(t.answer->ndesigns, 1);
        assert_int_equal(t.answer->designs[0].width, 0);
        assert_int_equal(t.answer->designs[0].height, 0);
        assert_int_equal(t.answer->designs[0].score, 3000);
        test_feed_is(&t, 0, attribution,
                     "\"Living room\" by Ann, CC BY-SA 2.0, via Openverse");

        test_feed_free(&t);
    }
}


static void
test_licenses(void **state)
{
    size_t              i;
    char                body[1024];
    test_feed_t         t;
    test_feed_in_t      in = { .source = "openverse" };
    static const char  *rows[][2] = {
        { "\"license\":\"by\",\"license_version\":\"4.0\"", "CC BY 4.0" },
        { "\"license\":\"by-nc-nd\",\"license_version\":\"3.0\"",
          "CC BY-NC-ND 3.0" },
        { "\"license\":\"cc0\",\"license_version\":\"1.0\"", "CC0 1.0" },
        { "\"license\":\"pdm\",\"license_version\":\"1.0\"",
          "Public Domain Mark 1.0" },
        { "\"license\":\"by\",\"license_version\":null", "CC BY" },
        { "\"license\":null", NULL },
        { "\"license\":\"by-a-very-long-name\"", NULL },
        { "\"license\":\"by\",\"mature\":true", NULL }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        (void) snprintf(body, sizeof(body), "%s%s%s",
                        "{\"results\":[{\"id\":\"1\",\"url\":\"" TEST_FLICKR
                        "\",", rows[i][0], "}]}");
        in.body = body;
        test_feed_run(&t, &in);

        if (rows[i][1]) {
            test_feed_is(&t, 0, license, rows[i][1]);
        } else {
            at_test_true(t.answer->ndesigns == 0, "%s", rows[i][0]);
        }

        test_feed_free(&t);
    }
}


/* By what each copy is known at the place it came from. */

static void
test_joins(void **state)
{
    size_t              i;
    char                body[2048];
    test_feed_t         t;
    test_feed_in_t      in = { .source = "openverse" };
    static const char  *rows[][3] = {
        { TEST_FLICKR, "https://www.flickr.com/photos/12@N03/123",
          "flickr:123" },
        { TEST_FLICKR, "https://flickr.com/photos/ann/123/in/pool",
          "flickr:123" },
        { "https://upload.wikimedia.org/wikipedia/commons/a/ab/A_b.jpg",
          "https://commons.wikimedia.org/w/index.php?curid=77",
          "wikimedia:77" },
        { "https://upload.wikimedia.org/wikipedia/commons/a/ab/A_b.jpg",
          "https://commons.wikimedia.org/w/index.php?curid=77",
          "wikimedia:File:A_b.jpg" },
        { "https://x.y/z.jpg",
          "https://commons.wikimedia.org/wiki/File:a%20b%C3%A9.jpg",
          "wikimedia:File:A_b\xC3\xA9.jpg" },
        { "https://x.y/z.jpg",
          "https://commons.wikimedia.org/wiki/File%3AA_b.jpg",
          "wikimedia:File:A_b.jpg" },
        { "https://upload.wikimedia.org/wikipedia/commons/thumb/a/ab/A_b.jpg"
          "/330px-A_b.jpg", "https://x.y/", "wikimedia:File:A_b.jpg" },
        { "https://images.rawpixel.com/image_1300/x.jpg",
          "https://www.rawpixel.com/image/5924216/sofa",
          "rawpixel:5924216" },
        { "https://images.rawpixel.com/image_1300/x.jpg",
          "https://www.rawpixel.com/image/5924216", "rawpixel:5924216" },
        { "http://WWW.X.y/z.jpg?w=10&id=3", "https://x.y/",
          "url:x.y/z.jpg?id=3" }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        (void) snprintf(body, sizeof(body), "{\"results\":[{\"id\":\"1\","
                        "\"url\":\"%s\",\"foreign_landing_url\":\"%s\","
                        "\"license\":\"by\"}]}", rows[i][0], rows[i][1]);
        in.body = body;
        test_feed_run(&t, &in);

        assert_int_equal(t.answer->ndesigns, 1);
        at_test_true(test_feed_joined(&t.answer->designs[0], rows[i][2]),
                     "%s: not %s", rows[i][1], rows[i][2]);
        assert_true(test_feed_joined(&t.answer->designs[0], "openverse:1"));
        assert_true(t.answer->designs[0].njoins <= AT_DESIGN_JOINS_MAX);

        test_feed_free(&t);
    }
}


/* What only looks like such a place. */

static void
test_no_joins(void **state)
{
    size_t              i, n;
    char                body[1024];
    test_feed_t         t;
    test_feed_in_t      in = { .source = "openverse" };
    static const char  *rows[] = {
        "https://www.flickr.com/photos/ann",
        "https://www.flickr.com/photos/ann/",
        "https://www.flickr.com/photos/ann/albums/123",
        "https://www.flickr.com/photos/ann/12a",
        "https://www.flickr.com/people/ann/123",
        "https://notflickr.com/photos/ann/123",
        "https://flickr.com.evil.com/photos/ann/123",
        "https://commons.wikimedia.org/wiki/Category:Sofas",
        "https://commons.wikimedia.org/wiki/File:",
        "https://www.rawpixel.com/board/123/sofa"
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        (void) snprintf(body, sizeof(body), "{\"results\":[{\"id\":\"1\","
                        "\"url\":\"https://x.y/z\","
                        "\"foreign_landing_url\":\"%s\","
                        "\"license\":\"by\"}]}", rows[i]);
        in.body = body;
        test_feed_run(&t, &in);

        n = t.answer->designs[0].njoins;
        at_test_true(n == 2, "%s: %u joins", rows[i], (unsigned) n);

        test_feed_free(&t);
    }
}


static void
test_end(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "openverse" };

    (void) state;

    /* Nothing found is an ordinary answer. */

    in.body = "{\"result_count\":0,\"page_count\":0,\"page_size\":20,"
              "\"page\":1,\"results\":[]}";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_OK);
    assert_int_equal(t.answer->ndesigns, 0);
    assert_int_equal(t.answer->more, 0);
    test_feed_free(&t);

    /* The older search had another name for the page. */

    in.body = "{\"result_count\":9,\"page_count\":1,\"results\":["
              "{\"id\":\"1\",\"url\":\"https://x.y/z\",\"license\":\"by\","
              "\"detail\":\"https://x.y/page\"}]}";
    test_feed_run(&t, &in);
    test_feed_is(&t, 0, page_url, "https://x.y/page");
    assert_int_equal(t.answer->more, 0);
    test_feed_free(&t);

    in.page = 13;
    in.status = 404;
    in.body = "{\"detail\":\"Invalid page.\"}";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_OK);
    assert_int_equal(t.answer->more, 0);
    test_feed_free(&t);

    in.page = 1;
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_ERROR);
    test_feed_free(&t);
}


/* A 429 that calls itself cacheable is one all the same. */

static void
test_limits(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "openverse", .status = 429 };

    (void) state;

    in.headers = "cache-control: max-age=14400\n"
                 "x-ratelimit-limit-anon_burst: 20/min\n"
                 "x-ratelimit-available-anon_burst: 0\n"
                 "x-ratelimit-limit-anon_sustained: 200/day\n"
                 "x-ratelimit-available-anon_sustained: 120\n";
    in.body = "{\"detail\":\"Request was throttled. Expected available in "
              "14 seconds.\"}";
    test_feed_run(&t, &in);

    assert_int_equal(t.outcome, AT_FEED_RATE_LIMITED);
    assert_int_equal(t.answer->retry_after_ms, 14000);
    assert_int_equal(t.answer->quota.has, 1);
    assert_int_equal(t.answer->quota.limit, 20);
    assert_int_equal(t.answer->quota.remaining, 0);
    assert_int_equal(t.answer->quota.window_ms, 60000);
    test_feed_free(&t);

    in.status = 401;
    in.headers = NULL;
    in.body = "{\"detail\":\"page_size must be <= 20\"}";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_AUTH);
    test_feed_free(&t);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_licenses),
        cmocka_unit_test(test_joins),
        cmocka_unit_test(test_no_joins),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_limits)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
