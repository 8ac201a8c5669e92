/*
 * Pexels: its calls, an answer of its shape, and what odd ones hold.
 */

#include "test_feed.h"


#define TEST_PHOTO                                                           \
    "{\"id\":1571460,\"width\":5472,\"height\":3648,"                        \
    "\"url\":\"https:\\/\\/www.pexels.com\\/photo\\/grey-couch-1571460\\/\"," \
    "\"photographer\":\"Vecislavas Popa\","                                  \
    "\"photographer_url\":\"https://www.pexels.com/@fotios\","               \
    "\"photographer_id\":493047,\"avg_color\":\"#9d958d\",\"src\":{"         \
    "\"original\":\"https://images.pexels.com/photos/1571460/a.jpeg\","      \
    "\"large2x\":\"https://images.pexels.com/photos/1571460/a.jpeg?dpr=2\"," \
    "\"medium\":\"https://images.pexels.com/photos/1571460/a.jpeg"           \
    "?auto=compress\\u0026cs=tinysrgb\\u0026h=350\","                        \
    "\"tiny\":\"https://images.pexels.com/photos/1571460/a.jpeg"             \
    "?fit=crop&h=200&w=280\"},\"liked\":false"

#define TEST_LIST(photos)                                                    \
    "{\"page\":1,\"per_page\":80,\"photos\":[" photos "]"


static void
test_call(void **state)
{
    const char  *path;

    (void) state;

    assert_string_equal(test_feed_call("pexels", "query=Grey+Couch", 1, 0,
                                       &path),
                        "query=grey%20couch&page=1&per_page=80");
    assert_string_equal(path, "search");

    assert_string_equal(test_feed_call("pexels", "query=a&orientation=square"
                                       "&color=violet", 3, 0, NULL),
                        "query=a&page=3&per_page=80&orientation=square"
                        "&color=violet");

    /* Curated photos cannot be filtered. */

    assert_string_equal(test_feed_call("pexels", "", 2, 0, &path),
                        "page=2&per_page=80");
    assert_string_equal(path, "curated");

    assert_string_equal(test_feed_call("pexels", "color=red", 1, 0, &path),
                        "query=interior%20design&page=1&per_page=80"
                        "&color=red");
    assert_string_equal(path, "search");
}


static void
test_answer(void **state)
{
    size_t               piece;
    test_feed_t          t;
    at_design_t         *d;
    test_feed_in_t       in = { .source = "pexels", .ranked = 80 };

    (void) state;

    in.body = TEST_LIST(TEST_PHOTO ",\"alt\":\"Gr\\u00e5 soffa\"}")
              ",\"total_results\":8000,\"next_page\":\"x\"}";

    for (piece = 0; piece < 90; piece++) {
        in.piece = piece;
        test_feed_run(&t, &in);

        assert_int_equal(t.outcome, AT_FEED_OK);
        assert_int_equal(t.answer->ndesigns, 1);
        assert_int_equal(t.answer->more, 1);

        d = &t.answer->designs[0];

        test_feed_is(&t, 0, id, "pexels:1571460");
        test_feed_is(&t, 0, source, "pexels");
        test_feed_is(&t, 0, title, "Gr\xC3\xA5 soffa");
        test_feed_is(&t, 0, url,
                     "https://images.pexels.com/photos/1571460/a.jpeg");
        test_feed_is(&t, 0, thumb,
                     "https://images.pexels.com/photos/1571460/a.jpeg"
                     "?auto=compress&cs=tinysrgb&h=350");
        test_feed_is(&t, 0, color, "#9D958D");
        test_feed_is(&t, 0, blurhash, "");
        test_feed_is(&t, 0, author, "Vecislavas Popa");
        test_feed_is(&t, 0, author_url, "https://www.pexels.com/@fotios");
        test_feed_is(&t, 0, page_url,
                     "https://www.pexels.com/photo/grey-couch-1571460/");
        test_feed_is(&t, 0, license, "Pexels License");
        test_feed_is(&t, 0, attribution,
                     "Photo by Vecislavas Popa on Pexels");
        assert_int_equal(d->width, 5472);
        assert_int_equal(d->height, 3648);
        assert_int_equal(d->score, 9000 + 19961);
        assert_int_equal(d->rank, 81);
        assert_int_equal(d->njoins, 2);
        assert_true(test_feed_joined(d, "pexels:1571460"));
        assert_true(test_feed_joined(d, "url:images.pexels.com/photos/1571460"
                                        "/a.jpeg"));
        test_feed_free(&t);
    }
}


/* A title is missing in old photos and empty in some. */

static void
test_no_alt(void **state)
{
    size_t               i;
    test_feed_t          t;
    test_feed_in_t       in = { .source = "pexels" };
    static const char   *bodies[] = {
        TEST_LIST(TEST_PHOTO "}") "}",
        TEST_LIST(TEST_PHOTO ",\"alt\":\"\"}") "}",
        TEST_LIST(TEST_PHOTO ",\"alt\":null}") "}"
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(bodies); i++) {
        in.body = bodies[i];
        test_feed_run(&t, &in);

        assert_int_equal(t.outcome, AT_FEED_OK);
        test_feed_is(&t, 0, title, "grey couch");

        test_feed_free(&t);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_no_alt)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
