/*
 * Unsplash: its rules on links, titles that are null, and downloads.
 */

#include "test_feed.h"


#define TEST_URL                                                             \
    "https://images.unsplash.com/photo-15?crop=entropy\\u0026cs=srgb"        \
    "\\u0026fm=jpg\\u0026ixid=M3w1fDB8\\u0026ixlib=rb-4.0.3\\u0026q=85"

#define TEST_PHOTO(text, more)                                               \
    "{\"id\":\"Dwu85P9_xzY\",\"slug\":\"a-room-Dwu85P9xzY\","                \
    "\"width\":6000,\"height\":4000,\"color\":\"#d9c0a6\"," text             \
    "\"urls\":{\"raw\":\"https://images.unsplash.com/photo-15?ixid=M3w1\","  \
    "\"full\":\"" TEST_URL "\",\"regular\":\"" TEST_URL "&w=1080\","         \
    "\"small\":\"" TEST_URL "&w=400\",\"thumb\":\"" TEST_URL "&w=200\","     \
    "\"small_s3\":null},"                                                    \
    "\"links\":{\"self\":\"https://api.unsplash.com/photos/Dwu\","           \
    "\"html\":\"https://unsplash.com/photos/a-quiet-room-Dwu85P9xzY\","      \
    "\"download\":\"https://unsplash.com/photos/Dwu/download\","             \
    "\"download_location\":\"https://api.unsplash.com/photos/Dwu/download\"" \
    "},\"likes\":75,\"user\":{\"id\":\"u\",\"username\":\"spacejoy\","       \
    "\"name\":\"Spacejoy\",\"links\":{\"html\":"                             \
    "\"https://unsplash.com/@spacejoy\"}},"                                  \
    "\"tags\":[{\"title\":\"home\"},{\"title\":null}],"                      \
    "\"asset_type\":\"photo\",\"sponsorship\":null" more "}"

#define TEST_LIST(photos)                                                    \
    "{\"total\":10000,\"total_pages\":334,\"results\":[" photos "]}"


static void
test_call(void **state)
{
    const char      *path;
    at_feed_args_t   args;
    at_feed_call_t   call;

    (void) state;

    assert_string_equal(test_feed_call("unsplash", "query=sofa&color=teal"
                                       "&orientation=square", 2, 0, &path),
                        "query=sofa&page=2&per_page=30"
                        "&orientation=squarish&color=teal");
    assert_string_equal(path, "search/photos");

    /* Brown is not among its colours: found by the colour of the photo. */

    assert_string_equal(test_feed_call("unsplash", "query=sofa&color=brown",
                                       1, 0, NULL),
                        "query=sofa&page=1&per_page=30");
    assert_string_equal(test_feed_call("unsplash", "", 1, 0, NULL),
                        "query=interior%20design&page=1&per_page=30");

    test_feed_args(&args, "query=a", NULL);
    assert_int_equal(at_feed_call(at_feed_source(1), &args.query, 1, 0,
                                  &call), AT_OK);
    assert_int_equal(call.nheaders, 2);
    assert_true(at_str_is(call.headers[1].name, "Accept-Version"));
    assert_true(at_str_is(call.headers[1].value, "v1"));
    at_feed_call_free(&call);

    assert_int_equal(at_feed_call(at_feed_source(1), &args.query, 201, 0,
                                  &call), AT_ERROR);
    assert_int_equal(at_feed_call(at_feed_source(1), &args.query, 0, 0,
                                  &call), AT_ERROR);
}


static void
test_answer(void **state)
{
    size_t          piece;
    test_feed_t     t;
    test_feed_in_t  in = { .source = "unsplash", .app = "my_rooms" };

    (void) state;

    in.body = TEST_LIST(TEST_PHOTO("\"description\":\"A room\","
                                   "\"blur_hash\":\"LEHV6nWB2yk8pyo0adR*\","
                                   "\"alt_description\":\"sofa\",", ""));

    for (piece = 0; piece < 40; piece++) {
        in.piece = piece;
        test_feed_run(&t, &in);

        assert_int_equal(t.outcome, AT_FEED_OK);
        assert_int_equal(t.answer->ndesigns, 1);
        assert_int_equal(t.answer->more, 1);

        test_feed_is(&t, 0, id, "unsplash:Dwu85P9_xzY");
        test_feed_is(&t, 0, title, "A room");
        test_feed_is(&t, 0, url,
                     "https://images.unsplash.com/photo-15?crop=entropy"
                     "&cs=srgb&fm=jpg&ixid=M3w1fDB8&ixlib=rb-4.0.3&q=85");
        test_feed_is(&t, 0, thumb,
                     "https://images.unsplash.com/photo-15?crop=entropy"
                     "&cs=srgb&fm=jpg&ixid=M3w1fDB8&ixlib=rb-4.0.3&q=85"
                     "&w=400");
        test_feed_is(&t, 0, color, "#D9C0A6");
        test_feed_is(&t, 0, blurhash, "LEHV6nWB2yk8pyo0adR*");
        test_feed_is(&t, 0, author, "Spacejoy");
        test_feed_is(&t, 0, author_url,
                     "https://unsplash.com/@spacejoy?utm_source=my_rooms"
                     "&utm_medium=referral");
        test_feed_is(&t, 0, page_url,
                     "https://unsplash.com/photos/a-quiet-room-Dwu85P9xzY"
                     "?utm_source=my_rooms&utm_medium=referral");
        test_feed_is(&t, 0, license, "Unsplash License");
        test_feed_is(&t, 0, attribution, "Photo by Spacejoy on Unsplash");
        assert_true(test_feed_joined(&t.answer->designs[0],
                                     "url:images.unsplash.com/photo-15"));

        test_feed_free(&t);
    }
}


/* description is mostly null; both can be; old photos have no blur_hash. */

static void
test_titles(void **state)
{
    size_t               i;
    test_feed_t          t;
    test_feed_in_t       in = { .source = "unsplash" };
    static const char   *rows[][2] = {
        { TEST_LIST(TEST_PHOTO("\"description\":null,\"blur_hash\":null,"
                               "\"alt_description\":\"grey sofa\",", "")),
          "grey sofa" },
        { TEST_LIST(TEST_PHOTO("\"alt_description\":\"grey sofa\","
                               "\"description\":\"Late\",", "")),
          "Late" },
        { TEST_LIST(TEST_PHOTO("\"description\":null,"
                               "\"alt_description\":null,", "")),
          "a quiet room" },
        { TEST_LIST(TEST_PHOTO("\"description\":\" \","
                               "\"alt_description\":null,", "")),
          "a quiet room" }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        in.body = rows[i][0];
        test_feed_run(&t, &in);

        assert_int_equal(t.outcome, AT_FEED_OK);
        test_feed_is(&t, 0, title, rows[i][1]);
        test_feed_is(&t, 0, blurhash, "");
        test_feed_is(&t, 0, author_url,
                     "https://unsplash.com/@spacejoy?utm_source=atelier"
                     "&utm_medium=referral");

        test_feed_free(&t);
    }
}


/* Hosts are taken as they come; links that have arguments keep them. */

static void
test_links(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "unsplash", .app = "not an app" };

    (void) state;

    in.body = TEST_LIST(
        "{\"id\":\"a\",\"urls\":{\"raw\":"
        "\"https://plus.unsplash.com/premium_photo-1?ixid=Mnwx\"},"
        "\"links\":{\"html\":\"https://unsplash.com/photos/a?utm_source=x"
        "&b=c&utm_medium=y#d\"}},"
        "{\"id\":\"b\",\"urls\":{\"full\":\"https://images.unsplash.com/b\"},"
        "\"links\":{}}");
    test_feed_run(&t, &in);

    assert_int_equal(t.answer->ndesigns, 2);
    test_feed_is(&t, 0, url,
                 "https://plus.unsplash.com/premium_photo-1?ixid=Mnwx");
    test_feed_is(&t, 0, thumb,
                 "https://plus.unsplash.com/premium_photo-1?ixid=Mnwx");
    test_feed_is(&t, 0, page_url,
                 "https://unsplash.com/photos/a?b=c&utm_source=atelier"
                 "&utm_medium=referral");
    test_feed_is(&t, 0, author, "");
    test_feed_is(&t, 0, attribution, "Photo on Unsplash");
    test_feed_is(&t, 1, url, "https://images.unsplash.com/b");
    assert_int_equal(t.answer->designs[1].width, 0);

    test_feed_free(&t);
}


/* Past page 200 it is empty, with no pages in all. */

static void
test_end(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "unsplash", .page = 199 };

    (void) state;

    in.body = "{\"total\":0,\"total_pages\":0,\"results\":[]}";
    test_feed_run(&t, &in);

    assert_int_equal(t.outcome, AT_FEED_OK);
    assert_int_equal(t.answer->ndesigns, 0);
    assert_int_equal(t.answer->more, 0);
    test_feed_free(&t);

    in.page = 200;
    in.body = TEST_LIST(TEST_PHOTO("", ""));
    test_feed_run(&t, &in);
    assert_int_equal(t.answer->more, 0);
    test_feed_free(&t);
}


static void
test_download(void **state)
{
    at_feed_call_t           call;
    const at_feed_source_t  *source;

    (void) state;

    source = at_feed_source_find(AT_STR("unsplash"));

    assert_int_equal(at_feed_download(source, AT_STR("Dwu85P9_xzY"),
        AT_STR("https://images.unsplash.com/p?a=b&ixid=M3w%3D&q=85"), &call),
        AT_OK);
    assert_true(at_str_is(call.path, "photos/Dwu85P9_xzY/download"));
    assert_true(at_str_is(call.args, "ixid=M3w%3D"));
    at_feed_call_free(&call);

    assert_int_equal(at_feed_download(source, AT_STR("a-b"),
        AT_STR("https://images.unsplash.com/p?q=85"), &call), AT_OK);
    assert_true(at_str_is(call.path, "photos/a-b/download"));
    assert_int_equal(call.args.len, 0);
    at_feed_call_free(&call);

    /* No id that could lead elsewhere. */

    assert_int_equal(at_feed_download(source, AT_STR(".."),
        AT_STR("https://images.unsplash.com/p"), &call), AT_ERROR);
    assert_int_equal(at_feed_download(source, AT_STR("a/b"),
        AT_STR("https://images.unsplash.com/p"), &call), AT_ERROR);
    assert_int_equal(at_feed_download(source, AT_STR(""),
        AT_STR("https://images.unsplash.com/p"), &call), AT_ERROR);

    /* And of nobody else. */

    assert_int_equal(at_feed_download(at_feed_source(0), AT_STR("1"),
        AT_STR("https://images.pexels.com/p"), &call), AT_ERROR);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_titles),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_download)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
