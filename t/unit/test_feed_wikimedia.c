/*
 * Wikimedia Commons: pages in an object, authors in HTML, files no browser
 * shows, and errors within a 200.
 */

#include "test_feed.h"


#define TEST_UPLOAD  "https://upload.wikimedia.org/wikipedia/commons/"

#define TEST_INFO(file, mime, width, height, artist)                         \
    "\"imageinfo\":[{\"size\":1,\"width\":" width ",\"height\":" height ","  \
    "\"thumburl\":\"" TEST_UPLOAD "thumb/a/ab/" file "/330px-" file "\","    \
    "\"thumbwidth\":330,\"thumbheight\":220,\"user\":\"Uploader\","          \
    "\"url\":\"" TEST_UPLOAD "a/ab/" file "\","                              \
    "\"descriptionurl\":\"https://commons.wikimedia.org/wiki/File:" file     \
    "\",\"mime\":\"" mime "\",\"extmetadata\":{"                             \
    "\"LicenseShortName\":{\"value\":\"CC BY-SA 3.0 de\","                   \
    "\"source\":\"commons-desc-page\",\"hidden\":\"\"},"                     \
    "\"Artist\":{\"value\":\"" artist "\",\"source\":\"x\"}}}]"

#define TEST_PAGE(id, index, file, rest)                                     \
    "{\"pageid\":" id ",\"ns\":6,\"title\":\"File:" file "\","               \
    "\"index\":" index ",\"imagerepository\":\"local\"," rest "}"

#define TEST_LIST(pages)                                                     \
    "{\"batchcomplete\":true,\"query\":{\"pages\":[" pages "]}}"

#define TEST_ANN                                                             \
    "<a href=\\\"//commons.wikimedia.org/wiki/User:Ann\\\" "                 \
    "title=\\\"User:Ann\\\">Ann &amp; Bj\\u00f6rn</a>"


static void
test_call(void **state)
{
    const char  *args;

    (void) state;

    args = test_feed_call("wikimedia", "query=sofa+insource:/x/", 3, 0,
                          NULL);

    assert_non_null(strstr(args, "&formatversion=2&generator=search"
                                 "&gsrnamespace=6&"));
    assert_non_null(strstr(args, "&iiurlwidth=330&"));

    /* A reader's text is no search syntax. */

    assert_non_null(strstr(args, "&gsrsearch=filetype%3Abitmap%20sofa"
                                 "%20insource%20x&gsroffset=100"
                                 "&gsrlimit=50"));

    assert_non_null(strstr(test_feed_call("wikimedia", "", 1, 0, NULL),
                           "=filetype%3Abitmap%20interior%20design"
                           "&gsroffset=0&"));
}


static void
test_answer(void **state)
{
    size_t          piece;
    test_feed_t     t;
    at_design_t    *d;
    test_feed_in_t  in = { .source = "wikimedia" };

    (void) state;

    in.body = "{\"continue\":{\"gsroffset\":50,\"continue\":\"gsroffset||\"},"
              "\"query\":{\"pages\":["
              TEST_PAGE("7", "2", "second one.png",
                        TEST_INFO("second_one.png", "image/png", "100",
                                  "50", "")) ","
              TEST_PAGE("9", "1", "Wohn zimmer.JPG",
                        TEST_INFO("Wohn_zimmer.JPG", "image/jpeg", "4000",
                                  "3000", TEST_ANN)) "]}}";

    for (piece = 0; piece < 60; piece++) {
        in.piece = piece;
        test_feed_run(&t, &in);

        assert_int_equal(t.outcome, AT_FEED_OK);
        assert_int_equal(t.answer->ndesigns, 2);
        assert_int_equal(t.answer->more, 1);

        d = &t.answer->designs[0];
        test_feed_is(&t, 0, id, "wikimedia:9");
        test_feed_is(&t, 0, title, "Wohn zimmer");
        test_feed_is(&t, 0, url, TEST_UPLOAD "a/ab/Wohn_zimmer.JPG");
        test_feed_is(&t, 0, thumb, TEST_UPLOAD "thumb/a/ab/Wohn_zimmer.JPG"
                                               "/330px-Wohn_zimmer.JPG");
        test_feed_is(&t, 0, author, "Ann & Bj\xC3\xB6rn");
        test_feed_is(&t, 0, author_url,
                     "https://commons.wikimedia.org/wiki/User:Ann");
        test_feed_is(&t, 0, page_url,
                     "https://commons.wikimedia.org/wiki/"
                     "File:Wohn_zimmer.JPG");
        test_feed_is(&t, 0, license, "CC BY-SA 3.0 de");
        test_feed_is(&t, 0, attribution,
                     "\"Wohn zimmer\" by Ann & Bj\xC3\xB6rn, "
                     "CC BY-SA 3.0 de, via Wikimedia Commons");
        assert_int_equal(d->width, 4000);
        assert_int_equal(d->height, 3000);
        assert_int_equal(d->rank, 1);
        assert_true(test_feed_joined(d,
                                     "wikimedia:File:Wohn_zimmer.JPG"));

        /* Without an artist it is who uploaded it. */

        d = &t.answer->designs[1];
        test_feed_is(&t, 1, id, "wikimedia:7");
        test_feed_is(&t, 1, title, "second one");
        test_feed_is(&t, 1, author, "Uploader");
        test_feed_is(&t, 1, author_url, "");
        assert_int_equal(d->rank, 2);
        assert_true(test_feed_joined(d, "wikimedia:File:Second_one.png"));

        test_feed_free(&t);
    }
}


/* Older servers answer an object, in the order of ids. */

static void
test_object(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "wikimedia", .ranked = 50 };

    (void) state;

    in.body = "{\"batchcomplete\":\"\",\"query\":{\"pages\":{"
              "\"-1\":{\"ns\":6,\"title\":\"File:Far.jpg\",\"missing\":\"\","
              "\"known\":\"\",\"index\":2,\"imagerepository\":\"shared\","
              TEST_INFO("Far.jpg", "image/jpeg", "10", "10", "A") "},"
              "\"-2\":{\"ns\":6,\"title\":\"File:Gone.jpg\","
              "\"missing\":\"\",\"index\":4},"
              "\"100\":" TEST_PAGE("100", "3", "C.jpg",
              TEST_INFO("C.jpg", "image/jpeg", "10", "10", "A")) ","
              "\"200\":" TEST_PAGE("200", "1", "A.jpg",
              TEST_INFO("A.jpg", "image/jpeg", "10", "10", "A")) "}}}";
    test_feed_run(&t, &in);

    assert_int_equal(t.outcome, AT_FEED_OK);
    assert_int_equal(t.answer->received, 4);
    assert_int_equal(t.answer->ndesigns, 3);
    assert_int_equal(t.answer->more, 0);
    test_feed_is(&t, 0, id, "wikimedia:200");
    test_feed_is(&t, 2, id, "wikimedia:100");
    assert_int_equal(t.answer->designs[0].rank, 51);
    assert_int_equal(t.answer->designs[2].rank, 53);

    /* "File:Far.jpg" has a colon, so its id is a hash. */

    test_feed_is(&t, 1, title, "Far");
    assert_int_equal(t.answer->designs[1].id.len, 10 + 32);
    assert_true(test_feed_joined(&t.answer->designs[1],
                                 "wikimedia:File:Far.jpg"));

    test_feed_free(&t);
}


static void
test_foreign(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "wikimedia" };

    (void) state;

    in.body = TEST_LIST(
        "{\"ns\":6,\"title\":\"File:Far.jpg\",\"missing\":true,"
        "\"known\":true,\"index\":1,"
        TEST_INFO("Far.jpg", "image/jpeg", "10", "10", "A") "}");
    test_feed_run(&t, &in);

    assert_int_equal(t.answer->ndesigns, 1);
    test_feed_is(&t, 0, title, "Far");

    test_feed_free(&t);
}


/* Nothing found is no "query" at all. */

static void
test_nothing(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "wikimedia" };

    (void) state;

    in.body = "{\"batchcomplete\":true}";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_OK);
    assert_int_equal(t.answer->ndesigns, 0);
    assert_int_equal(t.answer->more, 0);
    test_feed_free(&t);
}


/* Files browsers do not show, and scans nobody should load, by a thumbnail. */

static void
test_kinds(void **state)
{
    size_t          i;
    test_feed_t     t;
    test_feed_in_t  in = { .source = "wikimedia" };
    static const struct {
        const char  *body;
        const char  *url;       /* NULL: not shown */
        unsigned     width;
        unsigned     height;
    } rows[] = {
        { TEST_LIST(TEST_PAGE("1", "1", "A.tif",
              TEST_INFO("A.tif", "image/tiff", "3000", "1500", "A"))),
          TEST_UPLOAD "thumb/a/ab/A.tif/1920px-A.tif", 1920, 960 },
        { TEST_LIST(TEST_PAGE("1", "1", "A.tif",
              TEST_INFO("A.tif", "image/tiff", "400", "200", "A"))),
          TEST_UPLOAD "thumb/a/ab/A.tif/330px-A.tif", 330, 165 },
        { TEST_LIST(TEST_PAGE("1", "1", "A.tif",
              TEST_INFO("A.tif", "image/tiff", "300", "200", "A"))),
          TEST_UPLOAD "thumb/a/ab/A.tif/330px-A.tif", 0, 0 },
        { TEST_LIST(TEST_PAGE("1", "1", "A.jpg",
              TEST_INFO("A.jpg", "image/jpeg", "20000", "10000", "A"))),
          TEST_UPLOAD "thumb/a/ab/A.jpg/3840px-A.jpg", 3840, 1920 },
        { TEST_LIST(TEST_PAGE("1", "1", "A.svg",
              TEST_INFO("A.svg", "image/svg+xml", "2000", "1000", "A"))),
          TEST_UPLOAD "thumb/a/ab/A.svg/1920px-A.svg", 1920, 960 },
        { TEST_LIST(TEST_PAGE("1", "1", "A.webp",
              TEST_INFO("A.webp", "image/webp", "2000", "1000", "A"))),
          TEST_UPLOAD "a/ab/A.webp", 2000, 1000 },
        { TEST_LIST(TEST_PAGE("1", "1", "A.webm",
              TEST_INFO("A.webm", "video/webm", "2000", "1000", "A"))),
          NULL, 0, 0 },
        { TEST_LIST(TEST_PAGE("1", "1", "A.pdf",
              TEST_INFO("A.pdf", "application/pdf", "2000", "1000", "A"))),
          NULL, 0, 0 }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        in.body = rows[i].body;
        test_feed_run(&t, &in);
        assert_int_equal(t.outcome, AT_FEED_OK);

        if (rows[i].url == NULL) {
            at_test_true(t.answer->ndesigns == 0, "row %u is shown",
                         (unsigned) i);
            test_feed_free(&t);
            continue;
        }

        test_feed_is(&t, 0, url, rows[i].url);
        assert_int_equal(t.answer->designs[0].width, rows[i].width);
        assert_int_equal(t.answer->designs[0].height, rows[i].height);

        test_feed_free(&t);
    }
}


/* "lossy-page1-330px-...": the name has more in front. */

static void
test_page_thumb(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "wikimedia" };

    (void) state;

    in.body = TEST_LIST("{\"pageid\":1,\"title\":\"File:9px-A.tif\","
        "\"imageinfo\":[{\"width\":5000,\"height\":5000,"
        "\"url\":\"" TEST_UPLOAD "a/ab/9px-A.tif\",\"mime\":\"image/tiff\","
        "\"thumburl\":\"" TEST_UPLOAD "thumb/a/ab/9px-A.tif/"
        "lossy-page1-330px-9px-A.tif.jpg\",\"extmetadata\":{"
        "\"LicenseShortName\":{\"value\":\"Public domain\"}}}]}");
    test_feed_run(&t, &in);

    assert_int_equal(t.answer->ndesigns, 1);
    test_feed_is(&t, 0, url, TEST_UPLOAD "thumb/a/ab/9px-A.tif/"
                             "lossy-page1-3840px-9px-A.tif.jpg");
    test_feed_is(&t, 0, attribution,
                 "\"9px-A\", Public domain, via Wikimedia Commons");
    test_feed_free(&t);
}


/* No number that is only a part of the name, and nothing without licence. */

static void
test_no_thumb(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "wikimedia" };

    (void) state;

    in.body = TEST_LIST("{\"pageid\":1,\"title\":\"File:A12px-b.tif\","
        "\"imageinfo\":[{\"width\":5000,\"height\":5000,"
        "\"url\":\"" TEST_UPLOAD "A12px-b.tif\",\"mime\":\"image/tiff\","
        "\"thumburl\":\"" TEST_UPLOAD "A12px-b.png\",\"extmetadata\":{"
        "\"LicenseShortName\":{\"value\":\"Public domain\"}}}]},"
        "{\"pageid\":2,\"title\":\"File:B.jpg\",\"imageinfo\":[{"
        "\"url\":\"" TEST_UPLOAD "B.jpg\",\"extmetadata\":{}}]}");
    test_feed_run(&t, &in);

    assert_int_equal(t.answer->received, 2);
    assert_int_equal(t.answer->ndesigns, 1);
    test_feed_is(&t, 0, url, TEST_UPLOAD "A12px-b.png");
    assert_int_equal(t.answer->designs[0].width, 0);
    test_feed_free(&t);
}


static void
test_artists(void **state)
{
    size_t             i;
    char               body[2048];
    test_feed_t        t;
    test_feed_in_t     in = { .source = "wikimedia" };
    static const char  *rows[][3] = {
        { "<span class=\\\"fn\\\">Ann</span>", "Ann", "" },
        { "<style>.a{b:c}</style>Ann<br>Bob", "Ann Bob", "" },
        { "<div>Ann</div>\\n<div>&quot;B&#39;b&quot;</div>",
          "Ann \"B'b\"", "" },
        { "<a href=\\\"javascript:alert(1)\\\">Eve</a>", "Eve", "" },
        { "<a href=\\\"https://a.b/?c=d&amp;e=f\\\">Ann</a>", "Ann",
          "https://a.b/?c=d&e=f" },
        { "<a href=\\\"https://a.b", "Uploader", "" },
        { "<script>alert(1)", "Uploader", "" },
        { "a < b &copy; &unknown; &#0;&#xD800; \\ud800",
          "a < b \xC2\xA9 &unknown; &#0;&#xD800;", "" }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        (void) snprintf(body, sizeof(body), "%s%s%s",
            "{\"query\":{\"pages\":[{\"pageid\":1,\"title\":\"File:A.jpg\","
            "\"imageinfo\":[{\"user\":\"Uploader\",\"url\":\"" TEST_UPLOAD
            "A.jpg\",\"extmetadata\":{\"LicenseShortName\":{\"value\":"
            "\"CC0\"},\"Artist\":{\"value\":\"", rows[i][0],
            "\"}}}]}]}}");

        in.body = body;
        test_feed_run(&t, &in);

        test_feed_is(&t, 0, author, rows[i][1]);
        test_feed_is(&t, 0, author_url, rows[i][2]);
        test_feed_free(&t);
    }
}


/* It may go on for the texts alone: then more is to come all the same. */

static void
test_continue(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "wikimedia" };

    (void) state;

    in.body = "{\"continue\":{\"iicontinue\":\"X|2\"},\"query\":{\"pages\":["
              "{\"pageid\":1,\"title\":\"File:No info.jpg\"}]}}";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_OK);
    assert_int_equal(t.answer->ndesigns, 0);
    assert_int_equal(t.answer->more, 1);
    test_feed_free(&t);
}


static void
test_errors(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "wikimedia" };

    (void) state;

    in.headers = "Retry-After: 5\n";
    in.body = "{\"error\":{\"code\":\"maxlag\",\"info\":\"Waiting for a "
              "database server: 6 seconds lagged.\",\"lag\":6.1}}";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_RATE_LIMITED);
    assert_int_equal(t.answer->retry_after_ms, 5000);
    test_feed_free(&t);

    in.headers = NULL;
    in.body = "{\"error\":{\"code\":\"cirrussearch-too-busy-error\","
              "\"info\":\"x\"}}";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_ERROR);
    assert_int_equal(t.answer->more, 1);
    test_feed_free(&t);

    in.body = "{\"error\":{\"code\":\"ratelimited\",\"info\":\"x\"}}";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_RATE_LIMITED);
    assert_int_equal(t.answer->retry_after_ms, -1);
    test_feed_free(&t);

    in.status = 429;
    in.headers = "retry-after: 60\n";
    in.body = "<html>Too many requests</html>";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_RATE_LIMITED);
    assert_int_equal(t.answer->retry_after_ms, 60000);
    test_feed_free(&t);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_object),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_page_thumb),
        cmocka_unit_test(test_no_thumb),
        cmocka_unit_test(test_artists),
        cmocka_unit_test(test_continue),
        cmocka_unit_test(test_errors)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
