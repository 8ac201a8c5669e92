/*
 * Pictures by structure: each format in its variants, cut at every length,
 * and with every field that can lie.  The files are made here byte by byte;
 * their pixels are noise, as nobody looks at them.
 */

#include "at_test.h"
#include "at_image.h"


static void
test_bytes(at_buf_t *b, const char *data, size_t len)
{
    assert_int_equal(at_buf_append(b, data, len), AT_OK);
}


#define test_literal(b, text)  test_bytes(b, text, sizeof(text) - 1)


static void
test_be(at_buf_t *b, uint32_t value, unsigned bytes)
{
    char  c;

    while (bytes--) {
        c = (char) (value >> 8 * bytes);
        test_bytes(b, &c, 1);
    }
}


static void
test_le(at_buf_t *b, uint32_t value, unsigned bytes)
{
    char  c;

    for ( /* void */ ; bytes > 0; bytes--) {
        c = (char) value;
        test_bytes(b, &c, 1);
        value >>= 8;
    }
}


/* Inspects a copy of exactly the buffer's size; NULL if it is a picture. */
static const char *
test_inspect(const at_buf_t *b, at_image_t *image)
{
    int          rc;
    at_str_t     s;
    at_image_t   unused;
    const char  *why;

    s = at_test_exact(at_buf_str(b));
    why = NULL;

    rc = at_image_inspect((const uint8_t *) s.data, s.len,
                          image != NULL ? image : &unused, &why);

    free((char *) s.data);

    if (rc == AT_OK) {
        return NULL;
    }

    assert_int_equal(rc, AT_ERROR);
    assert_non_null(why);

    return why;
}


/* The picture is fine, and no prefix of it is. */
static void
test_good(const at_buf_t *b, at_image_type_e type, uint32_t width,
    uint32_t height)
{
    size_t       n;
    at_buf_t     cut;
    at_image_t   image;
    const char  *why;

    why = test_inspect(b, &image);
    at_test_true(why == NULL, "refused: %s", why);

    assert_int_equal(image.type, type);
    assert_int_equal(image.width, width);
    assert_int_equal(image.height, height);

    cut = *b;

    for (n = 0; n < b->len; n++) {
        cut.len = n;
        at_test_true(test_inspect(&cut, NULL) != NULL,
                     "cut to %zu of %zu bytes and taken", n, b->len);
    }
}


static void
test_png_chunk(at_buf_t *b, const char *type, const char *data, size_t len)
{
    test_be(b, (uint32_t) len, 4);
    test_bytes(b, type, 4);
    test_bytes(b, data, len);
    test_be(b, 0xC0FFEE00, 4);
}


static void
test_png_begin(at_buf_t *b, uint32_t width, uint32_t height, int depth,
    int colour)
{
    at_buf_t  h = { NULL, 0, 0, 0 };

    b->len = 0;

    test_be(&h, width, 4);
    test_be(&h, height, 4);
    test_be(&h, depth, 1);
    test_be(&h, colour, 1);
    test_literal(&h, "\0\0\0");

    test_literal(b, "\x89PNG\r\n\x1A\n");
    test_png_chunk(b, "IHDR", (char *) h.data, h.len);

    at_buf_free(&h);
}


static void
test_png(at_buf_t *b, uint32_t width, uint32_t height)
{
    test_png_begin(b, width, height, 8, 2);
    test_png_chunk(b, "tEXt", "Title\0a room", 12);
    test_png_chunk(b, "IDAT", "\x78\x9C\x01\x02\x03", 5);
    test_png_chunk(b, "IDAT", "IEND\0", 5);
    test_png_chunk(b, "IEND", "", 0);
}


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
test_jpeg_segment(at_buf_t *b, uint8_t marker, const char *data, size_t len)
{
    test_be(b, 0xFF, 1);
    test_be(b, marker, 1);
    test_be(b, (uint32_t) len + 2, 2);
    test_bytes(b, data, len);
}


static void
test_jpeg_frame(at_buf_t *b, uint8_t marker, uint32_t width, uint32_t height)
{
    at_buf_t  h = { NULL, 0, 0, 0 };

    test_be(&h, 8, 1);
    test_be(&h, height, 2);
    test_be(&h, width, 2);
    test_literal(&h, "\3\1\x22\0\2\x11\1\3\x11\1");
    test_jpeg_segment(b, marker, (char *) h.data, h.len);

    at_buf_free(&h);
}


static void
test_jpeg_begin(at_buf_t *b)
{
    b->len = 0;
    test_literal(b, "\xFF\xD8");
    test_jpeg_segment(b, 0xE0, "JFIF\0\1\1\0\0\1\0\1\0\0", 14);

    /* a thumbnail in a segment: its end marker is not the picture's */

    test_jpeg_segment(b, 0xE1, "Exif\0\0\xFF\xD8\xFF\xC0\xFF\xD9", 12);
    test_jpeg_segment(b, 0xDB, "0123456789", 10);
}


static void
test_jpeg_scan(at_buf_t *b)
{
    test_jpeg_segment(b, 0xDA, "\3\1\0\2\x11\3\x11\0\x3F\0", 10);
    test_literal(b, "abc\xFF\x00" "def\xFF\xD0" "ghi\xFF\xD1jkl");
}


static void
test_jpeg(at_buf_t *b, uint8_t marker, uint32_t width, uint32_t height)
{
    test_jpeg_begin(b);
    test_jpeg_frame(b, marker, width, height);
    test_jpeg_segment(b, 0xC4, "0123456789", 10);
    test_jpeg_scan(b);
    test_literal(b, "\xFF\xD9");
}


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


static void
test_webp_chunk(at_buf_t *b, const char *type, const at_buf_t *data)
{
    test_bytes(b, type, 4);
    test_le(b, (uint32_t) data->len, 4);
    test_bytes(b, (char *) data->data, data->len);

    if (data->len & 1) {
        test_literal(b, "\0");
    }
}


static void
test_webp_begin(at_buf_t *b)
{
    b->len = 0;
    test_literal(b, "RIFF\0\0\0\0WEBP");
}


static void
test_webp_size(at_buf_t *b, uint32_t size)
{
    b->data[4] = (uint8_t) size;
    b->data[5] = (uint8_t) (size >> 8);
    b->data[6] = (uint8_t) (size >> 16);
    b->data[7] = (uint8_t) (size >> 24);
}


static void
test_webp_end(at_buf_t *b)
{
    test_webp_size(b, (uint32_t) b->len - 8);
}


static void
test_vp8(at_buf_t *b, uint32_t width, uint32_t height)
{
    at_buf_t  d = { NULL, 0, 0, 0 };

    test_literal(&d, "\x10\x02\x00\x9D\x01\x2A");
    test_le(&d, width | 1 << 14, 2);            /* the upper bits: scaling */
    test_le(&d, height | 2 << 14, 2);
    test_literal(&d, "pixels");
    test_webp_chunk(b, "VP8 ", &d);

    at_buf_free(&d);
}


static void
test_vp8l(at_buf_t *b, uint32_t width, uint32_t height)
{
    at_buf_t  d = { NULL, 0, 0, 0 };

    test_literal(&d, "\x2F");
    test_le(&d, (width - 1) | (height - 1) << 14 | 1u << 28, 4);
    test_literal(&d, "pixels");
    test_webp_chunk(b, "VP8L", &d);

    at_buf_free(&d);
}


static void
test_vp8x(at_buf_t *b, uint32_t width, uint32_t height)
{
    at_buf_t  d = { NULL, 0, 0, 0 };

    test_literal(&d, "\x10\0\0\0");
    test_le(&d, width - 1, 3);
    test_le(&d, height - 1, 3);
    test_webp_chunk(b, "VP8X", &d);

    at_buf_free(&d);
}


static void
test_webp_other(at_buf_t *b, const char *type, const char *data, size_t len)
{
    at_buf_t  d = { NULL, 0, 0, 0 };

    test_bytes(&d, data, len);
    test_webp_chunk(b, type, &d);

    at_buf_free(&d);
}


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
    assert_string_equal(at_image_media_type(AT_IMAGE_PNG), "image/png");
    assert_string_equal(at_image_media_type(AT_IMAGE_JPEG), "image/jpeg");
    assert_string_equal(at_image_media_type(AT_IMAGE_WEBP), "image/webp");
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
        cmocka_unit_test(test_jpeg_good),
        cmocka_unit_test(test_jpeg_padding),
        cmocka_unit_test(test_jpeg_bad),
        cmocka_unit_test(test_webp_good),
        cmocka_unit_test(test_webp_padding),
        cmocka_unit_test(test_webp_bad),
        cmocka_unit_test(test_not_a_picture),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_names)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
