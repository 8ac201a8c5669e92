/*
 * PNG files by structure, and what holds for pictures of every format.
 */

#include "at_test_image.h"


static void
test_png_good(void **state)
{
    int       i;
    at_buf_t  b = { NULL, 0, 0, 0 };

    static const int  pairs[][2] = {
        { 1, 0 }, { 2, 0 }, { 4, 0 }, { 8, 0 }, { 16, 0 }, { 8, 2 },
        { 16, 2 }, { 1, 3 }, { 8, 3 }, { 8, 4 }, { 16, 4 }, { 8, 6 },
        { 16, 6 }
    };

    (void) state;

    test_png(&b, 1024, 768);
    test_good(&b, AT_IMAGE_PNG, 1024, 768);

    for (i = 0; i < (int) AT_TEST_N(pairs); i++) {
        test_png_begin(&b, 64, 65, pairs[i][0], pairs[i][1]);
        test_png_chunk(&b, "IDAT", "x", 1);
        test_png_chunk(&b, "IEND", "", 0);
        test_good(&b, AT_IMAGE_PNG, 64, 65);
    }

    at_buf_free(&b);
}


static void
test_png_bad(void **state)
{
    size_t    i;
    at_buf_t  b = { NULL, 0, 0, 0 };

    static const int  pairs[][2] = {
        { 0, 0 }, { 3, 0 }, { 32, 0 }, { 4, 2 }, { 1, 6 }, { 16, 3 },
        { 8, 1 }, { 8, 5 }, { 8, 7 }, { 24, 2 }, { 8, 255 }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(pairs); i++) {
        test_png_begin(&b, 64, 64, pairs[i][0], pairs[i][1]);
        test_png_chunk(&b, "IDAT", "x", 1);
        test_png_chunk(&b, "IEND", "", 0);
        at_test_true(test_inspect(&b, NULL) != NULL, "depth %d, colour %d",
                     pairs[i][0], pairs[i][1]);
    }

    /* no pixels, or an empty chunk of them */

    test_png_begin(&b, 64, 64, 8, 2);
    test_png_chunk(&b, "IEND", "", 0);
    assert_non_null(test_inspect(&b, NULL));

    test_png_begin(&b, 64, 64, 8, 2);
    test_png_chunk(&b, "IDAT", "", 0);
    test_png_chunk(&b, "IEND", "", 0);
    assert_non_null(test_inspect(&b, NULL));

    /* the end is not empty; something comes behind it */

    test_png_begin(&b, 64, 64, 8, 2);
    test_png_chunk(&b, "IDAT", "x", 1);
    test_png_chunk(&b, "IEND", "x", 1);
    assert_non_null(test_inspect(&b, NULL));

    test_png(&b, 64, 64);
    test_literal(&b, "\n");
    assert_non_null(test_inspect(&b, NULL));

    /* another header, or another first chunk */

    test_png_begin(&b, 64, 64, 8, 2);
    test_png_chunk(&b, "IHDR", "\0\0\1\0\0\0\1\0\x08\x02\0\0\0", 13);
    test_png_chunk(&b, "IDAT", "x", 1);
    test_png_chunk(&b, "IEND", "", 0);
    assert_non_null(test_inspect(&b, NULL));

    b.len = 0;
    test_literal(&b, "\x89PNG\r\n\x1A\n");
    test_png_chunk(&b, "IDAT", "x", 1);
    test_png_chunk(&b, "IEND", "", 0);
    assert_non_null(test_inspect(&b, NULL));

    b.len = 0;
    test_literal(&b, "\x89PNG\r\n\x1A\n");
    test_png_chunk(&b, "IHDR", "\0\0\1\0\0\0\1\0\x08\x02\0\0", 12);
    test_png_chunk(&b, "IDAT", "x", 1);
    test_png_chunk(&b, "IEND", "", 0);
    assert_non_null(test_inspect(&b, NULL));

    at_buf_free(&b);
}


/* A length that points behind the file, or wraps around a 32-bit sum. */
static void
test_png_lengths(void **state)
{
    size_t    i;
    at_buf_t  b = { NULL, 0, 0, 0 };

    static const uint32_t  lengths[] = {
        6, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF3, 0xFFFFFFF4, 0xFFFFFFFF
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(lengths); i++) {
        test_png_begin(&b, 64, 64, 8, 2);
        test_be(&b, lengths[i], 4);
        test_literal(&b, "IDATabc\0\0\0\0");
        assert_non_null(test_inspect(&b, NULL));
    }

    at_buf_free(&b);
}


static void
test_png_chunks_are_bounded(void **state)
{
    int       i;
    at_buf_t  b = { NULL, 0, 0, 0 };

    (void) state;

    test_png_begin(&b, 64, 64, 8, 2);

    for (i = 0; i < 100000; i++) {
        test_png_chunk(&b, "IDAT", "x", 1);
    }

    test_png_chunk(&b, "IEND", "", 0);
    assert_string_equal(test_inspect(&b, NULL), "the PNG has too many chunks");

    at_buf_free(&b);
}


static void
test_sides(void **state)
{
    size_t    i;
    at_buf_t  b = { NULL, 0, 0, 0 };

    static const struct {
        uint32_t  width;
        uint32_t  height;
        int       good;
    } rows[] = {
        { AT_IMAGE_MIN_SIDE, AT_IMAGE_MIN_SIDE, 1 },
        { AT_IMAGE_MAX_SIDE, AT_IMAGE_MAX_SIDE, 1 },
        { AT_IMAGE_MIN_SIDE - 1, 100, 0 },
        { 100, AT_IMAGE_MIN_SIDE - 1, 0 },
        { AT_IMAGE_MAX_SIDE + 1, 100, 0 },
        { 100, AT_IMAGE_MAX_SIDE + 1, 0 },
        { 0, 100, 0 },
        { 100, 0, 0 },
        { 1, 1, 0 },
        { 0xFFFFFFFF, 0xFFFFFFFF, 0 }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        test_png(&b, rows[i].width, rows[i].height);
        at_test_true((test_inspect(&b, NULL) == NULL) == rows[i].good,
                     "%u x %u", rows[i].width, rows[i].height);
    }

    at_buf_free(&b);
}


static void
test_not_a_picture(void **state)
{
    size_t    i;
    at_buf_t  b = { NULL, 0, 0, 0 };

    static const char *const  texts[] = {
        "", "x", "{\"error\":\"moderated\"}", "<html></html>",
        "GIF89a\1\1\1\1", "BM", "%PDF-1.4", "\x89PNG", "\x89PNG\n\x1A\n\n",
        "\xFF\xD8", "\xFF\xD8\xFF", "RIFF1234WAVEfmt ", "RIFF", "RIFFWEBP",
        "iVBORw0KGgoAAAANSUhEUg=="
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(texts); i++) {
        b.len = 0;
        test_bytes(&b, texts[i], strlen(texts[i]));
        at_test_true(test_inspect(&b, NULL) != NULL, "%s", texts[i]);
    }

    at_buf_free(&b);
}


/* Damaged at random: any verdict, but no read outside, and sane sides. */
static void
test_damage(void **state)
{
    int         k, round;
    size_t      i;
    uint8_t     saved[8];
    size_t      at[8];
    uint32_t    seed;
    at_buf_t    b[3];
    at_image_t  image;

    (void) state;

    seed = 13;
    memset(b, 0, sizeof(b));

    test_png(&b[0], 64, 64);
    test_jpeg(&b[1], 0xC0, 64, 64);
    test_webp_begin(&b[2]);
    test_vp8x(&b[2], 64, 64);
    test_webp_other(&b[2], "ICCP", "abc", 3);
    test_vp8(&b[2], 64, 64);
    test_webp_end(&b[2]);

    for (round = 0; round < 60000; round++) {
        i = round % 3;

        for (k = 0; k < 8; k++) {
            at[k] = at_test_random(&seed) % b[i].len;
            saved[k] = b[i].data[at[k]];

            if ((round >> 2) % 8 >= k) {
                b[i].data[at[k]] = (uint8_t) at_test_random(&seed);
            }
        }

        if (test_inspect(&b[i], &image) == NULL) {
            assert_true(image.width >= AT_IMAGE_MIN_SIDE
                        && image.width <= AT_IMAGE_MAX_SIDE);
            assert_true(image.height >= AT_IMAGE_MIN_SIDE
                        && image.height <= AT_IMAGE_MAX_SIDE);
        }

        while (--k >= 0) {
            b[i].data[at[k]] = saved[k];
        }
    }

    for (i = 0; i < 3; i++) {
        assert_null(test_inspect(&b[i], NULL));
        at_buf_free(&b[i]);
    }
}


static void
test_names(void **state)
{
    (void) state;

    assert_string_equal(at_image_extension(AT_IMAGE_PNG), "png");
    assert_string_equal(at_image_extension(AT_IMAGE_JPEG), "jpg");
    assert_string_equal(at_image_extension(AT_IMAGE_WEBP), "webp");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_png_good),
        cmocka_unit_test(test_png_bad),
        cmocka_unit_test(test_png_lengths),
        cmocka_unit_test(test_png_chunks_are_bounded),
        cmocka_unit_test(test_sides),
        cmocka_unit_test(test_not_a_picture),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_names)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
