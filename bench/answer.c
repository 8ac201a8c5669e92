/*
 * The answers of the providers (see answer.h).
 *
 * The picture is a true PNG of grey noise with one bit a pixel, stored
 * without compression so that its size can be chosen.  Its noise is the same
 * in each run.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "answer.h"
#include "plan.h"


#define ANSWER_NARROW    256            /* pixels in a row, of a small one */
#define ANSWER_WIDE      4096
#define ANSWER_SMALL     16384          /* bytes */
#define ANSWER_ROWS_MIN  16
#define ANSWER_PNG       74             /* bytes of a PNG beside its rows */
#define ANSWER_JSON      64             /* bytes around the base64 */


static void
answer_be32(uint8_t *p, size_t n)
{
    p[0] = (uint8_t) (n >> 24);
    p[1] = (uint8_t) (n >> 16);
    p[2] = (uint8_t) (n >> 8);
    p[3] = (uint8_t) n;
}


static uint8_t *
answer_chunk(uint8_t *out, const char *type, const uint8_t *data, size_t len)
{
    answer_be32(out, len);
    memcpy(out + 4, type, 4);

    if (len) {
        memcpy(out + 8, data, len);
    }

    answer_be32(out + 8 + len, crc32(0, out + 4, (uInt) (4 + len)));

    return out + 12 + len;
}


/* NULL without memory; the caller frees it. */

static uint8_t *
answer_png(size_t width, size_t rows, size_t *len)
{
    size_t    i, n, row;
    uLongf    z;
    uint8_t  *raw, *packed, *png, *p, head[13];

    row = 1 + width / 8;
    n = rows * row;
    z = compressBound((uLong) n);

    raw = malloc(n);
    packed = malloc(z);
    png = malloc(z + 128);

    if (raw == NULL || packed == NULL || png == NULL) {
        free(raw);
        free(packed);
        free(png);
        return NULL;
    }

    for (i = 0; i < n; i++) {
        raw[i] = (i % row) ? (uint8_t) bench_plan_draw(i, 0, 256) : 0;
    }

    (void) compress2(packed, &z, raw, (uLong) n, Z_NO_COMPRESSION);

    memset(head, 0, sizeof(head));
    answer_be32(head, width);
    answer_be32(head + 4, rows);
    head[8] = 1;

    memcpy(png, "\x89PNG\r\n\x1a\n", 8);
    p = answer_chunk(png + 8, "IHDR", head, sizeof(head));
    p = answer_chunk(p, "IDAT", packed, z);
    p = answer_chunk(p, "IEND", NULL, 0);

    *len = (size_t) (p - png);

    free(raw);
    free(packed);

    return png;
}


static char *
answer_base64(char *out, const uint8_t *p, size_t len)
{
    size_t    i, n;
    uint32_t  bits;

    static const char  set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789+/";

    for (i = 0; i < len; i += 3) {
        n = (len - i < 3) ? len - i : 3;

        bits = (uint32_t) p[i] << 16
               | (uint32_t) (n > 1 ? p[i + 1] : 0) << 8
               | (n > 2 ? p[i + 2] : 0);

        *out++ = set[bits >> 18];
        *out++ = set[bits >> 12 & 63];
        *out++ = (n > 1) ? set[bits >> 6 & 63] : '=';
        *out++ = (n > 2) ? set[bits & 63] : '=';
    }

    *out = '\0';

    return out;
}


static int
answer_http(bench_bytes_t *b, const char *status, const char *body)
{
    int    n;
    char  *text;

    n = asprintf(&text, "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n%s",
                 status, strlen(body), body);
    if (n == -1) {
        return -1;
    }

    b->data = text;
    b->len = (size_t) n;

    return 0;
}


int
bench_answers_create(bench_answers_t *a, size_t size)
{
    int       rc;
    char     *body, *p;
    size_t    width, rows, len;
    uint8_t  *png;

    width = (size < ANSWER_SMALL) ? ANSWER_NARROW : ANSWER_WIDE;

    rows = (size > ANSWER_JSON) ? (size - ANSWER_JSON) / 4 * 3 : 0;
    rows = (rows > ANSWER_PNG) ? (rows - ANSWER_PNG) / (1 + width / 8) : 0;
    rows = (rows > ANSWER_ROWS_MIN) ? rows : ANSWER_ROWS_MIN;

    png = answer_png(width, rows, &len);
    if (png == NULL) {
        return -1;
    }

    body = malloc(len / 3 * 4 + ANSWER_JSON + 8);
    if (body == NULL) {
        free(png);
        return -1;
    }

    p = stpcpy(body, "{\"created\":1700000000,\"data\":[{\"b64_json\":\"");
    p = answer_base64(p, png, len);
    (void) stpcpy(p, "\"}]}");

    rc = answer_http(&a->good, "200 OK", body);

    rc |= answer_http(&a->error, "500 Internal Server Error",
                      "{\"error\":{\"message\":\"out of order\","
                      "\"type\":\"server_error\"}}");

    rc |= answer_http(&a->later, "429 Too Many Requests\r\nRetry-After: 7",
                      "{\"error\":{\"message\":\"too many requests\","
                      "\"type\":\"rate_limit_error\"}}");

    free(png);
    free(body);

    return rc;
}
