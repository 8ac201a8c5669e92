/*
 * JPEG files by structure: each kind of frame, cut at every length, padded,
 * and with every field that can lie.
 */

#include "at_test_image.h"


static void
test_jpeg_good(void **state)
{
    int       marker;
    at_buf_t  b = { NULL, 0, 0, 0 };

    (void) state;

    for (marker = 0xC0; marker <= 0xCF; marker++) {
        test_jpeg(&b, (uint8_t) marker, 640, 480);

        if (marker == 0xC4 || marker == 0xC8 || marker == 0xCC) {
            at_test_true(test_inspect(&b, NULL) != NULL,
                         "marker %02X is no frame", marker);
            continue;
        }

        test_good(&b, AT_IMAGE_JPEG, 640, 480);
    }

    /* fill bytes before a marker, and TEM, which has no length */

    test_jpeg_begin(&b);
    test_literal(&b, "\xFF\xFF\xFF\x01");
    test_literal(&b, "\xFF\xFF");
    test_jpeg_frame(&b, 0xC2, 100, 200);
    test_jpeg_scan(&b);

    /* progressive: tables and scans follow one another */

    test_jpeg_segment(&b, 0xC4, "0123456789", 10);
    test_jpeg_scan(&b);
    test_literal(&b, "\xFF\xD9");
    test_good(&b, AT_IMAGE_JPEG, 100, 200);

    at_buf_free(&b);
}


static void
test_jpeg_padding(void **state)
{
    int       i;
    at_buf_t  b = { NULL, 0, 0, 0 };

    (void) state;

    test_jpeg(&b, 0xC0, 64, 64);
    test_literal(&b, "\0\0\0\xFF\xFF\r\n ");
    assert_null(test_inspect(&b, NULL));

    /* what is no padding */

    test_literal(&b, "x");
    assert_non_null(test_inspect(&b, NULL));

    /* cut, and filled up again */

    test_jpeg(&b, 0xC0, 64, 64);
    b.len -= 2;
    test_literal(&b, "\0\0\0\0\0\0\0\0");
    assert_non_null(test_inspect(&b, NULL));

    b.len -= 8;
    test_literal(&b, "\xFF\xFF\xFF\xFF\xFF");
    assert_non_null(test_inspect(&b, NULL));

    /* endless padding is not walked through */

    test_jpeg(&b, 0xC0, 64, 64);

    for (i = 0; i < 100000; i++) {
        test_literal(&b, "\0");
    }

    assert_non_null(test_inspect(&b, NULL));

    at_buf_free(&b);
}


static void
test_jpeg_bad(void **state)
{
    int       i;
    at_buf_t  b = { NULL, 0, 0, 0 };

    (void) state;

    /* no frame before the scan; two of them */

    test_jpeg_begin(&b);
    test_jpeg_scan(&b);
    test_literal(&b, "\xFF\xD9");
    assert_string_equal(test_inspect(&b, NULL),
                        "the JPEG has no frame header");

    test_jpeg_begin(&b);
    test_jpeg_frame(&b, 0xC0, 64, 64);
    test_jpeg_frame(&b, 0xC0, 128, 128);
    test_jpeg_scan(&b);
    test_literal(&b, "\xFF\xD9");
    assert_string_equal(test_inspect(&b, NULL),
                        "the JPEG has more than one frame");

    /* no scan at all */

    test_jpeg_begin(&b);
    test_jpeg_frame(&b, 0xC0, 64, 64);
    test_literal(&b, "\xFF\xD9");
    assert_non_null(test_inspect(&b, NULL));

    /* a scan without a byte in it */

    test_jpeg_begin(&b);
    test_jpeg_frame(&b, 0xC0, 64, 64);
    test_jpeg_segment(&b, 0xDA, "\3\1\0\2\x11\3\x11\0\x3F\0", 10);
    test_literal(&b, "\xFF\xD9");
    assert_non_null(test_inspect(&b, NULL));

    /* lengths of 0 and 1 would not move on */

    test_jpeg_begin(&b);
    test_literal(&b, "\xFF\xE2\0\0");
    test_jpeg_scan(&b);
    assert_non_null(test_inspect(&b, NULL));

    test_jpeg_begin(&b);
    test_literal(&b, "\xFF\xE2\0\1");
    test_jpeg_scan(&b);
    assert_non_null(test_inspect(&b, NULL));

    /* a length behind the file */

    test_jpeg_begin(&b);
    test_literal(&b, "\xFF\xE2\xFF\xFF" "abc");
    assert_string_equal(test_inspect(&b, NULL), "the JPEG is cut");

    /* a frame header of a wrong size, or without components */

    test_jpeg_begin(&b);
    test_jpeg_segment(&b, 0xC0, "\x08\0\x40\0\x40\3\1\x22\0", 9);
    test_jpeg_scan(&b);
    test_literal(&b, "\xFF\xD9");
    assert_non_null(test_inspect(&b, NULL));

    test_jpeg_begin(&b);
    test_jpeg_segment(&b, 0xC0, "\x08\0\x40\0\x40\0", 6);
    test_jpeg_scan(&b);
    test_literal(&b, "\xFF\xD9");
    assert_non_null(test_inspect(&b, NULL));

    test_jpeg_begin(&b);
    test_jpeg_segment(&b, 0xC0, "\x08\0\x40", 3);
    test_jpeg_scan(&b);
    test_literal(&b, "\xFF\xD9");
    assert_non_null(test_inspect(&b, NULL));

    /* bytes between segments; a picture inside; a restart in the header */

    test_jpeg_begin(&b);
    test_literal(&b, "x");
    test_jpeg_frame(&b, 0xC0, 64, 64);
    test_jpeg_scan(&b);
    test_literal(&b, "\xFF\xD9");
    assert_non_null(test_inspect(&b, NULL));

    for (i = 0xD0; i <= 0xD9; i++) {
        test_jpeg_begin(&b);
        test_be(&b, 0xFF, 1);
        test_be(&b, i, 1);
        test_jpeg_frame(&b, 0xC0, 64, 64);
        test_jpeg_scan(&b);
        test_literal(&b, "\xFF\xD9");
        assert_non_null(test_inspect(&b, NULL));
    }

    /* a height of 0 is told later, by DNL: nobody can know it here */

    test_jpeg(&b, 0xC0, 64, 0);
    assert_non_null(test_inspect(&b, NULL));

    /* segments without end */

    test_jpeg_begin(&b);

    for (i = 0; i < 100000; i++) {
        test_jpeg_segment(&b, 0xFE, "", 0);
    }

    assert_string_equal(test_inspect(&b, NULL),
                        "the JPEG has too many segments");

    at_buf_free(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_jpeg_good),
        cmocka_unit_test(test_jpeg_padding),
        cmocka_unit_test(test_jpeg_bad)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
