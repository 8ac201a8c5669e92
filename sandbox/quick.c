/*
 * Pictures in a moment, for tests that want many: with --quick a PNG of each
 * size is drawn once for each provider, and given out again with a comment
 * in it that stands for prompt and seed.  So other input still makes other
 * bytes, and the same input the same.
 */

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "sandbox.h"
#include "scene.h"


#define SB_QUICK_KEPT  64               /* more are drawn as ever */
#define SB_QUICK_HEAD  33               /* bytes up to the end of IHDR */


typedef struct {
    char      provider[SB_NAME_MAX + 1];
    unsigned  width;
    unsigned  height;
    sb_buf_t  png;
} sb_quick_t;


static int sb_quick_find(sb_picture_t *p, const char *provider,
    const sb_job_t *job);
static void sb_quick_keep(const sb_picture_t *p, const char *provider,
    const sb_job_t *job);
static int sb_quick_mark(sb_picture_t *p, uint64_t mark);


static int              sb_quick;
static sb_quick_t       sb_quick_kept[SB_QUICK_KEPT];
static unsigned         sb_quick_n;
static pthread_mutex_t  sb_quick_lock = PTHREAD_MUTEX_INITIALIZER;


void
sb_quick_init(void)
{
    sb_quick = 1;
}


void
sb_quick_free(void)
{
    while (sb_quick_n > 0) {
        sb_buf_free(&sb_quick_kept[--sb_quick_n].png);
    }
}


int
sb_quick_may(const sb_job_t *job)
{
    return sb_quick && job->format == SB_FORMAT_PNG && !job->filtered;
}


/* Whoever comes while one is drawn waits for it. */

int
sb_quick_draw(sb_picture_t *p, const char *provider, const sb_job_t *job,
    uint64_t chance)
{
    int  rc;

    pthread_mutex_lock(&sb_quick_lock);

    rc = sb_quick_find(p, provider, job);

    if (rc != SB_OK) {
        rc = sb_picture_paint(p, provider, job, chance);

        if (rc == SB_OK) {
            sb_quick_keep(p, provider, job);
        }
    }

    pthread_mutex_unlock(&sb_quick_lock);

    return (rc == SB_OK) ? sb_quick_mark(p, chance) : SB_ERROR;
}


/* SB_ERROR: none is kept. */

static int
sb_quick_find(sb_picture_t *p, const char *provider, const sb_job_t *job)
{
    unsigned     i;
    sb_quick_t  *q;

    for (i = 0; i < sb_quick_n; i++) {
        q = &sb_quick_kept[i];

        if (q->width == job->width && q->height == job->height
            && strcmp(q->provider, provider) == 0)
        {
            p->type = "image/png";
            p->ext = "png";
            sb_buf_free(&p->data);

            return sb_buf_add(&p->data, q->png.data, q->png.len);
        }
    }

    return SB_ERROR;
}


static void
sb_quick_keep(const sb_picture_t *p, const char *provider,
    const sb_job_t *job)
{
    sb_quick_t  *q;

    if (sb_quick_n == SB_QUICK_KEPT) {
        return;
    }

    q = &sb_quick_kept[sb_quick_n];

    if (sb_buf_add(&q->png, p->data.data, p->data.len) == SB_OK) {
        snprintf(q->provider, sizeof(q->provider), "%s", provider);
        q->width = job->width;
        q->height = job->height;
        sb_quick_n++;
    }
}


/* Puts a comment behind the first chunk. */

static int
sb_quick_mark(sb_picture_t *p, uint64_t mark)
{
    int            n;
    char           chunk[64];
    uLong          crc;
    sb_buf_t       out;
    unsigned char  end[4];

    n = snprintf(chunk, sizeof(chunk), "tEXtComment%c%016llx", 0,
                 (unsigned long long) mark);
    crc = crc32(0, (unsigned char *) chunk, (uInt) n);

    end[0] = (unsigned char) (crc >> 24);
    end[1] = (unsigned char) (crc >> 16);
    end[2] = (unsigned char) (crc >> 8);
    end[3] = (unsigned char) crc;

    memset(&out, 0, sizeof(sb_buf_t));

    if (p->data.len < SB_QUICK_HEAD
        || sb_buf_add(&out, p->data.data, SB_QUICK_HEAD) != SB_OK
        || sb_buf_add(&out, "\0\0\0\x18", 4) != SB_OK
        || sb_buf_add(&out, chunk, (size_t) n) != SB_OK
        || sb_buf_add(&out, end, 4) != SB_OK
        || sb_buf_add(&out, p->data.data + SB_QUICK_HEAD,
                      p->data.len - SB_QUICK_HEAD) != SB_OK)
    {
        sb_buf_free(&out);
        return SB_ERROR;
    }

    sb_buf_free(&p->data);
    p->data = out;

    return SB_OK;
}
