/*
 * Base64: the vectors of RFC 4648, what is skipped and what is refused, the
 * bound of the output, and the same result however the input is cut.
 */

#include "at_test.h"
#include "at_text.h"


typedef struct {
    const char  *text;
    const char  *plain;         /* NULL: refused */
} test_row_t;


static const test_row_t  test_rows[] = {
    { "", "" },
    { "Zg==", "f" },
    { "Zm8=", "fo" },
    { "Zm9v", "foo" },
    { "Zm9vYg==", "foob" },
    { "Zm9vYmE=", "fooba" },
    { "Zm9vYmFy", "foobar" },
    { "Zg", "f" },                      /* padding may be missing */
    { "Zm8", "fo" },
    { "Zm9vYg", "foob" },
    { "+/+/", "\xFB\xFF\xBF" },
    { " Z m\t9\r\nv ", "foo" },
    { "Zg=\n=", "f" },
    { "Zg== \r\n", "f" },
    { "Z", NULL },                      /* six bits are no byte */
    { "Zm9vY", NULL },
    { "Zg=", NULL },                    /* half of the padding */
    { "Zg===", NULL },
    { "Zm8==", NULL },
    { "Zm9v=", NULL },
    { "=", NULL },
    { "Z=", NULL },
    { "====", NULL },
    { "Zg==Zg==", NULL },               /* data after padding */
    { "Zm8=Zm8=", NULL },
    { "Zg=A", NULL },
    { "Zm9v-_", NULL },                 /* the URL alphabet is another one */
    { "Zm9v!", NULL },
    { "Zm\x80v", NULL },
    { "data:image/png;base64,Zm9v", NULL },
    { "Zm9vZm9vZm9v\"", NULL }
};


/* Decodes in in pieces of at most step bytes. */
static int
test_decode(at_str_t in, size_t step, at_buf_t *out)
{
    size_t       i, n;
    at_base64_t  d;

    memset(&d, 0, sizeof(at_base64_t));

    for (i = 0; i < in.len; i += n) {
        n = in.len - i < step ? in.len - i : step;

        if (at_base64_decode(&d, (const uint8_t *) in.data + i, n, out)
            != AT_OK)
        {
            return AT_ERROR;
        }
    }

    return at_base64_finish(&d, out);
}


static void
test_vectors(void **state)
{
    int       rc;
    size_t    i, step;
    at_buf_t  out = { NULL, 0, 0, 0 };
    at_str_t  in;

    (void) state;

    for (i = 0; i < AT_TEST_N(test_rows); i++) {
        in = at_test_exact(at_test_str(test_rows[i].text));

        for (step = 1; step <= 32; step++) {
            out.len = 0;
            rc = test_decode(in, step, &out);

            if (test_rows[i].plain == NULL) {
                at_test_true(rc == AT_ERROR, "\"%s\" by %zu was taken",
                             test_rows[i].text, step);
                continue;
            }

            at_test_true(rc == AT_OK, "\"%s\" by %zu was refused",
                         test_rows[i].text, step);
            at_test_true(at_str_is(at_buf_str(&out), test_rows[i].plain),
                         "\"%s\" by %zu", test_rows[i].text, step);
        }

        free((char *) in.data);
    }

    at_buf_free(&out);
}


/* NUL is no end here. */
static void
test_nul(void **state)
{
    at_buf_t  out = { NULL, 0, 0, 0 };

    (void) state;

    assert_int_equal(test_decode(AT_STR("Zm9v\0Zm9v"), 99, &out), AT_ERROR);
    out.len = 0;
    assert_int_equal(test_decode(AT_STR("AAAA"), 99, &out), AT_OK);
    assert_int_equal(out.len, 3);
    assert_memory_equal(out.data, "\0\0\0", 3);

    at_buf_free(&out);
}


static void
test_bound(void **state)
{
    size_t    step;
    at_buf_t  out = { NULL, 0, 0, 6 };

    (void) state;

    for (step = 1; step < 40; step++) {
        out.len = 0;
        assert_int_equal(test_decode(AT_STR("Zm9vYmFy"), step, &out), AT_OK);
        assert_int_equal(out.len, 6);

        /* white space counts for nothing */

        out.len = 0;
        assert_int_equal(test_decode(AT_STR("Zm 9v\r\nYm    Fy\r\n\r\n"),
                                     step, &out), AT_OK);
        assert_int_equal(out.len, 6);

        out.len = 0;
        assert_int_equal(test_decode(AT_STR("Zm9vYmFyZg=="), step, &out),
                         AT_ERROR);
        assert_true(out.len <= 6 && out.cap <= 6);

        out.len = 0;
        assert_int_equal(test_decode(AT_STR("Zm9vYmFyYmFyYmFy"), step, &out),
                         AT_ERROR);
        assert_true(out.len <= 6 && out.cap <= 6);
    }

    at_buf_free(&out);
}


/* Long random data in random pieces, against a plain encoder. */
static void
test_random(void **state)
{
    char                     *text;
    size_t                    i, k, n, len, step;
    uint8_t                  *plain;
    uint32_t                  seed, v;
    at_buf_t                  out = { NULL, 0, 0, 0 };
    at_base64_t               d;
    static const char         abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "abcdefghijklmnopqrstuvwxyz"
                                      "0123456789+/";

    (void) state;

    seed = 7;
    plain = malloc(30000);
    text = malloc(60000);
    assert_non_null(plain);
    assert_non_null(text);

    for (i = 0; i < 30000; i++) {
        plain[i] = (uint8_t) at_test_random(&seed);
    }

    len = 0;

    for (i = 0; i < 30000; i += 3) {
        v = (uint32_t) plain[i] << 16 | (uint32_t) plain[i + 1] << 8
            | plain[i + 2];

        for (k = 0; k < 4; k++) {
            text[len++] = abc[v >> (18 - 6 * k) & 63];

            if (at_test_random(&seed) % 50 == 0) {
                text[len++] = '\n';
            }
        }
    }

    memset(&d, 0, sizeof(at_base64_t));

    for (i = 0; i < len; i += n) {
        step = at_test_random(&seed) % 700 + 1;
        n = len - i < step ? len - i : step;
        assert_int_equal(at_base64_decode(&d, (uint8_t *) text + i, n, &out),
                         AT_OK);
    }

    assert_int_equal(at_base64_finish(&d, &out), AT_OK);
    assert_int_equal(out.len, 30000);
    assert_memory_equal(out.data, plain, 30000);

    at_buf_free(&out);
    free(plain);
    free(text);
}


/* By the definition, a character at a time; AT_ERROR if it is refused. */
static int
test_slow(at_str_t in, uint8_t *out, size_t *len)
{
    size_t             i, n, pad, value;
    uint32_t           bits;
    const char        *at;
    static const char  abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789+/";

    n = 0;
    pad = 0;
    bits = 0;
    *len = 0;

    for (i = 0; i < in.len; i++) {

        if (in.data[i] != '\0' && strchr(" \t\r\n", in.data[i]) != NULL) {
            continue;
        }

        if (in.data[i] == '=') {
            pad++;
            continue;
        }

        at = memchr(abc, in.data[i], sizeof(abc) - 1);

        if (at == NULL || pad > 0) {
            return AT_ERROR;
        }

        value = (size_t) (at - abc);
        bits = bits << 6 | (uint32_t) value;
        n++;

        if (n % 4 != 1) {
            out[(*len)++] = (uint8_t) (bits >> (6 - 2 * ((n - 1) % 4)));
        }
    }

    return (n % 4 == 1 || (pad > 0 && (n % 4 == 0 || n % 4 + pad != 4)))
           ? AT_ERROR : AT_OK;
}


/*
 * Characters are taken 16 at a time: at every alignment, length and position
 * any byte is decoded, skipped or refused as it is alone, and nothing is
 * written behind a buffer that has not a byte to spare.
 */
static void
test_vectors_of_bytes(void **state)
{
    int       rc;
    char     *memory, *text;
    size_t    align, len, pos, odd, n, max;
    uint8_t   want[128];
    at_buf_t  out = { NULL, 0, 0, 0 };
    at_str_t  in;

    (void) state;

    for (align = 0; align < 16; align++) {
        for (len = 1; len <= 72; len++) {

            memory = malloc(align + len);
            assert_non_null(memory);
            text = memory + align;
            in = (at_str_t) { len, text };

            /* every byte at every place of a vector, if not of a text */

            for (odd = align; odd < 256; odd += len < 40 ? 16 : 1) {
                pos = (odd + align + len) % len;

                for (n = 0; n < len; n++) {
                    text[n] = "Az+09/aZxQ"[(n + odd) % 10];
                }

                text[pos] = (char) odd;

                rc = test_slow(in, want, &max);

                for (n = 0; n < 2; n++) {
                    out.max = rc == AT_OK ? max : 0;
                    out.len = 0;

                    at_test_true(test_decode(in, n ? len : 17, &out) == rc,
                                 "%zu characters at %zu, %zu at %zu", len,
                                 align, odd, pos);
                    at_test_true(rc != AT_OK
                                 || (out.len == max
                                     && memcmp(out.data, want, max) == 0),
                                 "%zu characters at %zu, %zu at %zu", len,
                                 align, odd, pos);
                    at_buf_free(&out);
                }
            }

            free(memory);
        }
    }
}


/* A decoder that has finished begins anew. */
static void
test_reuse(void **state)
{
    at_buf_t     out = { NULL, 0, 0, 0 };
    at_base64_t  d;

    (void) state;

    memset(&d, 0, sizeof(at_base64_t));

    assert_int_equal(at_base64_decode(&d, (const uint8_t *) "Zg==", 4, &out),
                     AT_OK);
    assert_int_equal(at_base64_finish(&d, &out), AT_OK);
    assert_int_equal(at_base64_decode(&d, (const uint8_t *) "Zm8=", 4, &out),
                     AT_OK);
    assert_int_equal(at_base64_finish(&d, &out), AT_OK);
    assert_true(at_str_is(at_buf_str(&out), "ffo"));

    at_buf_free(&out);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_vectors_of_bytes),
        cmocka_unit_test(test_reuse)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
