/*
 * Perceptual hashes: the same picture in another size, brightness, frame or
 * row layout is the same; another picture is not, nor is one without
 * features; the stored form.
 */

#include "at_test.h"
#include "phash/at_phash.h"


#define TEST_W  240
#define TEST_H  160


/* A scene of soft blobs that follows from its seed, from 30 to 220. */
static void
test_scene(uint32_t seed, uint8_t *grey, size_t w, size_t h)
{
    float     at[12][4], v, dx, dy, d;
    size_t    i, x, y;
    uint32_t  state;

    state = seed * 2654435761u + 1;

    for (i = 0; i < 12; i++) {
        at[i][0] = (float) (at_test_random(&state) % 1000) / 1000;
        at[i][1] = (float) (at_test_random(&state) % 1000) / 1000;
        at[i][2] = 0.05f + (float) (at_test_random(&state) % 1000) / 4000;
        at[i][3] = (float) (at_test_random(&state) % 200) - 100;
    }

    for (y = 0; y < h; y++) {
        for (x = 0; x < w; x++) {
            v = 125;

            for (i = 0; i < 12; i++) {
                dx = ((float) x + 0.5f) / (float) w - at[i][0];
                dy = ((float) y + 0.5f) / (float) h - at[i][1];
                d = 1 - (dx * dx + dy * dy) / (at[i][2] * at[i][2]);
                v += (d > 0) ? at[i][3] * d : 0;
            }

            v = (v < 30) ? 30 : (v > 220) ? 220 : v;
            grey[y * w + x] = (uint8_t) v;
        }
    }
}


static at_phash_t
test_hash(uint32_t seed, size_t w, size_t h)
{
    uint8_t    *grey;
    at_phash_t  hash;

    grey = malloc(w * h);
    assert_non_null(grey);
    test_scene(seed, grey, w, h);
    assert_int_equal(at_phash(grey, w, h, w, &hash), AT_OK);
    free(grey);

    return hash;
}


static void
test_sizes(void **state)
{
    size_t      i;
    uint32_t    seed;
    at_phash_t  one, two;

    static const size_t  sizes[][2] = {
        { 120, 80 }, { 150, 100 }, { 640, 427 }, { 61, 41 }, { 64, 64 },
        { 16, 16 }, { 1999, 17 }
    };

    (void) state;

    for (seed = 1; seed < 20; seed++) {
        one = test_hash(seed, TEST_W, TEST_H);
        assert_int_equal(one.plain, 0);

        for (i = 0; i < AT_TEST_N(sizes); i++) {
            two = test_hash(seed, sizes[i][0], sizes[i][1]);
            at_test_true(at_phash_same(&one, &two),
                         "seed %u, %zu x %zu: %u, %u bits", seed, sizes[i][0],
                         sizes[i][1], at_phash_distance(&one, &two),
                         at_phash_wide_distance(&one, &two));
        }
    }
}


static void
test_others(void **state)
{
    uint32_t    a, b;
    at_phash_t  hashes[60];

    (void) state;

    for (a = 0; a < AT_TEST_N(hashes); a++) {
        hashes[a] = test_hash(a + 100, TEST_W, TEST_H);

        for (b = 0; b < a; b++) {
            at_test_true(!at_phash_same(&hashes[a], &hashes[b]),
                         "%u and %u: %u, %u bits", a, b,
                         at_phash_distance(&hashes[a], &hashes[b]),
                         at_phash_wide_distance(&hashes[a], &hashes[b]));
        }
    }
}


/* Half of the bits are set, so distances are even. */
static void
test_median(void **state)
{
    size_t      i;
    unsigned    n;
    uint32_t    seed;
    at_phash_t  h;

    (void) state;

    for (seed = 1; seed < 20; seed++) {
        h = test_hash(seed, TEST_W, TEST_H);
        n = 0;

        for (i = 0; i < 4; i++) {
            n += (unsigned) __builtin_popcountll(h.wide[i]);
        }

        assert_int_equal(__builtin_popcountll(h.bits), 32);
        assert_int_equal(n, 128);
    }
}


static void
test_light(void **state)
{
    size_t      i;
    uint8_t     grey[TEST_W * TEST_H], other[TEST_W * TEST_H];
    at_phash_t  one, two;

    (void) state;

    test_scene(7, grey, TEST_W, TEST_H);
    assert_int_equal(at_phash(grey, TEST_W, TEST_H, TEST_W, &one), AT_OK);

    for (i = 0; i < sizeof(grey); i++) {
        other[i] = (uint8_t) (grey[i] * 2 / 3 + 40);
    }

    assert_int_equal(at_phash(other, TEST_W, TEST_H, TEST_W, &two), AT_OK);
    assert_true(at_phash_same(&one, &two));

    /* upside down is another picture */

    for (i = 0; i < sizeof(grey); i++) {
        other[i] = grey[sizeof(grey) - 1 - i];
    }

    assert_int_equal(at_phash(other, TEST_W, TEST_H, TEST_W, &two), AT_OK);
    assert_false(at_phash_same(&one, &two));
}


static void
test_frame(void **state)
{
    size_t      y, w, h;
    uint8_t     grey[TEST_W * TEST_H], *framed;
    at_phash_t  one, two;

    (void) state;

    w = TEST_W + 20;
    h = TEST_H + 16;
    framed = malloc(w * h);
    assert_non_null(framed);
    memset(framed, 255, w * h);
    test_scene(9, grey, TEST_W, TEST_H);

    for (y = 0; y < TEST_H; y++) {
        memcpy(framed + (y + 8) * w + 10, grey + y * TEST_W, TEST_W);
    }

    assert_int_equal(at_phash(grey, TEST_W, TEST_H, TEST_W, &one), AT_OK);
    assert_int_equal(at_phash(framed, w, h, w, &two), AT_OK);
    assert_int_equal(at_phash_distance(&one, &two), 0);

    /* the same rows, read out of the frame by their stride */

    assert_int_equal(at_phash(framed + 8 * w + 10, TEST_W, TEST_H, w, &two),
                     AT_OK);
    assert_int_equal(at_phash_distance(&one, &two), 0);
    assert_int_equal(at_phash_wide_distance(&one, &two), 0);
    free(framed);
}


static void
test_plain(void **state)
{
    size_t      i;
    uint8_t     grey[TEST_W * TEST_H];
    uint32_t    random;
    at_phash_t  one, two;

    (void) state;

    random = 1;
    memset(grey, 200, sizeof(grey));
    assert_int_equal(at_phash(grey, TEST_W, TEST_H, TEST_W, &one), AT_OK);
    assert_int_equal(one.plain, 1);

    /* a wall with the noise of a camera, and one that is lit from a side */

    for (i = 0; i < sizeof(grey); i++) {
        grey[i] = (uint8_t) (200 + at_test_random(&random) % 8);
    }

    assert_int_equal(at_phash(grey, TEST_W, TEST_H, TEST_W, &two), AT_OK);
    assert_int_equal(two.plain, 1);

    for (i = 0; i < sizeof(grey); i++) {
        grey[i] = (uint8_t) (60 + i % TEST_W / 2);
    }

    assert_int_equal(at_phash(grey, TEST_W, TEST_H, TEST_W, &two), AT_OK);
    assert_int_equal(two.plain, 1);

    assert_false(at_phash_same(&one, &one));
    assert_false(at_phash_same(&one, &two));
}


/* The short hash decides near cases, the long one those between. */
static void
test_rule(void **state)
{
    size_t      i;
    at_phash_t  one, two;

    static const struct {
        unsigned  bits;
        unsigned  wide;
        int       same;
    } rows[] = {
        { 0, 0, 1 }, { 12, 256, 1 }, { 13, 90, 1 }, { 13, 91, 0 },
        { 20, 90, 1 }, { 20, 91, 0 }, { 21, 0, 0 }, { 64, 0, 0 }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        memset(&one, 0, sizeof(one));
        memset(&two, 0, sizeof(two));
        two.bits = (rows[i].bits == 64) ? UINT64_MAX
                                        : ((uint64_t) 1 << rows[i].bits) - 1;

        for (unsigned n = 0; n < rows[i].wide; n++) {
            two.wide[n / 64] |= (uint64_t) 1 << (n % 64);
        }

        assert_int_equal(at_phash_distance(&one, &two), rows[i].bits);
        assert_int_equal(at_phash_wide_distance(&one, &two), rows[i].wide);
        assert_int_equal(at_phash_same(&one, &two), rows[i].same);
        assert_int_equal(at_phash_same(&two, &one), rows[i].same);

        two.plain = 1;
        assert_int_equal(at_phash_same(&one, &two), 0);
        assert_int_equal(at_phash_same(&two, &one), 0);
    }
}


static void
test_stored(void **state)
{
    uint8_t     text[AT_PHASH_TEXT];
    at_str_t    in;
    at_phash_t  one, two;

    (void) state;

    one = test_hash(3, TEST_W, TEST_H);
    one.plain = 1;
    at_phash_pack(&one, text);
    assert_int_equal(text[0], one.bits >> 56);

    in = (at_str_t) { sizeof(text), (const char *) text };
    assert_int_equal(at_phash_unpack(in, &two), AT_OK);
    assert_int_equal(two.plain, 1);
    assert_int_equal(at_phash_distance(&one, &two), 0);
    assert_int_equal(at_phash_wide_distance(&one, &two), 0);

    in.len--;
    assert_int_equal(at_phash_unpack(in, &two), AT_ERROR);
    assert_int_equal(at_phash_unpack(AT_STR_NULL, &two), AT_ERROR);

    text[AT_PHASH_TEXT - 1] = 2;
    in.len++;
    assert_int_equal(at_phash_unpack(in, &two), AT_ERROR);
}


static void
test_bounds(void **state)
{
    uint8_t     grey[AT_PHASH_MIN_SIDE * AT_PHASH_MIN_SIDE];
    at_phash_t  hash;

    (void) state;

    memset(grey, 1, sizeof(grey));
    assert_int_equal(at_phash(grey, 16, 16, 16, &hash), AT_OK);
    assert_int_equal(at_phash(grey, 15, 16, 16, &hash), AT_ERROR);
    assert_int_equal(at_phash(grey, 16, 15, 16, &hash), AT_ERROR);
    assert_int_equal(at_phash(grey, 65536, 16, 65536, &hash), AT_ERROR);
    assert_int_equal(at_phash(grey, 0, 0, 0, &hash), AT_ERROR);
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_median),
        cmocka_unit_test(test_light),
        cmocka_unit_test(test_frame),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_rule),
        cmocka_unit_test(test_stored),
        cmocka_unit_test(test_bounds)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
