/*
 * Rawpixel: two generations of answers, the template of addresses, and only
 * what is free.
 */

#include "test_feed.h"


#define TEST_ITEM(id, license, rest)                                         \
    "{\"id\":" id ",\"url\":\"https://www.rawpixel.com/image/" id "/sofa\"," \
    "\"title\":null,\"width\":1200,\"height\":800,"                          \
    "\"display_image_width\":4500,\"display_image_height\":3000,"            \
    "\"style_uri\":\"https://images.rawpixel.com/{}/czNmcy1wcml2.jpg\","     \
    "\"google_teaser\":\"https://images.rawpixel.com/teaser/x.jpg\","        \
    "\"artist_names\":\"Jan Vermeer (Source)\",\"name_ext\":\"jpg\","        \
    "\"metadata\":{\"title\":\"A sofa | Free Photo - rawpixel\","            \
    "\"license\":\"" license "\",\"licenseUrl\":\"https://x.y/\","           \
    "\"popular_keywords\":[\"sofa\",null],\"image_alt\":\"alt\","            \
    "\"isFreeLicense\":true}" rest "}"


static void
test_call(void **state)
{
    (void) state;

    assert_string_equal(test_feed_call("rawpixel", "query=sofa", 2, 0, NULL),
                        "tags=%24publicdomain&keys=sofa&page=2"
                        "&pagesize=100");
}


static void
test_answer(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "rawpixel" };

    (void) state;

    in.body = "{\"total\":1,\"results\":["
              TEST_ITEM("5924216", "cc0", ",\"isPng\":false") ","
              TEST_ITEM("2", "cc0", ",\"isPng\":true") "]}";
    test_feed_run(&t, &in);

    assert_int_equal(t.outcome, AT_FEED_OK);
    assert_int_equal(t.answer->ndesigns, 2);

    /* total has nothing to do with the results. */

    assert_int_equal(t.answer->more, 1);

    test_feed_is(&t, 0, id, "rawpixel:5924216");
    test_feed_is(&t, 0, title, "A sofa");
    test_feed_is(&t, 0, url,
                 "https://images.rawpixel.com/image_1300/czNmcy1wcml2.jpg");
    test_feed_is(&t, 0, thumb,
                 "https://images.rawpixel.com/image_400/czNmcy1wcml2.jpg");
    test_feed_is(&t, 0, author, "Jan Vermeer");
    test_feed_is(&t, 0, page_url,
                 "https://www.rawpixel.com/image/5924216/sofa");
    test_feed_is(&t, 0, license, "CC0 1.0");
    test_feed_is(&t, 0, attribution,
                 "\"A sofa\" by Jan Vermeer, CC0 1.0, via Rawpixel");
    assert_int_equal(t.answer->designs[0].width, 4500);
    assert_int_equal(t.answer->designs[0].height, 3000);

    test_feed_is(&t, 1, url, "https://images.rawpixel.com/image_png_1300/"
                             "czNmcy1wcml2.jpg");

    test_feed_free(&t);
}


static void
test_older(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "rawpixel" };

    (void) state;

    in.body = "{\"total\":100000,\"results\":[{\"id\":2041320,"
              "\"freecc0\":\"1\",\"original_width\":5000,"
              "\"original_height\":\"4000\",\"image_title\":\"Vintage "
              "chair\",\"url\":\"https://www.rawpixel.com/image/2041320/v\","
              "\"image_2500\":\"https://images.rawpixel.com/a_2500.jpg\","
              "\"image_400\":\"https://images.rawpixel.com/a_400.jpg\","
              "\"artist_names\":null},"
              "{\"id\":3,\"freecc0\":\"0\",\"image_title\":\"Paid\","
              "\"image_2500\":\"https://images.rawpixel.com/b.jpg\"}]}";
    test_feed_run(&t, &in);

    assert_int_equal(t.answer->received, 2);
    assert_int_equal(t.answer->ndesigns, 1);
    test_feed_is(&t, 0, title, "Vintage chair");
    test_feed_is(&t, 0, url, "https://images.rawpixel.com/a_2500.jpg");
    test_feed_is(&t, 0, thumb, "https://images.rawpixel.com/a_400.jpg");
    test_feed_is(&t, 0, attribution, "\"Vintage chair\", CC0 1.0, via "
                                     "Rawpixel");
    assert_int_equal(t.answer->designs[0].width, 5000);
    assert_int_equal(t.answer->designs[0].height, 4000);

    test_feed_free(&t);
}


static void
test_licenses(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "rawpixel" };

    (void) state;

    in.body = "{\"results\":[" TEST_ITEM("1", "Premium", "") ","
              TEST_ITEM("2", "", "") "," TEST_ITEM("3", "pdm", "") ","
              TEST_ITEM("4", "Premium", ",\"freecc0\":true") "]}";
    test_feed_run(&t, &in);

    assert_int_equal(t.answer->received, 4);
    assert_int_equal(t.answer->ndesigns, 1);
    test_feed_is(&t, 0, id, "rawpixel:3");
    test_feed_is(&t, 0, license, "Public domain");

    test_feed_free(&t);
}


/* The template comes from there: what it makes must be a URL. */

static void
test_template(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "rawpixel" };

    (void) state;

    in.body = "{\"results\":["
              "{\"id\":1,\"license\":\"cc0\",\"style_uri\":\"x{}y\"},"
              "{\"id\":2,\"license\":\"cc0\",\"style_uri\":"
              "\"https://{}/y.jpg\"},"
              "{\"id\":3,\"license\":\"cc0\",\"style_uri\":"
              "\"https://a.b/y.jpg\"},"
              "{\"id\":4,\"license\":\"cc0\",\"style_uri\":"
              "\"https://a.b/%s%n{}.jpg?{}\"}]}";
    test_feed_run(&t, &in);

    assert_int_equal(t.answer->ndesigns, 1);
    test_feed_is(&t, 0, url,
                 "https://a.b/%25s%25nimage_1300.jpg?%7B%7D");

    test_feed_free(&t);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_older),
        cmocka_unit_test(test_licenses),
        cmocka_unit_test(test_template)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
