/*
 * Pages that cost whoever reads them more than they should, and gzip, in which
 * shops send all of theirs.
 */

#include <string.h>

#include <zlib.h>

#include "shop.h"


#define SB_GZIP_MIN    1024
#define SB_BOMB        ((size_t) 64 * 1024 * 1024)
#define SB_ATTRIBUTES  60000
#define SB_DEPTH       300000


/* A stream of gzip; SB_ERROR: no memory. */

static int
sb_gzip_begin(z_stream *z, int level)
{
    memset(z, 0, sizeof(z_stream));

    return deflateInit2(z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY)
           == Z_OK ? SB_OK : SB_ERROR;
}


static void
sb_gzip_add(z_stream *z, sb_buf_t *out, const char *data, size_t len,
    int flush)
{
    unsigned char  chunk[16384];

    z->next_in = (unsigned char *) (uintptr_t) data;
    z->avail_in = (unsigned) len;

    do {
        z->next_out = chunk;
        z->avail_out = sizeof(chunk);
        (void) deflate(z, flush);
        sb_buf_add(out, chunk, sizeof(chunk) - z->avail_out);
    } while (z->avail_out == 0);
}


/* If the caller takes it and the answer is worth it. */

void
sb_shop_gzip(sb_visit_t *v)
{
    sb_buf_t     out;
    z_stream     z;
    const char  *accept;

    accept = sb_call_header(v->c, "Accept-Encoding");

    if (accept == NULL || strstr(accept, "gzip") == NULL
        || v->c->answer.status != 200 || v->b->len < SB_GZIP_MIN
        || sb_gzip_begin(&z, 1) != SB_OK)
    {
        return;
    }

    memset(&out, 0, sizeof(sb_buf_t));
    sb_gzip_add(&z, &out, v->b->data, v->b->len, Z_FINISH);
    deflateEnd(&z);

    sb_buf_free(v->b);
    *v->b = out;

    sb_answer_header(v->c, "Content-Encoding", "gzip");
    sb_answer_header(v->c, "Vary", "Accept-Encoding");
}


/* The beginning of a page, then blanks without an end in sight. */

void
sb_shop_bomb(sb_visit_t *v)
{
    char         blanks[4096];
    size_t       n;
    z_stream     z;

    static const char  begin[] = "<!DOCTYPE html><html><body><h1>Sofa</h1>";

    sb_answer_begin(v->c, 200, "text/html; charset=utf-8");

    if (sb_gzip_begin(&z, 9) != SB_OK) {
        v->c->answer.deliver = SB_DELIVER_CLOSE;
        return;
    }

    memset(blanks, ' ', sizeof(blanks));
    sb_gzip_add(&z, v->b, begin, sizeof(begin) - 1, Z_NO_FLUSH);

    for (n = 0; n < SB_BOMB; n += sizeof(blanks)) {
        sb_gzip_add(&z, v->b, blanks, sizeof(blanks), Z_NO_FLUSH);
    }

    sb_gzip_add(&z, v->b, blanks, 1, Z_FINISH);
    deflateEnd(&z);
    sb_answer_header(v->c, "Content-Encoding", "gzip");
}


/* Some parsers look through all that there were for each new one. */

void
sb_shop_attributes(sb_visit_t *v)
{
    unsigned  i;

    sb_answer_begin(v->c, 200, "text/html; charset=utf-8");
    sb_buf_print(v->b, "<!DOCTYPE html><html><body><div");

    for (i = 0; i < SB_ATTRIBUTES && !v->b->failed; i++) {
        sb_buf_print(v->b, " a%u", i);
    }

    sb_buf_print(v->b, "><h1>Sofa</h1></div></body></html>\n");
}


void
sb_shop_deep(sb_visit_t *v)
{
    unsigned  i;

    sb_answer_begin(v->c, 200, "text/html; charset=utf-8");
    sb_buf_print(v->b, "<!DOCTYPE html><html><body>");

    for (i = 0; i < SB_DEPTH && !v->b->failed; i++) {
        sb_buf_add(v->b, "<div>", 5);
    }

    sb_buf_print(v->b, "<h1>Sofa</h1></body></html>\n");
}
