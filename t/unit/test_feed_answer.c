/*
 * What all answers have in common: bounds, cuts, marks, ranks, filters.
 */

#include "test_feed.h"


#define TEST_PHOTO(id, rest)                                                 \
    "{\"id\":" id ",\"src\":{\"original\":\"https://a.b/" id "\"}" rest "}"

#define TEST_LIST(photos)  "{\"photos\":[" photos "]}"


/* A byte order mark may stand first, and be cut anywhere. */

static void
test_bom(void **state)
{
    size_t          piece;
    test_feed_t     t;
    test_feed_in_t  in = { .source = "pexels" };

    (void) state;

    for (piece = 0; piece < 6; piece++) {
        in.piece = piece;
        in.body = "\xEF\xBB\xBF" TEST_LIST(TEST_PHOTO("1", ""));
        test_feed_run(&t, &in);
        assert_int_equal(t.outcome, AT_FEED_OK);
        assert_int_equal(t.answer->ndesigns, 1);
        test_feed_free(&t);

        in.body = "\xEF\xBB" TEST_LIST(TEST_PHOTO("1", ""));
        test_feed_run(&t, &in);
        assert_int_equal(t.outcome, AT_FEED_PARSE);
        test_feed_free(&t);

        in.body = "\xEF\xBB\xBF\xEF\xBB\xBF" TEST_LIST(TEST_PHOTO("1", ""));
        test_feed_run(&t, &in);
        assert_int_equal(t.outcome, AT_FEED_PARSE);
        test_feed_free(&t);

        in.body = "\xEF\xBB\xBF";
        test_feed_run(&t, &in);
        assert_int_equal(t.outcome, AT_FEED_PARSE);
        test_feed_free(&t);
    }
}


/* Wherever it ends too early there is nothing, and more may come. */

static void
test_truncated(void **state)
{
    char                body[512];
    size_t              len;
    test_feed_t         t;
    test_feed_in_t      in = { .source = "pexels" };
    static const char   whole[] = TEST_LIST(TEST_PHOTO("1", "") ","
                                            TEST_PHOTO("2", ""));

    (void) state;

    for (len = 0; len < sizeof(whole) - 1; len++) {
        memcpy(body, whole, len);
        body[len] = '\0';
        in.body = body;
        in.cut = len & 1;
        test_feed_run(&t, &in);

        at_test_true(t.outcome == AT_FEED_PARSE && t.answer->ndesigns == 0
                     && t.answer->more == 1, "cut at %u: %s",
                     (unsigned) len, at_feed_outcome_name(t.outcome));
        test_feed_free(&t);
    }

    /* It looks whole, but the connection says it is not. */

    in.body = whole;
    in.cut = 1;
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_PARSE);
    assert_int_equal(t.answer->ndesigns, 0);
    test_feed_free(&t);
}


static void
test_not_it(void **state)
{
    size_t              i;
    test_feed_t         t;
    test_feed_in_t      in = { .source = "pexels" };
    static const char  *bodies[] = {
        "", "{}", "[]", "null", "\"photos\"", "<html></html>", "OK",
        "{\"photos\":null}", "{\"photos\":1}", "{\"error\":\"x\"}",
        "{\"data\":{\"photos\":[" TEST_PHOTO("1", "") "]}}",
        TEST_LIST(TEST_PHOTO("1", "")) "x",
        TEST_LIST(TEST_PHOTO("1", "")) "{}",
        "{\"photos\":[{]}"
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(bodies); i++) {
        in.body = bodies[i];
        test_feed_run(&t, &in);

        at_test_true(t.outcome == AT_FEED_PARSE, "'%s': %s", bodies[i],
                     at_feed_outcome_name(t.outcome));
        assert_int_equal(t.answer->ndesigns, 0);
        assert_int_not_equal(t.answer->reason[0], '\0');
        test_feed_free(&t);
    }
}


static void
test_deep(void **state)
{
    char            body[512];
    size_t          depth, i, n;
    test_feed_t     t;
    test_feed_in_t  in = { .source = "pexels", .body = body };

    (void) state;

    for (depth = 60; depth < 70; depth++) {
        n = (size_t) snprintf(body, sizeof(body), "{\"photos\":[],\"x\":");

        for (i = 1; i < depth; i++) {
            body[n++] = '[';
        }

        for (i = 1; i < depth; i++) {
            body[n++] = ']';
        }

        (void) snprintf(body + n, sizeof(body) - n, "}");

        test_feed_run(&t, &in);
        assert_int_equal(t.outcome, depth <= AT_FEED_DEPTH ? AT_FEED_OK
                                                           : AT_FEED_PARSE);
        test_feed_free(&t);
    }
}


/* One byte too many, in one piece or in many. */

static void
test_long(void **state)
{
    size_t          len, piece;
    char           *body;
    test_feed_t     t;
    test_feed_in_t  in = { .source = "pexels" };

    (void) state;

    body = malloc(AT_FEED_ANSWER_MAX + 2);
    assert_non_null(body);
    in.body = body;

    for (len = AT_FEED_ANSWER_MAX; len <= AT_FEED_ANSWER_MAX + 1; len++) {
        memset(body, ' ', len);
        memcpy(body, "{\"photos\":[]}", 13);
        body[len] = '\0';

        for (piece = 0; piece <= 65536; piece += 65536) {
            in.piece = piece;
            test_feed_run(&t, &in);
            assert_int_equal(t.outcome, len > AT_FEED_ANSWER_MAX
                                        ? AT_FEED_PARSE : AT_FEED_OK);
            test_feed_free(&t);
        }
    }

    /* Of an error the status says enough. */

    in.status = 500;
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_ERROR);
    test_feed_free(&t);

    free(body);
}


static void
test_encoded(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "pexels" };

    (void) state;

    in.headers = "content-encoding: gzip\n";
    in.body = TEST_LIST("");
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_PARSE);
    test_feed_free(&t);

    in.headers = "Content-Encoding: identity\n";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_OK);
    test_feed_free(&t);
}


/* Items that are none, come twice, or have odd ids. */

static void
test_items(void **state)
{
    test_feed_t     t;
    test_feed_in_t  in = { .source = "pexels", .ranked = 7 };

    (void) state;

    in.body = TEST_LIST(
        "null,1,\"x\",[],{},"
        "{\"id\":null,\"src\":{\"original\":\"https://a.b/0\"}},"
        "{\"id\":\"\",\"src\":{\"original\":\"https://a.b/0\"}},"
        "{\"id\":5},"
        "{\"id\":6,\"src\":null},"
        "{\"id\":7,\"src\":{\"original\":\"ftp://a.b/0\"}},"
        "{\"id\":8,\"src\":{\"original\":{\"x\":\"https://a.b/0\"}}},"
        TEST_PHOTO("1", ",\"new\":{\"id\":9,\"src\":{\"a\":[{}]}}") ","
        TEST_PHOTO("1", ",\"alt\":\"again\"") ","
        TEST_PHOTO("2", ""));
    test_feed_run(&t, &in);

    assert_int_equal(t.outcome, AT_FEED_OK);
    assert_int_equal(t.answer->received, 10);
    assert_int_equal(t.answer->ndesigns, 2);
    test_feed_is(&t, 0, id, "pexels:1");
    test_feed_is(&t, 0, title, "");
    test_feed_is(&t, 0, page_url, "https://a.b/1");
    test_feed_is(&t, 0, thumb, "https://a.b/1");
    test_feed_is(&t, 1, id, "pexels:2");
    assert_int_equal(t.answer->designs[0].rank, 8);
    assert_int_equal(t.answer->designs[1].rank, 9);
    test_feed_free(&t);

    in.source = "openverse";
    in.body = "{\"results\":["
        "{\"id\":\"a b\",\"url\":\"https://a.b/1\",\"license\":\"by\"},"
        "{\"id\":\"a\\u0000b\",\"url\":\"https://a.b/2\",\"license\":\"by\"},"
        "{\"id\":\"0123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789\","
        "\"url\":\"https://a.b/3\",\"license\":\"by\"},"
        "{\"id\":\"0123456789012345678901234567890123456789"
        "01234567890123456789012345678901234567890\","
        "\"url\":\"https://a.b/4\",\"license\":\"by\"}]}";
    test_feed_run(&t, &in);

    assert_int_equal(t.answer->ndesigns, 4);
    assert_int_equal(t.answer->designs[0].id.len, 10 + 32);
    assert_int_equal(t.answer->designs[1].id.len, 10 + 32);
    assert_int_equal(t.answer->designs[2].id.len, 10 + 80);
    assert_int_equal(t.answer->designs[3].id.len, 10 + 32);
    assert_false(at_str_eq(t.answer->designs[0].id, t.answer->designs[1].id));
    test_feed_free(&t);
}


/* Never more than were asked for. */

static void
test_many(void **state)
{
    char            body[16384];
    size_t          i, n;
    test_feed_t     t;
    test_feed_in_t  in = { .source = "pexels", .body = body };

    (void) state;

    n = (size_t) snprintf(body, sizeof(body), "{\"photos\":[");

    for (i = 0; i < 100; i++) {
        n += (size_t) snprintf(body + n, sizeof(body) - n, "%s{\"id\":%u,"
                               "\"src\":{\"original\":\"https://a.b/%u\"}}",
                               i ? "," : "", (unsigned) i, (unsigned) i);
    }

    (void) snprintf(body + n, sizeof(body) - n, "]}");
    test_feed_run(&t, &in);

    assert_int_equal(t.answer->received, 100);
    assert_int_equal(t.answer->ndesigns, 80);
    assert_int_equal(t.answer->designs[79].rank, 80);
    test_feed_free(&t);
}


/*
 * A page that is full is the last only where pages behind it repeat; a filter
 * the source has applied is its own affair.
 */

static void
test_full(void **state)
{
    size_t          i, n;
    char            body[16384];
    test_feed_t     t;
    test_feed_in_t  in = { .source = "pexels", .body = body };

    (void) state;

    n = (size_t) snprintf(body, sizeof(body), "{\"total_results\":80,"
                          "\"photos\":[");

    for (i = 0; i < 80; i++) {
        n += (size_t) snprintf(body + n, sizeof(body) - n, "%s{\"id\":%u,"
                               "\"width\":3,\"height\":1,\"src\":{"
                               "\"original\":\"https://a.b/%u\"}}",
                               i ? "," : "", (unsigned) i, (unsigned) i);
    }

    (void) snprintf(body + n, sizeof(body) - n, "]}");

    in.args = "orientation=square";
    test_feed_run(&t, &in);
    assert_int_equal(t.answer->ndesigns, 80);
    assert_int_equal(t.answer->more, 1);
    test_feed_free(&t);

    n = (size_t) snprintf(body, sizeof(body), "{\"stat\":\"ok\",\"photos\":{"
                          "\"pages\":1,\"total\":\"100\",\"photo\":[");

    for (i = 0; i < 100; i++) {
        n += (size_t) snprintf(body + n, sizeof(body) - n, "%s{\"id\":\"%u\"}",
                               i ? "," : "", (unsigned) i);
    }

    (void) snprintf(body + n, sizeof(body) - n, "]}}");

    in.source = "flickr";
    test_feed_run(&t, &in);
    assert_int_equal(t.outcome, AT_FEED_OK);
    assert_int_equal(t.answer->received, 100);
    assert_int_equal(t.answer->more, 0);
    test_feed_free(&t);
}


/* A page may be short in the middle, and totals lie. */

static void
test_more(void **state)
{
    size_t          i;
    test_feed_t     t;
    test_feed_in_t  in = { .source = "pexels" };
    static const struct {
        const char  *body;
        unsigned     page;
        unsigned     more;
    } rows[] = {
        { TEST_LIST(TEST_PHOTO("1", "")), 1, 1 },
        { TEST_LIST(TEST_PHOTO("1", "")), 99, 1 },
        { TEST_LIST(TEST_PHOTO("1", "")), 100, 0 },
        { TEST_LIST(""), 1, 0 },
        { "{\"total_results\":8000,\"photos\":[]}", 1, 0 },
        { "{\"total_results\":1,\"photos\":[" TEST_PHOTO("1", "") "]}",
          1, 0 },
        { "{\"total_results\":0,\"photos\":[" TEST_PHOTO("1", "") "]}",
          1, 1 },
        { "{\"total_results\":81,\"photos\":[" TEST_PHOTO("1", "") "]}",
          1, 1 },
        { "{\"total_results\":81,\"photos\":[" TEST_PHOTO("1", "") "]}",
          2, 0 },
        { "{\"total_results\":null,\"next_page\":null,\"photos\":["
          TEST_PHOTO("1", "") "]}", 1, 1 },
        { "{\"total_results\":\"many\",\"photos\":[" TEST_PHOTO("1", "")
          "]}", 1, 1 },
        { "{\"total_results\":99999999999999999999999,\"photos\":["
          TEST_PHOTO("1", "") "]}", 1, 1 }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        in.body = rows[i].body;
        in.page = rows[i].page;
        test_feed_run(&t, &in);

        assert_int_equal(t.outcome, AT_FEED_OK);
        at_test_true(t.answer->more == rows[i].more, "row %u: more is %u",
                     (unsigned) i, (unsigned) t.answer->more);
        test_feed_free(&t);
    }
}


#define TEST_SIZED(id, w, h)                                                 \
    "{\"id\":\"" id "\",\"license\":\"cc0\",\"image_1300\":\"https://a.b/"   \
    id "\",\"width\":" w ",\"height\":" h "}"


/* Rawpixel has no filters: an item has to show that it fits. */

static void
test_orientation(void **state)
{
    size_t              i;
    test_feed_t         t;
    test_feed_in_t      in = { .source = "rawpixel" };
    static const char  *rows[][2] = {
        { "orientation=landscape", "rawpixel:w" },
        { "orientation=portrait",  "rawpixel:t" },
        { "orientation=square",    "rawpixel:s" }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        in.args = rows[i][0];
        in.body = "{\"results\":[" TEST_SIZED("w", "1101", "1000") ","
                  TEST_SIZED("t", "899", "1000") ","
                  TEST_SIZED("s", "1100", "1000") ","
                  TEST_SIZED("u", "null", "1000") "]}";
        test_feed_run(&t, &in);

        assert_int_equal(t.answer->received, 4);
        assert_int_equal(t.answer->ndesigns, 1);
        test_feed_is(&t, 0, id, rows[i][1]);
        assert_int_equal(t.answer->designs[0].rank, 1);
        test_feed_free(&t);
    }
}


/*
 * Unsplash has no brown, so colours of items are looked at; it has red, which
 * is its own affair.  Sources that know nothing of colours are not asked.
 */

static void
test_color(void **state)
{
    test_feed_t     t;
    at_feed_args_t  args;
    test_feed_in_t  in = { .source = "unsplash" };

    (void) state;

    in.body = "{\"results\":["
        "{\"id\":\"a\",\"urls\":{\"full\":\"https://a.b/1\"},"
        "\"color\":\"#6d4c41\"},"
        "{\"id\":\"b\",\"urls\":{\"full\":\"https://a.b/2\"},"
        "\"color\":\"#c0d9f3\"},"
        "{\"id\":\"c\",\"urls\":{\"full\":\"https://a.b/3\"},"
        "\"color\":null},"
        "{\"id\":\"d\",\"urls\":{\"full\":\"https://a.b/4\"},"
        "\"color\":\"brown\"}]}";

    in.args = "color=brown";
    test_feed_run(&t, &in);
    assert_int_equal(t.answer->ndesigns, 1);
    test_feed_is(&t, 0, id, "unsplash:a");
    test_feed_free(&t);

    in.args = "color=red";
    test_feed_run(&t, &in);
    assert_int_equal(t.answer->ndesigns, 4);
    test_feed_is(&t, 3, color, "");
    test_feed_free(&t);

    test_feed_args(&args, "color=brown", NULL);
    assert_true(at_feed_serves(at_feed_source(0), &args.query));
    assert_true(at_feed_serves(at_feed_source(1), &args.query));
    assert_true(at_feed_serves(at_feed_source(2), &args.query));
    assert_false(at_feed_serves(at_feed_source(3), &args.query));
    assert_false(at_feed_serves(at_feed_source(4), &args.query));
    assert_false(at_feed_serves(at_feed_source(5), &args.query));
    assert_false(at_feed_serves(at_feed_source(6), &args.query));

    test_feed_args(&args, "source=flickr,pexels", NULL);
    assert_true(at_feed_serves(at_feed_source(0), &args.query));
    assert_false(at_feed_serves(at_feed_source(1), &args.query));
    assert_true(at_feed_serves(at_feed_source(3), &args.query));
}


static void
test_table(void **state)
{
    unsigned                 i;
    const at_feed_source_t  *source;
    static const char       *names[] = {
        "pexels", "unsplash", "pixabay", "flickr", "wikimedia", "rawpixel",
        "openverse"
    };

    (void) state;

    for (i = 0; i < AT_FEED_SOURCES; i++) {
        source = at_feed_source(i);

        assert_true(at_str_is(source->name, names[i]));
        assert_int_equal(source->index, i);
        assert_ptr_equal(at_feed_source_find(at_test_str(names[i])), source);
        assert_non_null(strstr(at_feed_source_names(), names[i]));
    }

    assert_null(at_feed_source(AT_FEED_SOURCES));
    assert_null(at_feed_source_find(AT_STR("Pexels")));
    assert_null(at_feed_source_find(AT_STR("")));

    assert_string_equal(at_feed_outcome_name(AT_FEED_OK), "ok");
    assert_string_equal(at_feed_outcome_name(AT_FEED_TIMEOUT), "timeout");
    assert_string_equal(at_feed_outcome_name(AT_FEED_RATE_LIMITED),
                        "rate_limited");
    assert_string_equal(at_feed_outcome_name(AT_FEED_AUTH), "auth");
    assert_string_equal(at_feed_outcome_name(AT_FEED_PARSE), "parse");
    assert_string_equal(at_feed_outcome_name(AT_FEED_DISABLED), "disabled");
    assert_string_equal(at_feed_outcome_name(AT_FEED_ERROR), "error");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_bom),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_not_it),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_encoded),
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_more),
        cmocka_unit_test(test_orientation),
        cmocka_unit_test(test_color),
        cmocka_unit_test(test_table)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
