/*
 * Designs: their JSON, their score, and the order of rounds.
 */

#include "at_test.h"
#include "at_design.h"


typedef struct {
    const char  *source;
    uint32_t     width;
    uint32_t     height;
    uint32_t     score;
} test_score_t;


static const test_score_t  test_scores[] = {
    { "unsplash",  0,      0,      10000 },
    { "unsplash",  4000,   0,      10000 },
    { "pexels",    0,      3000,   9000 },
    { "unsplash",  1920,   1080,   10000 + 2073 + 10000 },
    { "pexels",    1600,   1200,   9000 + 1920 + 8000 },
    { "pixabay",   1000,   1000,   7000 + 1000 + 6000 },
    { "flickr",    1000,   2000,   6000 + 2000 },
    { "wikimedia", 20000,  20000,  5000 + 24000 + 6000 },
    { "wikimedia", 1000000, 1000000, 5000 + 24000 + 6000 },
    { "rawpixel",  100,    500,    3000 + 50 },
    { "openverse", 100,    500,    3000 + 50 },
    { "another",   100,    500,    3000 + 50 },
    { "another",   1100,   1000,   3000 + 1100 + 6000 },    /* 1.1 */
    { "another",   1101,   1000,   3000 + 1101 },
    { "another",   900,    1000,   3000 + 900 + 6000 },
    { "another",   899,    1000,   3000 + 899 },
    { "another",   1233,   1000,   3000 + 1233 },           /* 4:3 - 0.1 */
    { "another",   1234,   1000,   3000 + 1234 + 8000 },
    { "another",   1433,   1000,   3000 + 1433 + 8000 },
    { "another",   1434,   1000,   3000 + 1434 },
    { "another",   1677,   1000,   3000 + 1677 },           /* 16:9 */
    { "another",   1678,   1000,   3000 + 1678 + 10000 },
    { "another",   1877,   1000,   3000 + 1877 + 10000 },
    { "another",   1878,   1000,   3000 + 1878 }
};


static void
test_score(void **state)
{
    size_t               i;
    uint32_t             score;
    const test_score_t  *row;

    (void) state;

    for (i = 0; i < AT_TEST_N(test_scores); i++) {
        row = &test_scores[i];
        score = at_design_score(at_test_str(row->source), row->width,
                                row->height);

        at_test_true(score == row->score, "%s %ux%u: %u, not %u",
                     row->source, row->width, row->height, score, row->score);
    }
}


/* Rounds of five ranks; in a round the score decides alone. */

static void
test_order(void **state)
{
    (void) state;

    assert_true(at_design_order(1, 44000) < at_design_order(1, 43999));
    assert_true(at_design_order(5, 3000) < at_design_order(6, 44000));
    assert_true(at_design_order(1, 3000) > at_design_order(5, 44000));
    assert_true(at_design_order(6, 10) < at_design_order(10, 9));
    assert_true(at_design_order(10, 0) < at_design_order(11, 44000));
    assert_int_equal(at_design_order(1, 7), at_design_order(5, 7));
    assert_int_equal(at_design_order(0, 7), at_design_order(1, 7));

    assert_int_equal(at_design_order(1, 9999999), 0);
    assert_int_equal(at_design_order(6, 44000), 10000000 + 9999999 - 44000);

    /* Numbers no answer has still make an exact double. */

    assert_true(at_design_order(UINT32_MAX, 0) < (1ULL << 53));
    assert_true(at_design_order(1, UINT32_MAX) == 0);
}


static at_design_t
test_design(void)
{
    at_design_t  d;

    memset(&d, 0, sizeof(d));

    d.id = AT_STR("pexels:1");
    d.source = AT_STR("pexels");
    d.title = AT_STR("a \"room\"");
    d.url = AT_STR("https://a.b/c?d=e&f");
    d.thumb = AT_STR("https://a.b/t");
    d.color = AT_STR("#AABBCC");
    d.blurhash = AT_STR("LEHV6nWB2yk8");
    d.author = AT_STR("Ann");
    d.author_url = AT_STR("https://a.b/ann");
    d.page_url = AT_STR("https://a.b/p");
    d.license = AT_STR("Pexels License");
    d.attribution = AT_STR("Photo by Ann on Pexels");
    d.width = 100;
    d.height = 200;
    d.score = 29070;

    return d;
}


static void
test_write(void **state)
{
    at_buf_t     b = { NULL, 0, 0, 0 };
    at_design_t  d;

    (void) state;

    d = test_design();

    assert_int_equal(at_design_write(&b, &d), AT_OK);
    assert_true(at_str_is(at_buf_str(&b),
        "{\"id\":\"pexels:1\",\"source\":\"pexels\","
        "\"title\":\"a \\\"room\\\"\",\"url\":\"https://a.b/c?d=e&f\","
        "\"thumb\":\"https://a.b/t\",\"width\":100,\"height\":200,"
        "\"color\":\"#AABBCC\",\"blurhash\":\"LEHV6nWB2yk8\","
        "\"author\":\"Ann\",\"authorUrl\":\"https://a.b/ann\","
        "\"pageUrl\":\"https://a.b/p\",\"license\":\"Pexels License\","
        "\"attribution\":\"Photo by Ann on Pexels\",\"score\":29.07}"));

    at_buf_free(&b);
}


/* What is unknown is null, but for the blurhash, which is left out. */

static void
test_write_unknown(void **state)
{
    at_buf_t     b = { NULL, 0, 0, 0 };
    at_design_t  d;

    (void) state;

    memset(&d, 0, sizeof(d));
    d.id = AT_STR("x:1");
    d.score = 3005;

    assert_int_equal(at_design_write(&b, &d), AT_OK);
    assert_true(at_str_is(at_buf_str(&b),
        "{\"id\":\"x:1\",\"source\":\"\",\"title\":\"\",\"url\":\"\","
        "\"thumb\":\"\",\"width\":null,\"height\":null,\"color\":null,"
        "\"author\":null,\"authorUrl\":null,\"pageUrl\":\"\","
        "\"license\":\"\",\"attribution\":\"\",\"score\":3.005}"));

    b.len = 0;
    d.score = 44000;

    assert_int_equal(at_design_write(&b, &d), AT_OK);
    assert_memory_equal(b.data + b.len - 11, "\"score\":44}", 11);

    at_buf_free(&b);
}


/* At every bound it says so, and leaves nothing half. */

static void
test_write_bounded(void **state)
{
    size_t       max;
    at_buf_t     b = { NULL, 0, 0, 0 };
    at_design_t  d;

    (void) state;

    d = test_design();

    for (max = 1; /* void */; max++) {
        b.max = max;

        if (at_design_write(&b, &d) == AT_OK) {
            break;
        }

        assert_int_equal(b.len, 0);
    }

    assert_int_equal(b.len, max);
    at_buf_free(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_score),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_write_unknown),
        cmocka_unit_test(test_write_bounded)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
