/*
 * Predictions: work that goes on after the call that began it.
 *
 * Nothing runs here.  A prediction knows from its start when it will begin,
 * end and die, and what it is at a moment follows from the clock; only a
 * cancel call changes it.  A ring of SB_PREDICTIONS, also bounded in bytes: a
 * new one drops the oldest.  Everything is read and written under the lock,
 * and the strings of a prediction are its own.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sandbox.h"


#define SB_PREDICTIONS        1024
#define SB_PREDICTIONS_BYTES  ((size_t) 128 * 1024 * 1024)


static pthread_mutex_t  sb_predictions_lock = PTHREAD_MUTEX_INITIALIZER;
static sb_prediction_t  sb_predictions[SB_PREDICTIONS];
static size_t           sb_predictions_next;
static size_t           sb_predictions_bytes;


static size_t
sb_prediction_size(const sb_prediction_t *p)
{
    return strlen(p->model) + strlen(p->input) + strlen(p->output);
}


static void
sb_prediction_drop(sb_prediction_t *p)
{
    if (p->id[0]) {
        sb_predictions_bytes -= sb_prediction_size(p);
        free(p->model);
        free(p->input);
        free(p->output);
        memset(p, 0, sizeof(sb_prediction_t));
    }
}


/* Takes the three strings of p, also if it fails. */

int
sb_prediction_add(sb_prediction_t *p)
{
    size_t  i, size;

    size = sb_prediction_size(p);

    if (size > SB_PREDICTIONS_BYTES) {
        free(p->model);
        free(p->input);
        free(p->output);
        return SB_ERROR;
    }

    pthread_mutex_lock(&sb_predictions_lock);

    /* The slot to be used next holds the oldest. */

    for (i = 0;
         i < SB_PREDICTIONS
         && sb_predictions_bytes > SB_PREDICTIONS_BYTES - size;
         i++)
    {
        sb_prediction_drop(&sb_predictions[(sb_predictions_next + i)
                                           % SB_PREDICTIONS]);
    }

    sb_prediction_drop(&sb_predictions[sb_predictions_next]);
    sb_predictions[sb_predictions_next] = *p;
    sb_predictions_next = (sb_predictions_next + 1) % SB_PREDICTIONS;
    sb_predictions_bytes += size;

    pthread_mutex_unlock(&sb_predictions_lock);

    return SB_OK;
}


static sb_prediction_t *
sb_prediction_find_locked(const char *provider, const char *id)
{
    size_t  i;

    for (i = 0; i < SB_PREDICTIONS; i++) {
        if (sb_predictions[i].id[0]
            && strcmp(sb_predictions[i].id, id) == 0
            && strcmp(sb_predictions[i].provider, provider) == 0)
        {
            return &sb_predictions[i];
        }
    }

    return NULL;
}


/* The moment at which nothing changes any more, and the status from then. */

static int64_t
sb_prediction_end(const sb_prediction_t *p, const char **status)
{
    int64_t  at;

    at = p->ends;
    *status = p->ending;

    if (p->stopped < at) {
        at = p->stopped;
        *status = "canceled";
    }

    if (p->dies < at) {
        at = p->dies;
        *status = (at < p->starts) ? "aborted" : "canceled";
    }

    return at;
}


static void
sb_prediction_time(yajl_gen g, const char *name, int64_t monotonic)
{
    char             text[40];
    size_t           n;
    int64_t          ms;
    time_t           t;
    struct tm        tm;
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    ms = (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000
         - (sb_now_ms() - monotonic);

    t = (time_t) (ms / 1000);
    gmtime_r(&t, &tm);
    n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, sizeof(text) - n, ".%03dZ", (int) (ms % 1000));

    sb_gen_member(g, name, text);
}


static void
sb_prediction_urls(const sb_prediction_t *p, yajl_gen g)
{
    char  url[400];

    sb_gen_text(g, "urls");
    yajl_gen_map_open(g);

    snprintf(url, sizeof(url), "%s/%s/v1/predictions/%s/cancel",
             sb_public_url(), p->provider, p->id);
    sb_gen_member(g, "cancel", url);

    *strrchr(url, '/') = '\0';
    sb_gen_member(g, "get", url);

    yajl_gen_map_close(g);
}


/* A member that is JSON already. */

static void
sb_prediction_raw(yajl_gen g, const char *name, const char *json)
{
    sb_gen_text(g, name);
    yajl_gen_number(g, json, strlen(json));
}


static void
sb_prediction_gen(const sb_prediction_t *p, sb_tell_e tell, yajl_gen g)
{
    int          done, output;
    char         logs[64];
    int64_t      now, end;
    const char  *status, *word;

    now = (tell == SB_TELL_NEW) ? p->created : sb_now_ms();
    end = sb_prediction_end(p, &word);
    done = (tell != SB_TELL_NEW && now >= end);
    output = done && end == p->ends;

    status = done ? word : (now < p->starts || tell == SB_TELL_NEW)
                           ? "starting" : "processing";

    /* As recorded: the output is there before the status says so. */

    if (tell == SB_TELL_WAITED && strcmp(status, "succeeded") == 0
        && strcmp(p->output, "null") != 0)
    {
        status = "processing";
    }

    snprintf(logs, sizeof(logs), "Using seed: %llu\n",
             (unsigned long long) p->seed);

    yajl_gen_map_open(g);
    sb_gen_member(g, "id", p->id);
    sb_gen_member(g, "model", p->model);
    sb_gen_member(g, "version", "hidden");
    sb_prediction_raw(g, "input", p->input);
    sb_gen_member(g, "logs", status[0] == 's' && !done ? "" : logs);
    sb_prediction_raw(g, "output", output ? p->output : "null");
    sb_gen_text(g, "data_removed");
    yajl_gen_bool(g, 0);
    sb_gen_member(g, "error", output ? p->failure : NULL);
    sb_gen_member(g, "status", status);
    sb_prediction_time(g, "created_at", p->created);

    if (done && tell == SB_TELL_NOW) {

        if (end >= p->starts) {
            sb_prediction_time(g, "started_at", p->starts);
        }

        sb_prediction_time(g, "completed_at", end);
    }

    sb_prediction_urls(p, g);
    yajl_gen_map_close(g);
}


/* SB_ERROR: this provider has no such prediction. */

int
sb_prediction_print(const char *provider, const char *id, sb_tell_e tell,
    sb_buf_t *out)
{
    int               rc;
    yajl_gen          g;
    sb_prediction_t  *p;

    rc = SB_ERROR;

    pthread_mutex_lock(&sb_predictions_lock);

    p = sb_prediction_find_locked(provider, id);

    if (p) {
        g = sb_gen_new();
        sb_prediction_gen(p, tell, g);
        sb_gen_end(g, out);
        rc = SB_OK;
    }

    pthread_mutex_unlock(&sb_predictions_lock);

    return rc;
}


/* SB_ERROR as above. */

int
sb_prediction_over(const char *provider, const char *id)
{
    int               over;
    const char       *status;
    sb_prediction_t  *p;

    pthread_mutex_lock(&sb_predictions_lock);

    p = sb_prediction_find_locked(provider, id);
    over = p ? sb_now_ms() >= sb_prediction_end(p, &status) : SB_ERROR;

    pthread_mutex_unlock(&sb_predictions_lock);

    return over;
}


/* 1: it was not over before; 0: it was; SB_ERROR: there is none. */

int
sb_prediction_stop(const char *provider, const char *id)
{
    int               rc;
    int64_t           now;
    const char       *status;
    sb_prediction_t  *p;

    rc = SB_ERROR;

    pthread_mutex_lock(&sb_predictions_lock);

    p = sb_prediction_find_locked(provider, id);

    if (p) {
        now = sb_now_ms();
        rc = now < sb_prediction_end(p, &status);

        if (rc) {
            p->stopped = now;
        }
    }

    pthread_mutex_unlock(&sb_predictions_lock);

    return rc;
}


void
sb_predictions_free(void)
{
    size_t  i;

    for (i = 0; i < SB_PREDICTIONS; i++) {
        sb_prediction_drop(&sb_predictions[i]);
    }
}
