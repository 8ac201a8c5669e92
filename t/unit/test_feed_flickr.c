/*
 * Flickr: licences by number, sizes an owner allows, errors within a 200.
 */

#include "test_feed.h"


#define TEST_URL(size)  "https://live.staticflickr.com/65535/1_" size ".jpg"

#define TEST_PHOTO(id, rest)                                                 \
    "{\"id\":\"" id "\",\"owner\":\"12@N03\",\"secret\":\"s\","              \
    "\"server\":\"65535\",\"farm\":66,\"title\":\"Salon &amp; hall\","       \
    "\"ispublic\":1,\"ownername\":\"Zo\\u00eb\"," rest "}"

#define TEST_SMALL                                                           \
    "\"url_s\":\"" TEST_URL("m") "\",\"height_s\":160,\"width_s\":\"240\""

#define TEST_LIST(photos, total)                                             \
    "{\"photos\":{\"page\":1,\"pages\":1,\"perpage\":100,\"total\":" total   \
    ",\"photo\":[" photos "]},\"stat\":\"ok\"}"


static void
test_call(void **state)
{
    const char  *args;

    (void) state;

    args = test_feed_call("flickr", "query=mid-century+%22sofa%22", 2, 0,
                          NULL);

    assert_non_null(strstr(args, "method=flickr.photos.search&format=json"
                                 "&nojsoncallback=1"));
    assert_non_null(strstr(args, "&license=4,5,6,7,8,9,10,11,12,13&"));
    assert_non_null(strstr(args, "&safe_search=1"));
    assert_non_null(strstr(args, "&text=mid%20century%20sofa&page=2"
                                 "&per_page=100"));

    /* There is no parameterless search. */

    assert_non_null(strstr(test_feed_call("flickr", "query=%22-%22", 1, 0,
                                          NULL),
                           "&text=interior%20design&page=1"));
}


static void
test_answer(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "flickr" };

    (void) state;

    in.body = TEST_LIST(
        TEST_PHOTO("53", "\"license\":\"5\"," TEST_SMALL
            ",\"url_l\":\"" TEST_URL("b") "\",\"height_l\":\"683\","
            "\"width_l\":1024,\"o_width\":\"6000\",\"o_height\":4000,"
            "\"url_n\":\"" TEST_URL("n") "\",\"height_n\":213,"
            "\"width_n\":320") ","
        TEST_PHOTO("54", "\"license\":4,\"url_o\":\"" TEST_URL("o") "\","
            "\"width_o\":\"3000\",\"height_o\":\"2000\"," TEST_SMALL),
        "\"2\"");
    test_feed_run(&t, &in);

    assert_int_equal(t.outcome, AT_FEED_OK);
    assert_int_equal(t.answer->ndesigns, 2);
    assert_int_equal(t.answer->more, 0);

    test_feed_is(&t, 0, id, "flickr:53");
    test_feed_is(&t, 0, title, "Salon & hall");
    test_feed_is(&t, 0, url, TEST_URL("b"));
    test_feed_is(&t, 0, thumb, TEST_URL("n"));
    test_feed_is(&t, 0, author, "Zo\xC3\xAB");
    test_feed_is(&t, 0, author_url, "https://www.flickr.com/photos/12@N03");
    test_feed_is(&t, 0, page_url, "https://www.flickr.com/photos/12@N03/53");
    test_feed_is(&t, 0, license, "CC BY-SA 2.0");
    test_feed_is(&t, 0, attribution,
                 "\"Salon & hall\" by Zo\xC3\xAB, CC BY-SA 2.0, via Flickr");
    assert_int_equal(t.answer->designs[0].width, 6000);
    assert_int_equal(t.answer->designs[0].height, 4000);

    test_feed_is(&t, 1, url, TEST_URL("o"));
    test_feed_is(&t, 1, thumb, TEST_URL("m"));
    assert_int_equal(t.answer->designs[1].width, 3000);
    assert_int_equal(t.answer->designs[1].height, 2000);

    test_feed_free(&t);
}


/* The ids of 2025, and only they. */

static void
test_licenses(void **state)
{
    size_t               i;
    char                 body[2048];
    test_feed_t          t;
    test_feed_in_t       in = { .source = "flickr" };
    static const char   *rows[][2] = {
        { "\"license\":\"0\",",  NULL },        /* all rights reserved */
        { "\"license\":0,",      NULL },
        { "",                    NULL },        /* unknown */
        { "\"license\":null,",   NULL },
        { "\"license\":\"\",",   NULL },
        { "\"license\":\"x\",",  NULL },
        { "\"license\":\"17\",", NULL },
        { "\"license\":\"-4\",", NULL },
        { "\"license\":\"4.5\",", NULL },
        { "\"license\":\"4294967300\",", NULL },
        { "\"license\":\"1\",",  "CC BY-NC-SA 2.0" },
        { "\"license\":\"2\",",  "CC BY-NC 2.0" },
        { "\"license\":\"3\",",  "CC BY-NC-ND 2.0" },
        { "\"license\":\"4\",",  "CC BY 2.0" },
        { "\"license\":\"5\",",  "CC BY-SA 2.0" },
        { "\"license\":\"6\",",  "CC BY-ND 2.0" },
        { "\"license\":\"7\",",  "No known copyright restrictions" },
        { "\"license\":\"8\",",  "United States Government Work" },
        { "\"license\":\"9\",",  "CC0 1.0" },
        { "\"license\":\"10\",", "Public Domain Mark 1.0" },
        { "\"license\":\"11\",", "CC BY 4.0" },
        { "\"license\":\"12\",", "CC BY-SA 4.0" },
        { "\"license\":\"13\",", "CC BY-ND 4.0" },
        { "\"license\":\"14\",", "CC BY-NC 4.0" },
        { "\"license\":\"15\",", "CC BY-NC-SA 4.0" },
        { "\"license\":\"16\",", "CC BY-NC-ND 4.0" }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        (void) snprintf(body, sizeof(body), "%s%s%s",
            "{\"photos\":{\"total\":1,\"photo\":[{\"id\":\"1\",", rows[i][0],
            TEST_SMALL "}]},\"stat\":\"ok\"}");

        in.body = body;
        test_feed_run(&t, &in);
        assert_int_equal(t.outcome, AT_FEED_OK);

        if (rows[i][1]) {
            test_feed_is(&t, 0, license, rows[i][1]);
        } else {
            at_test_true(t.answer->ndesigns == 0, "%s is shown", rows[i][0]);
        }

        test_feed_free(&t);
    }
}


/* Without a picture of any size there is nothing to show. */

static void
test_no_url(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "flickr" };

    (void) state;

    in.body = TEST_LIST(
        TEST_PHOTO("1", "\"license\":\"4\"") ","
        TEST_PHOTO("2", "\"license\":\"4\",\"url_o\":null,\"url_l\":\"\","
                        "\"url_k\":\"not a url\"") ","
        TEST_PHOTO("3", "\"license\":\"4\",\"url_k\":\"x:\"," TEST_SMALL),
        "3");
    test_feed_run(&t, &in);

    assert_int_equal(t.answer->received, 3);
    assert_int_equal(t.answer->ndesigns, 1);
    test_feed_is(&t, 0, id, "flickr:3");
    test_feed_is(&t, 0, url, TEST_URL("m"));
    assert_int_equal(t.answer->designs[0].width, 240);
    assert_int_equal(t.answer->designs[0].rank, 1);

    test_feed_free(&t);
}


/* pages can be 1 while there are more; behind the last it repeats. */

static void
test_end(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "flickr" };

    (void) state;

    in.body = TEST_LIST(TEST_PHOTO("1", "\"license\":4," TEST_SMALL),
                        "\"250\"");
    test_feed_run(&t, &in);
    assert_int_equal(t.answer->more, 1);
    test_feed_free(&t);

    in.page = 3;
    test_feed_run(&t, &in);
    assert_int_equal(t.answer->more, 0);
    test_feed_free(&t);

    in.page = 40;
    in.body = TEST_LIST(TEST_PHOTO("1", "\"license\":4," TEST_SMALL),
                        "9999999");
    test_feed_run(&t, &in);
    assert_int_equal(t.answer->more, 0);
    test_feed_free(&t);
}


static void
test_fail(void **state)
{
    size_t          i;
    char            body[256];
    test_feed_t     t;
    test_feed_in_t  in = { .source = "flickr" };
    static const struct {
        const char         *code;
        at_feed_outcome_e   outcome;
    } rows[] = {
        { "\"code\":100,", AT_FEED_AUTH },
        { "\"code\":\"100\",", AT_FEED_AUTH },
        { "\"code\":98,",  AT_FEED_AUTH },
        { "\"code\":105,", AT_FEED_ERROR },
        { "\"code\":10,",  AT_FEED_ERROR },
        { "\"code\":3,",   AT_FEED_ERROR },
        { "\"code\":0,",   AT_FEED_ERROR },
        { "",              AT_FEED_ERROR }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        (void) snprintf(body, sizeof(body), "{\"stat\":\"fail\",%s"
            "\"message\":\"Invalid API Key (sesame)\"}", rows[i].code);

        in.body = body;
        test_feed_run(&t, &in);

        at_test_true(t.outcome == rows[i].outcome, "%s: %s", rows[i].code,
                     at_feed_outcome_name(t.outcome));
        assert_int_equal(t.answer->ndesigns, 0);
        assert_null(strstr(t.answer->reason, "sesame"));
        assert_int_not_equal(t.answer->reason[0], '\0');

        test_feed_free(&t);
    }

    in.body = "jsonFlickrApi({\"photos\":{\"photo\":[]},\"stat\":\"ok\"})";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_PARSE);
    test_feed_free(&t);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_licenses),
        cmocka_unit_test(test_no_url),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_fail)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
