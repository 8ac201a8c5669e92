/*
 * at_json: the same text fed whole, byte by byte and in odd pieces has to
 * give the same verdict and the same reports (of two faults either may be
 * named); strings that are written have to be read back.
 *
 * The first two bytes of the input choose the limits, which strings are
 * streamed and where the caller stops; the rest is the text.
 */

#include "fuzz.h"
#include "at_json.h"
#include "at_text.h"


typedef struct {
    uint64_t   seen;            /* all reports but the bytes of chunks */
    uint64_t   streamed;        /* the bytes of chunks */
    unsigned   open;
    unsigned   streaming:1;
    unsigned   stream_all:1;
    unsigned   stream_some:1;
    size_t     stop;            /* the report to stop at; 0: none */
    size_t     n;
} fuzz_json_t;


typedef struct {
    int          rc;
    fuzz_json_t  ctx;
} fuzz_verdict_t;


static int
fuzz_report(fuzz_json_t *f, char kind, const char *path)
{
    FUZZ_CHECK(strlen(path) <= AT_JSON_PATH_MAX);

    f->seen = fuzz_hash(f->seen, &kind, 1);
    f->seen = fuzz_hash_str(f->seen, path);

    return ++f->n == f->stop ? AT_ERROR : AT_OK;
}


static int
fuzz_value(void *ctx, const char *path, at_json_type_e type, at_str_t text)
{
    fuzz_json_t  *f = ctx;

    FUZZ_CHECK(type <= AT_JSON_STRING);
    FUZZ_CHECK(!f->streaming);

    f->seen = fuzz_hash(f->seen, &type, sizeof(type));
    f->seen = fuzz_hash(f->seen, text.data, text.len);

    return fuzz_report(f, 'v', path);
}


static int
fuzz_stream(void *ctx, const char *path)
{
    fuzz_json_t  *f = ctx;
    size_t        len;

    len = strlen(path);

    if (f->stream_all || (f->stream_some && len && path[len - 1] == 'b')) {
        return 1;
    }

    return 0;
}


static int
fuzz_chunk(void *ctx, const char *path, const uint8_t *data, size_t len,
    int last)
{
    fuzz_json_t  *f = ctx;

    f->streaming = !last;
    f->streamed = fuzz_hash(f->streamed, data, len);

    return last ? fuzz_report(f, 'c', path) : AT_OK;
}


static int
fuzz_open(void *ctx, const char *path, at_json_type_e type)
{
    fuzz_json_t  *f = ctx;

    FUZZ_CHECK(type == AT_JSON_OBJECT || type == AT_JSON_ARRAY);
    f->open++;

    return fuzz_report(f, type == AT_JSON_OBJECT ? '{' : '[', path);
}


static int
fuzz_close(void *ctx, const char *path, at_json_type_e type)
{
    fuzz_json_t  *f = ctx;

    FUZZ_CHECK(f->open > 0);
    f->open--;

    return fuzz_report(f, type == AT_JSON_OBJECT ? '}' : ']', path);
}


static const at_json_handler_t  fuzz_handler = {
    fuzz_value, fuzz_stream, fuzz_chunk, fuzz_open, fuzz_close
};


static fuzz_verdict_t
fuzz_run(at_str_t text, unsigned flags, unsigned how)
{
    size_t            i, n, state;
    at_json_t        *j;
    fuzz_verdict_t    v;
    at_json_limits_t  limits;

    memset(&limits, 0, sizeof(at_json_limits_t));
    limits.depth = (flags & 1) ? 3 : 0;
    limits.string = (flags & 2) ? 7 : 0;
    limits.cut = (flags & 4) != 0;
    limits.values = (flags & 256) ? 5 : 0;
    limits.plain = (flags & 512) ? 40 : 0;

    memset(&v, 0, sizeof(fuzz_verdict_t));
    v.ctx.stream_some = (flags & 8) != 0;
    v.ctx.stream_all = (flags & 16) != 0;
    v.ctx.stop = (flags & 32) ? 1 + ((flags >> 6) & 3) : 0;

    j = at_json_create(&fuzz_handler, &v.ctx, &limits);
    FUZZ_CHECK(j != NULL);

    v.rc = AT_OK;
    state = 0;

    for (i = 0; i < text.len && v.rc == AT_OK; i += n) {
        n = fuzz_piece(how, &state, text.len - i);
        v.rc = at_json_feed(j, text.data + i, n);
    }

    if (v.rc != AT_OK) {
        FUZZ_CHECK(at_json_feed(j, "1", 1) == AT_ERROR);
        FUZZ_CHECK(at_json_finish(j) == AT_ERROR);

    } else {
        v.rc = at_json_finish(j);
    }

    FUZZ_CHECK(v.rc == AT_ERROR || at_json_error(j)[0] == '\0');
    FUZZ_CHECK(v.rc == AT_ERROR || (v.ctx.open == 0 && !v.ctx.streaming));

    at_json_free(j);

    return v;
}


static void
fuzz_same(at_str_t text, unsigned flags)
{
    unsigned        how;
    fuzz_verdict_t  whole, other;

    whole = fuzz_run(text, flags, 0);

    for (how = 1; how <= 4; how++) {
        other = fuzz_run(text, flags, how);

        FUZZ_CHECK(other.rc == whole.rc);
        FUZZ_CHECK(other.ctx.seen == whole.ctx.seen);
        FUZZ_CHECK(whole.rc == AT_ERROR
                   || other.ctx.streamed == whole.ctx.streamed);
    }
}


static int
fuzz_take(void *ctx, const char *path, at_json_type_e type, at_str_t text)
{
    FUZZ_CHECK(type == AT_JSON_STRING && path[0] == '\0');

    return at_buf_append_str(ctx, text);
}


/* What at_json_write_string() makes of any bytes reads back as UTF-8. */

static void
fuzz_write(at_str_t text)
{
    at_buf_t           json, back;
    at_json_t         *j;
    at_json_limits_t   limits;
    at_json_handler_t  handler;

    memset(&json, 0, sizeof(at_buf_t));
    memset(&back, 0, sizeof(at_buf_t));
    memset(&handler, 0, sizeof(at_json_handler_t));
    memset(&limits, 0, sizeof(at_json_limits_t));
    handler.value = fuzz_take;
    limits.string = 3 * text.len + 1;

    FUZZ_CHECK(at_json_write_string(&json, text) == AT_OK);

    j = at_json_create(&handler, &back, &limits);
    FUZZ_CHECK(j != NULL);
    FUZZ_CHECK(at_json_feed(j, json.data, json.len) == AT_OK);
    FUZZ_CHECK(at_json_finish(j) == AT_OK);
    FUZZ_CHECK(at_utf8_valid(at_buf_str(&back)));

    if (at_utf8_valid(text)) {
        FUZZ_CHECK(at_str_eq(at_buf_str(&back), text));
    }

    at_json_free(j);
    at_buf_free(&json);
    at_buf_free(&back);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned   flags;
    fuzz_in_t  in = { data, data + size };

    flags = fuzz_byte(&in);
    flags |= (unsigned) fuzz_byte(&in) << 8;

    fuzz_same(fuzz_rest(&in), flags);
    fuzz_write(fuzz_rest(&in));

    return 0;
}
