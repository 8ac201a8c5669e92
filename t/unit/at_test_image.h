/*
 * Pictures for tests, made byte by byte: their structure is right, their
 * pixels are noise.  Each function appends to a buffer; test_png_begin(),
 * test_jpeg_begin() and test_webp_begin() empty it first.
 */

#ifndef AT_TEST_IMAGE_H
#define AT_TEST_IMAGE_H


#include "at_test.h"
#include "at_image.h"


static inline void
test_bytes(at_buf_t *b, const char *data, size_t len)
{
    assert_int_equal(at_buf_append(b, data, len), AT_OK);
}


#define test_literal(b, text)  test_bytes(b, text, sizeof(text) - 1)


static inline void
test_be(at_buf_t *b, uint32_t value, unsigned bytes)
{
    char  c;

    while (bytes--) {
        c = (char) (value >> 8 * bytes);
        test_bytes(b, &c, 1);
    }
}


static inline void
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
static inline const char *
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
static inline void
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


static inline void
test_png_chunk(at_buf_t *b, const char *type, const char *data, size_t len)
{
    test_be(b, (uint32_t) len, 4);
    test_bytes(b, type, 4);
    test_bytes(b, data, len);
    test_be(b, 0xC0FFEE00, 4);
}


static inline void
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


static inline void
test_png(at_buf_t *b, uint32_t width, uint32_t height)
{
    test_png_begin(b, width, height, 8, 2);
    test_png_chunk(b, "tEXt", "Title\0a room", 12);
    test_png_chunk(b, "IDAT", "\x78\x9C\x01\x02\x03", 5);
    test_png_chunk(b, "IDAT", "IEND\0", 5);
    test_png_chunk(b, "IEND", "", 0);
}


static inline void
test_jpeg_segment(at_buf_t *b, uint8_t marker, const char *data, size_t len)
{
    test_be(b, 0xFF, 1);
    test_be(b, marker, 1);
    test_be(b, (uint32_t) len + 2, 2);
    test_bytes(b, data, len);
}


static inline void
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


static inline void
test_jpeg_begin(at_buf_t *b)
{
    b->len = 0;
    test_literal(b, "\xFF\xD8");
    test_jpeg_segment(b, 0xE0, "JFIF\0\1\1\0\0\1\0\1\0\0", 14);

    /* a thumbnail in a segment: its end marker is not the picture's */

    test_jpeg_segment(b, 0xE1, "Exif\0\0\xFF\xD8\xFF\xC0\xFF\xD9", 12);
    test_jpeg_segment(b, 0xDB, "0123456789", 10);
}


static inline void
test_jpeg_scan(at_buf_t *b)
{
    test_jpeg_segment(b, 0xDA, "\3\1\0\2\x11\3\x11\0\x3F\0", 10);
    test_literal(b, "abc\xFF\x00" "def\xFF\xD0" "ghi\xFF\xD1jkl");
}


static inline void
test_jpeg(at_buf_t *b, uint8_t marker, uint32_t width, uint32_t height)
{
    test_jpeg_begin(b);
    test_jpeg_frame(b, marker, width, height);
    test_jpeg_segment(b, 0xC4, "0123456789", 10);
    test_jpeg_scan(b);
    test_literal(b, "\xFF\xD9");
}


static inline void
test_webp_chunk(at_buf_t *b, const char *type, const at_buf_t *data)
{
    test_bytes(b, type, 4);
    test_le(b, (uint32_t) data->len, 4);
    test_bytes(b, (char *) data->data, data->len);

    if (data->len & 1) {
        test_literal(b, "\0");
    }
}


static inline void
test_webp_begin(at_buf_t *b)
{
    b->len = 0;
    test_literal(b, "RIFF\0\0\0\0WEBP");
}


static inline void
test_webp_size(at_buf_t *b, uint32_t size)
{
    b->data[4] = (uint8_t) size;
    b->data[5] = (uint8_t) (size >> 8);
    b->data[6] = (uint8_t) (size >> 16);
    b->data[7] = (uint8_t) (size >> 24);
}


static inline void
test_webp_end(at_buf_t *b)
{
    test_webp_size(b, (uint32_t) b->len - 8);
}


static inline void
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


static inline void
test_vp8l(at_buf_t *b, uint32_t width, uint32_t height)
{
    at_buf_t  d = { NULL, 0, 0, 0 };

    test_literal(&d, "\x2F");
    test_le(&d, (width - 1) | (height - 1) << 14 | 1u << 28, 4);
    test_literal(&d, "pixels");
    test_webp_chunk(b, "VP8L", &d);

    at_buf_free(&d);
}


static inline void
test_vp8x(at_buf_t *b, uint32_t width, uint32_t height)
{
    at_buf_t  d = { NULL, 0, 0, 0 };

    test_literal(&d, "\x10\0\0\0");
    test_le(&d, width - 1, 3);
    test_le(&d, height - 1, 3);
    test_webp_chunk(b, "VP8X", &d);

    at_buf_free(&d);
}


static inline void
test_webp_other(at_buf_t *b, const char *type, const char *data, size_t len)
{
    at_buf_t  d = { NULL, 0, 0, 0 };

    test_bytes(&d, data, len);
    test_webp_chunk(b, type, &d);

    at_buf_free(&d);
}


#endif /* AT_TEST_IMAGE_H */
