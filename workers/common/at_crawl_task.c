/*
 * Jobs of a crawl, the hosts they are for, and their queues.
 *
 * A URL is read by libcurl's parser, which will fetch it, and is kept as that
 * writes it: what robots.txt is asked about is what goes over the wire.
 */

#include "at_crawl_own.h"
#include "at_time.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>


#define AT_CRAWL_HOSTS  4096        /* idle ones are forgotten beyond */


static int at_crawl_url_parts(CURLU *u, char **out, const char **why);
static int at_crawl_url_host(CURLU *u, const char **why);
static int at_crawl_url_dots(const char *path);
static char *at_crawl_value(const char *text);
static at_crawl_host_t *at_crawl_host(at_crawl_t *c, at_str_t name);
static void at_crawl_forget(at_crawl_t *c);
static size_t at_crawl_bucket(at_str_t name);


int
at_crawl_url(at_str_t url, char **out, size_t *origin, const char **why)
{
    int     rc;
    char    text[AT_FETCH_URL_MAX + 1];
    CURLU  *u;

    *out = NULL;

    if (url.len == 0 || url.len > AT_FETCH_URL_MAX
        || memchr(url.data, '\0', url.len))
    {
        *why = "the URL is empty or too long";
        return AT_ERROR;
    }

    memcpy(text, url.data, url.len);
    text[url.len] = '\0';

    u = curl_url();
    if (u == NULL) {
        return AT_NO_MEMORY;
    }

    if (curl_url_set(u, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME)
        != CURLUE_OK)
    {
        *why = "libcurl cannot read the URL";
        rc = AT_ERROR;

    } else {
        rc = at_crawl_url_parts(u, out, why);
    }

    curl_url_cleanup(u);

    if (rc != AT_OK) {
        return rc;
    }

    *origin = strcspn(strstr(*out, "://") + 3, "/?")
              + (size_t) (strstr(*out, "://") + 3 - *out);

    if ((*out)[*origin] != '/' || at_crawl_url_dots(*out + *origin)) {
        free(*out);
        *out = NULL;
        *why = "the path of the URL leads up by dots";
        return AT_ERROR;
    }

    return AT_OK;
}


static int
at_crawl_url_parts(CURLU *u, char **out, const char **why)
{
    int    rc;
    char  *scheme, *part, *url;

    scheme = NULL;
    part = NULL;
    url = NULL;
    rc = AT_ERROR;

    if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK
        || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
    {
        *why = "the URL is neither http nor https";

    } else if (curl_url_get(u, CURLUPART_USER, &part, 0) == CURLUE_OK
               || curl_url_get(u, CURLUPART_PASSWORD, &part, 0) == CURLUE_OK)
    {
        *why = "the URL names a user";

    } else if (at_crawl_url_host(u, why) == AT_OK) {
        (void) curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);

        if (curl_url_get(u, CURLUPART_URL, &url, CURLU_NO_DEFAULT_PORT)
            == CURLUE_OK && strlen(url) <= AT_FETCH_URL_MAX)
        {
            *out = strdup(url);
            rc = *out ? AT_OK : AT_NO_MEMORY;

        } else {
            *why = "the URL is too long";
        }
    }

    curl_free(scheme);
    curl_free(part);
    curl_free(url);

    return rc;
}


/* One spelling of each host, so that it has one pace. */

static int
at_crawl_url_host(CURLU *u, const char **why)
{
    int     rc;
    char   *host, *p;
    size_t  len;

    host = NULL;

    if (curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        *why = "the URL has no host";
        return AT_ERROR;
    }

    rc = AT_OK;

    for (p = host; *p; p++) {
        if (*p >= 'A' && *p <= 'Z') {
            *p |= 0x20;
        }

        if ((unsigned char) *p <= ' ' || (unsigned char) *p >= 0x7f) {
            *why = "the host is to be written in ASCII (xn--)";
            rc = AT_ERROR;
        }
    }

    len = strlen(host);

    if (len > 0 && host[len - 1] == '.') {
        host[--len] = '\0';
    }

    if (rc == AT_OK && (len == 0 || len > AT_PACE_HOST_MAX
                        || curl_url_set(u, CURLUPART_HOST, host, 0)
                           != CURLUE_OK))
    {
        *why = "the host of the URL is none";
        rc = AT_ERROR;
    }

    curl_free(host);

    return rc;
}


/*
 * A segment of dots that are written with a percent sign: libcurl leaves it
 * there, but a server may take it for what it stands for.
 */

static int
at_crawl_url_dots(const char *path)
{
    size_t       dots;
    const char  *p;

    for (p = path; *p == '/'; /* void */ ) {
        p++;

        for (dots = 0; ; dots++) {
            if (*p == '.') {
                p++;

            } else if (strncasecmp(p, "%2e", 3) == 0) {
                p += 3;

            } else {
                break;
            }
        }

        if ((dots == 1 || dots == 2)
            && (*p == '/' || *p == '?' || *p == '\0'))
        {
            return 1;
        }

        p += strcspn(p, "/?");
    }

    return 0;
}


at_crawl_task_t *
at_crawl_task(at_crawl_t *c, const at_crawl_job_t *job, char *url,
    size_t origin)
{
    at_crawl_task_t  *t;

    t = calloc(1, sizeof(at_crawl_task_t));
    if (t == NULL) {
        return NULL;
    }

    t->url = url;
    t->origin = origin;
    t->policy = job->policy;
    t->class = at_crawl_class(c, job->policy->name);
    t->enough = job->enough;
    t->done = job->done;
    t->data = job->data;
    t->kind = job->kind;
    t->share = job->share;
    t->urgent = job->urgent;
    t->since = at_time_mono();
    t->until = job->patience ? t->since + job->patience : 0;
    t->host = at_crawl_host(c, at_crawl_name(url, origin));

    t->etag = at_crawl_value(job->etag);
    t->modified = at_crawl_value(job->modified);

    if (at_fetch_request_id(job->request_id)) {
        t->request_id = strndup(job->request_id.data, job->request_id.len);
    }

    /* a place of its own, so that nothing fails once it is there */

    c->alive++;

    if (t->host == NULL
        || at_heap_reserve(&c->timers, c->alive) != AT_OK)
    {
        t->host = NULL;
        t->url = NULL;
        at_crawl_task_free(c, t);
        return NULL;
    }

    t->host->tasks++;

    return t;
}


void
at_crawl_task_free(at_crawl_t *c, at_crawl_task_t *t)
{
    at_crawl_unqueue(c, t);
    at_heap_remove(&c->timers, &t->timer);

    if (t->host) {
        t->host->tasks--;
    }

    c->alive--;
    free(t->url);
    free(t->etag);
    free(t->modified);
    free(t->request_id);
    free(t);
}


int
at_crawl_task_move(at_crawl_t *c, at_crawl_task_t *t, char *url,
    size_t origin)
{
    at_crawl_host_t  *host;

    host = at_crawl_host(c, at_crawl_name(url, origin));
    if (host == NULL) {
        return AT_NO_MEMORY;
    }

    t->host->tasks--;
    t->host = host;
    t->host->tasks++;

    free(t->url);
    t->url = url;
    t->origin = origin;

    return AT_OK;
}


/* In its queue its patience is what its timer is for. */

int
at_crawl_queue(at_crawl_t *c, at_crawl_task_t *t, int front)
{
    at_crawl_queue_t  *q = &t->host->queues[t->urgent ? 0 : 1];

    t->resting = 0;

    if (t->until) {
        if (at_heap_set(&c->timers, &t->timer, t->until) != AT_OK) {
            return AT_NO_MEMORY;
        }

    } else {
        at_heap_remove(&c->timers, &t->timer);
    }

    t->queued = 1;

    if (front) {
        t->prev = NULL;
        t->next = q->first;

    } else {
        t->prev = q->last;
        t->next = NULL;
    }

    *(t->prev ? &t->prev->next : &q->first) = t;
    *(t->next ? &t->next->prev : &q->last) = t;

    at_crawl_look(c, t->host, (t->host->pace.next + 999) / 1000);

    return AT_OK;
}


void
at_crawl_unqueue(at_crawl_t *c, at_crawl_task_t *t)
{
    at_crawl_queue_t  *q;

    if (!t->queued) {
        return;
    }

    q = &t->host->queues[t->urgent ? 0 : 1];
    t->queued = 0;

    *(t->prev ? &t->prev->next : &q->first) = t->next;
    *(t->next ? &t->next->prev : &q->last) = t->prev;

    at_heap_remove(&c->timers, &t->timer);
}


at_crawl_task_t *
at_crawl_head(const at_crawl_host_t *h)
{
    return h->queues[0].first ? h->queues[0].first : h->queues[1].first;
}


void
at_crawl_look(at_crawl_t *c, at_crawl_host_t *h, int64_t at)
{
    if (h->timer.pos == 0 || h->timer.at > at) {
        (void) at_heap_set(&c->due, &h->timer, at);
    }
}


/* Without scheme and port. */

at_str_t
at_crawl_name(const char *url, size_t origin)
{
    at_str_t     name;
    const char  *end;

    name.data = strstr(url, "://") + 3;
    name.len = origin - (size_t) (name.data - url);

    end = memrchr(name.data, ':', name.len);

    if (end && memchr(end, ']', name.len - (size_t) (end - name.data))
               == NULL)
    {
        name.len = (size_t) (end - name.data);
    }

    return name;
}


/* Of a header; one that is none, or too long, is left out. */

static char *
at_crawl_value(const char *text)
{
    size_t  i;

    if (text == NULL || text[0] == '\0') {
        return NULL;
    }

    for (i = 0; text[i]; i++) {
        if ((unsigned char) text[i] < ' ' || text[i] == 0x7f || i > 255) {
            return NULL;
        }
    }

    return strdup(text);
}


static at_crawl_host_t *
at_crawl_host(at_crawl_t *c, at_str_t name)
{
    at_crawl_host_t  *h, **bucket;

    bucket = &c->buckets[at_crawl_bucket(name)];

    for (h = *bucket; h; h = h->next) {
        if (at_str_eq((at_str_t) { h->len, h->name }, name)) {
            return h;
        }
    }

    if (c->hosts >= AT_CRAWL_HOSTS) {
        at_crawl_forget(c);
    }

    /* it has to be looked at again, whatever happens */

    if (at_heap_reserve(&c->due, c->hosts + 1) != AT_OK) {
        return NULL;
    }

    h = calloc(1, sizeof(at_crawl_host_t) + name.len + 1);
    if (h == NULL) {
        return NULL;
    }

    memcpy(h->name, name.data, name.len);
    h->len = name.len;
    h->next = *bucket;
    *bucket = h;
    c->hosts++;

    return h;
}


/* Hosts with no job, of which nothing is remembered that matters. */

static void
at_crawl_forget(at_crawl_t *c)
{
    size_t             i;
    int64_t            now;
    at_crawl_host_t   *h, **p;

    now = at_time_mono() * 1000;

    for (i = 0; i < AT_CRAWL_BUCKETS; i++) {
        p = &c->buckets[i];

        while ((h = *p) != NULL) {
            if (h->tasks > 0 || at_crawl_robots_asked(h)
                || h->pace.flight > 0 || h->pace.next > now
                || h->pace.wall.pause > 0 || h->pace.rate.mark > 0)
            {
                p = &h->next;
                continue;
            }

            *p = h->next;
            at_heap_remove(&c->due, &h->timer);
            at_crawl_robots_free(h);
            free(h);
            c->hosts--;
        }
    }
}


static size_t
at_crawl_bucket(at_str_t name)
{
    size_t    i;
    uint32_t  hash;

    hash = 2166136261u;

    for (i = 0; i < name.len; i++) {
        hash = (hash ^ (unsigned char) name.data[i]) * 16777619u;
    }

    return hash % AT_CRAWL_BUCKETS;
}
