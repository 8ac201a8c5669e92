/*
 * WebP files by structure: the three kinds, cut at every length, padded, and
 * with every field that can lie.
 */

#include "at_test_image.h"


static void
test_webp_good(void **state)
{
    at_buf_t  b = { NULL, 0, 0, 0 };

    (void) state;

    test_webp_begin(&b);
    test_vp8(&b, 640, 480);
    test_webp_end(&b);
    test_good(&b, AT_IMAGE_WEBP, 640, 480);

    test_webp_begin(&b);
    test_vp8l(&b, 16384, 16);
    test_webp_end(&b);
    test_good(&b, AT_IMAGE_WEBP, 16384, 16);

    test_webp_begin(&b);
    test_vp8x(&b, 1024, 1000);
    test_webp_other(&b, "ICCP", "abc", 3);
    test_webp_other(&b, "ALPH", "abcd", 4);
    test_vp8(&b, 1024, 1000);
    test_webp_other(&b, "XMP ", "abcde", 5);
    test_webp_end(&b);
    test_good(&b, AT_IMAGE_WEBP, 1024, 1000);

    test_webp_begin(&b);
    test_vp8x(&b, 300, 400);
    test_vp8l(&b, 300, 400);
    test_webp_end(&b);
    test_good(&b, AT_IMAGE_WEBP, 300, 400);

    at_buf_free(&b);
}


/* An odd last chunk: its padding may be counted, uncounted, or missing. */
static void
test_webp_padding(void **state)
{
    at_buf_t  b = { NULL, 0, 0, 0 };

    (void) state;

    test_webp_begin(&b);
    test_vp8(&b, 64, 64);
    test_webp_other(&b, "EXIF", "abc", 3);
    test_webp_end(&b);
    assert_null(test_inspect(&b, NULL));

    test_webp_size(&b, (uint32_t) b.len - 9);
    assert_null(test_inspect(&b, NULL));

    b.len--;
    assert_null(test_inspect(&b, NULL));

    b.len--;
    assert_non_null(test_inspect(&b, NULL));

    at_buf_free(&b);
}


static void
test_webp_bad(void **state)
{
    size_t    i;
    at_buf_t  b = { NULL, 0, 0, 0 };

    static const uint32_t  sizes[] = {
        0, 1, 2, 3, 4, 0x7FFFFFFF, 0xFFFFFFF7, 0xFFFFFFF8, 0xFFFFFFFF
    };

    (void) state;

    /* a RIFF size that lies */

    for (i = 0; i < AT_TEST_N(sizes); i++) {
        test_webp_begin(&b);
        test_vp8(&b, 64, 64);
        test_webp_size(&b, sizes[i]);
        assert_non_null(test_inspect(&b, NULL));
    }

    for (i = 0; i < 12; i++) {
        test_webp_begin(&b);
        test_webp_size(&b, (uint32_t) i);
        assert_non_null(test_inspect(&b, NULL));
    }

    test_webp_begin(&b);
    test_vp8(&b, 64, 64);
    test_webp_end(&b);
    test_literal(&b, "\0");
    assert_string_equal(test_inspect(&b, NULL),
                        "the WebP goes on behind its end");

    /* a chunk length that lies */

    for (i = 0; i < AT_TEST_N(sizes); i++) {
        test_webp_begin(&b);
        test_literal(&b, "VP8 ");
        test_le(&b, sizes[i], 4);
        test_literal(&b, "\x10\x02\x00");
        test_webp_end(&b);
        assert_non_null(test_inspect(&b, NULL));
    }

    /* no picture, or only the promise of one */

    test_webp_begin(&b);
    test_webp_end(&b);
    assert_non_null(test_inspect(&b, NULL));

    test_webp_begin(&b);
    test_vp8x(&b, 64, 64);
    test_webp_end(&b);
    assert_string_equal(test_inspect(&b, NULL),
                        "the WebP has no picture in it");

    /* the canvas and the picture disagree; two canvases; canvas last */

    test_webp_begin(&b);
    test_vp8x(&b, 64, 64);
    test_vp8(&b, 64, 65);
    test_webp_end(&b);
    assert_non_null(test_inspect(&b, NULL));

    test_webp_begin(&b);
    test_vp8x(&b, 64, 64);
    test_vp8x(&b, 64, 64);
    test_vp8(&b, 64, 64);
    test_webp_end(&b);
    assert_non_null(test_inspect(&b, NULL));

    test_webp_begin(&b);
    test_vp8(&b, 64, 64);
    test_vp8x(&b, 64, 64);
    test_webp_end(&b);
    assert_non_null(test_inspect(&b, NULL));

    /* bit streams whose headers are none */

    test_webp_begin(&b);
    test_webp_other(&b, "VP8 ", "\x11\2\0\x9D\x01\x2A\x40\0\x40\0", 10);
    test_webp_end(&b);
    assert_non_null(test_inspect(&b, NULL));    /* not a key frame */

    test_webp_begin(&b);
    test_webp_other(&b, "VP8 ", "\x10\2\0\x9D\x01\x2B\x40\0\x40\0", 10);
    test_webp_end(&b);
    assert_non_null(test_inspect(&b, NULL));    /* start code */

    test_webp_begin(&b);
    test_webp_other(&b, "VP8L", "\x2E\x3F\xC0\x0F\0", 5);
    test_webp_end(&b);
    assert_non_null(test_inspect(&b, NULL));    /* signature */

    test_webp_begin(&b);
    test_webp_other(&b, "VP8L", "\x2F\x3F\xC0\x0F\x20", 5);
    test_webp_end(&b);
    assert_non_null(test_inspect(&b, NULL));    /* version */

    test_webp_begin(&b);
    test_webp_other(&b, "VP8L", "\x2F\x3F\xC0\x0F\0", 5);
    test_webp_end(&b);
    assert_null(test_inspect(&b, NULL));        /* and so it is right */

    at_buf_free(&b);
}


/* 65536 chunks are looked at, the one behind them is too many. */
static void
test_webp_chunks_are_bounded(void **state)
{
    int       i, k;
    at_buf_t  b = { NULL, 0, 0, 0 };

    (void) state;

    for (k = 0; k < 2; k++) {
        test_webp_begin(&b);
        test_vp8(&b, 64, 64);

        for (i = 1; i < 65536 + k; i++) {
            test_webp_other(&b, "XMP ", "", 0);
        }

        test_webp_end(&b);

        if (k == 0) {
            assert_null(test_inspect(&b, NULL));

        } else {
            assert_string_equal(test_inspect(&b, NULL),
                                "the WebP has too many chunks");
        }
    }

    at_buf_free(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_webp_good),
        cmocka_unit_test(test_webp_padding),
        cmocka_unit_test(test_webp_bad),
        cmocka_unit_test(test_webp_chunks_are_bounded)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
