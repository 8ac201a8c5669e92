/*
 * One generation, whatever the wire format, and one picture fetched by URL.
 *
 * The order is fixed: the request is read and refused if wrong (faults never
 * hide a caller's mistake), the mode is decided, the latency is slept, then
 * the picture is drawn and the answer written, with faults.c asked before,
 * between and after.  The job and its pictures live here only.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sandbox.h"


#define SB_DRAWING  4           /* a drawing may take 16 MB */


/*
 * A semaphore that poll() can wait for together with the connection: calls
 * come faster than pictures are drawn, and one whose client has gone must
 * leave the queue at once, or the queue outgrows the calls allowed.
 */

static int  sb_drawing = -1;


int
sb_drawing_init(void)
{
    sb_drawing = eventfd(SB_DRAWING,
                         EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);

    return sb_drawing == -1 ? SB_ERROR : SB_OK;
}


void
sb_drawing_free(void)
{
    close(sb_drawing);
}


/* SB_ERROR: the client left meanwhile, or the process stops. */

int
sb_drawing_take(sb_call_t *c)
{
    uint64_t  one;

    /* All who wait are woken for one place, so it may be gone again. */

    do {
        if (sb_call_wait_fd(c, sb_drawing, -1) != SB_OK) {
            return SB_ERROR;
        }

    } while (read(sb_drawing, &one, sizeof(one)) != sizeof(one));

    return SB_OK;
}


void
sb_drawing_give(void)
{
    uint64_t  one;

    one = 1;

    if (write(sb_drawing, &one, sizeof(one)) != sizeof(one)) {
        abort();
    }
}


static int64_t
sb_latency(sb_call_t *c)
{
    double                ms, u, v, sigma;
    const sb_settings_t  *s;

    s = &c->settings;
    ms = s->latency_a;

    if (s->latency == SB_LATENCY_RANGE) {
        ms += sb_provider_chance(c->provider)
              * (s->latency_b - s->latency_a);

    } else if (s->latency == SB_LATENCY_LOGNORMAL) {
        u = 1.0 - sb_provider_chance(c->provider);
        v = sb_provider_chance(c->provider);

        /* 1.6449: the normal distribution's 95th percentile. */

        sigma = log(s->latency_b / s->latency_a) / 1.6449;
        ms *= exp(sigma * sqrt(-2 * log(u)) * cos(2 * M_PI * v));
    }

    return (int64_t) (ms < SB_WAIT_MAX_MS ? ms : SB_WAIT_MAX_MS);
}


/* SB_ERROR: the client left meanwhile. */

int
sb_latency_sleep(sb_call_t *c)
{
    int64_t  ms;

    if (c->settings.on != sb_call_on(c)) {
        return SB_OK;
    }

    ms = sb_latency(c);

    if (ms > 0 && sb_call_wait(c, ms) != SB_OK) {
        c->answer.deliver = SB_DELIVER_CLOSE;
        return SB_ERROR;
    }

    return SB_OK;
}


/*
 * The seed that is told is the one that draws the same picture again.  A
 * place is taken for each picture, so that ten of them are given up as soon
 * as one.
 */

static int
sb_draw(sb_call_t *c, const sb_job_t *job, sb_picture_t *p)
{
    int       rc;
    unsigned  i;

    rc = SB_OK;

    for (i = 0; i < job->n && rc == SB_OK; i++) {
        if (sb_drawing_take(c) != SB_OK) {
            return SB_ERROR;
        }

        p[i].seed = job->seed + i;
        rc = sb_picture_draw(&p[i], c->provider->name, job, p[i].seed);

        sb_drawing_give();
    }

    return rc;
}


static void
sb_generate_job(sb_call_t *c, sb_job_t *job, sb_picture_t *p)
{
    sb_decide(c);

    if (sb_latency_sleep(c) != SB_OK) {
        return;
    }

    if (c->settings.format != SB_FORMAT_ASKED) {
        job->format = c->settings.format;
    }

    if (c->api->url && c->settings.response != SB_REPLY_ASKED) {
        job->reply = c->settings.response;
    }

    if (sb_fault_before(c, job)) {
        return;
    }

    if (sb_draw(c, job, p) != SB_OK) {
        c->answer.deliver = SB_DELIVER_CLOSE;
        return;
    }

    if (sb_fault_pictures(c, job, p) != SB_OK) {
        sb_fault_variant(c);
        return;
    }

    c->api->write(c, job, p);
    sb_fault_after(c, job);
}


void
sb_generate(sb_call_t *c)
{
    int           rc;
    size_t        i;
    sb_job_t      job;
    sb_picture_t  pictures[SB_PICTURES_MAX];

    memset(&job, 0, sizeof(sb_job_t));
    memset(pictures, 0, sizeof(pictures));

    rc = c->api->read(c, &job);
    sb_remember(c, &job);

    if (rc == SB_OK) {
        sb_generate_job(c, &job, pictures);
    }

    for (i = 0; i < SB_PICTURES_MAX; i++) {
        sb_buf_free(&pictures[i].data);
        sb_buf_free(&pictures[i].b64);
    }

    sb_buf_free(&job.prompt);
    sb_form_free(job.form);

    if (job.json) {
        yajl_tree_free(job.json);
    }
}


static void
sb_serve_picture(sb_call_t *c, sb_job_t *job, sb_picture_t *p)
{
    sb_decide(c);

    if (sb_latency_sleep(c) != SB_OK || sb_fault_before(c, job)) {
        return;
    }

    if (sb_fault_pictures(c, job, p) != SB_OK) {
        sb_fault_variant(c);
        return;
    }

    sb_api_file.write(c, job, p);
    sb_fault_after(c, job);
}


void
sb_serve_file(sb_call_t *c)
{
    sb_job_t      job;
    sb_picture_t  p;

    memset(&job, 0, sizeof(sb_job_t));
    memset(&p, 0, sizeof(sb_picture_t));
    job.reply = SB_REPLY_RAW;
    job.n = 1;

    if (sb_call_header(c, "Authorization")) {
        sb_count(c, SB_COUNT_LEAKS, 1);
    }

    if (strcmp(c->method, "GET") != 0) {
        sb_refuse(c, 405, "method_not_allowed", NULL, "GET only");

    } else if (sb_file_load(c->provider->name, c->rest + 7, &p.data, &p.type)
               != SB_OK)
    {
        sb_refuse(c, 404, "not_found", NULL, "There is no such picture here: "
                  "the sandbox keeps the latest 256, in memory.");

    } else {
        sb_serve_picture(c, &job, &p);
    }

    sb_buf_free(&p.data);
    sb_buf_free(&p.b64);
}


static void
sb_file_write(sb_call_t *c, const sb_job_t *job, sb_picture_t *p)
{
    (void) job;

    sb_answer_begin(c, 200, p->type);
    sb_buf_add(&c->answer.body, p->data.data, p->data.len);
}


static void
sb_file_error(sb_call_t *c, unsigned status, const sb_error_t *e)
{
    sb_answer_text(c, status, "text/plain", "%s\n", e->message);
}


static void
sb_file_failure(sb_call_t *c, unsigned status)
{
    sb_answer_text(c, status, "text/plain", "The file host answers %u.\n",
                   status);
}


const sb_api_t  sb_api_file = {
    .name = "file",
    .write = sb_file_write,
    .error = sb_file_error,
    .failure = sb_file_failure
};
