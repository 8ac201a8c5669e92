/*
 * Pixabay: odd kinds of pictures, the end of 500 hits, errors in plain text.
 */

#include "test_feed.h"


#define TEST_HIT(id, type)                                                   \
    "{\"id\":" id ",\"pageURL\":\"https://pixabay.com/photos/room-" id "/\"," \
    "\"type\":\"" type "\",\"tags\":\"sofa, living room, d\\u00e9cor\","     \
    "\"previewURL\":\"https://cdn.pixabay.com/photo/" id "_150.jpg\","       \
    "\"previewWidth\":150,\"previewHeight\":99,"                             \
    "\"webformatURL\":\"https://pixabay.com/get/g" id "_640.jpg\","          \
    "\"webformatWidth\":640,\"webformatHeight\":426,"                        \
    "\"largeImageURL\":\"https://pixabay.com/get/g" id "_1280.jpg\","        \
    "\"imageWidth\":4195,\"imageHeight\":2797,\"imageSize\":2468950,"        \
    "\"views\":1,\"downloads\":2,\"collections\":3,\"likes\":4,"             \
    "\"comments\":5,\"user_id\":916237,\"user\":\"K\\u00fcche 7\","          \
    "\"userImageURL\":\"\",\"isAiGenerated\":false}"


static void
test_call(void **state)
{
    size_t       len;
    char         raw[512];
    const char  *args;

    (void) state;

    assert_string_equal(test_feed_call("pixabay", "query=sofa"
                                       "&orientation=portrait&color=violet",
                                       1, 0, NULL),
                        "safesearch=true&image_type=photo&q=sofa&page=1"
                        "&per_page=200&orientation=vertical&colors=lilac");

    /* It has no word for a square. */

    assert_string_equal(test_feed_call("pixabay", "orientation=square", 2, 0,
                                       NULL),
                        "safesearch=true&image_type=photo"
                        "&q=interior%20design&page=2&per_page=200");

    /* A text is cut to 100 characters, at one. */

    len = (size_t) snprintf(raw, sizeof(raw), "query=");
    memset(raw + len, 'a', 99);
    (void) snprintf(raw + len + 99, 32, "%%C3%%A9%%C3%%A9b");

    args = test_feed_call("pixabay", raw, 1, 0, NULL);
    args = strstr(args, "&q=") + 3;

    assert_int_equal(strcspn(args, "&"), 99 + 6);
    assert_memory_equal(args + 99, "%C3%A9&", 7);
}


static void
test_answer(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "pixabay" };

    (void) state;

    in.body = "{\"total\":120000,\"totalHits\":500,\"hits\":["
              TEST_HIT("1", "photo") "," TEST_HIT("2", "vector/svg") ","
              TEST_HIT("3", "vector/ai") "," TEST_HIT("4", "illustration")
              "]}";
    test_feed_run(&t, &in);

    assert_int_equal(t.outcome, AT_FEED_OK);
    assert_int_equal(t.answer->ndesigns, 4);
    assert_int_equal(t.answer->more, 1);

    test_feed_is(&t, 0, id, "pixabay:1");
    test_feed_is(&t, 0, title, "sofa, living room, d\xC3\xA9" "cor");
    test_feed_is(&t, 0, url, "https://pixabay.com/get/g1_1280.jpg");
    test_feed_is(&t, 0, thumb, "https://cdn.pixabay.com/photo/1_150.jpg");
    test_feed_is(&t, 0, color, "");
    test_feed_is(&t, 0, author, "K\xC3\xBC" "che 7");
    test_feed_is(&t, 0, author_url,
                 "https://pixabay.com/users/K%C3%BCche%207-916237/");
    test_feed_is(&t, 0, page_url, "https://pixabay.com/photos/room-1/");
    test_feed_is(&t, 0, license, "Pixabay Content License");
    test_feed_is(&t, 0, attribution,
                 "Image by K\xC3\xBC" "che 7 on Pixabay");
    assert_int_equal(t.answer->designs[0].width, 4195);
    assert_int_equal(t.answer->designs[0].height, 2797);
    assert_int_equal(t.answer->designs[3].rank, 4);

    test_feed_free(&t);
}


/* totalHits ends it, not total; a page behind the last is the end, too. */

static void
test_end(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "pixabay" };

    (void) state;

    in.body = "{\"total\":120000,\"totalHits\":1,\"hits\":["
              TEST_HIT("1", "photo") "]}";
    test_feed_run(&t, &in);
    assert_int_equal(t.answer->more, 0);
    test_feed_free(&t);

    in.body = "{\"total\":0,\"totalHits\":0,\"hits\":[]}";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_OK);
    assert_int_equal(t.answer->more, 0);
    test_feed_free(&t);

    in.page = 2;
    in.status = 400;
    in.body = "[ERROR 400] \"page\" is out of valid range.";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_OK);
    assert_int_equal(t.answer->ndesigns, 0);
    assert_int_equal(t.answer->more, 0);
    test_feed_free(&t);

    /* But page 1 is always there, and other bounds are other errors. */

    in.page = 1;
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_ERROR);
    test_feed_free(&t);

    in.page = 2;
    in.body = "[ERROR 400] \"per_page\" is out of valid range.";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_ERROR);
    assert_int_equal(t.answer->more, 1);
    test_feed_free(&t);
}


static void
test_errors(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "pixabay", .status = 400 };

    (void) state;

    in.body = "[ERROR 400] Invalid or missing API key "
              "(https://pixabay.com/api/docs/).";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_AUTH);
    assert_string_equal(t.answer->reason, "status 400");
    test_feed_free(&t);

    in.status = 429;
    in.headers = "X-RateLimit-Limit: 100\nX-RateLimit-Remaining: 0\n"
                 "X-RateLimit-Reset: 37\n";
    in.body = "API rate limit exceeded";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_RATE_LIMITED);
    assert_int_equal(t.answer->retry_after_ms, 37000);
    assert_int_equal(t.answer->quota.limit, 100);
    test_feed_free(&t);

    /* Plain text that calls itself a success. */

    in.status = 200;
    in.headers = NULL;
    in.body = "[ERROR 400] \"per_page\" is out of valid range.";
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
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_errors)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
