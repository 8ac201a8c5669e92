/*
 * A shop for the tests of crawls: a server in this process that notes what it
 * is asked and when, and a crawl that may go to 127.0.0.1 and nowhere else,
 * where the names a.test, b.test, ... are.
 */

#ifndef AT_TEST_SHOP_H
#define AT_TEST_SHOP_H


#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "at_crawl.h"
#include "at_time.h"


#define SHOP_SEEN  4096


typedef struct {
    char      line[300];        /* host and URL */
    char      agent[64];
    char      extra[64];        /* X-Extra */
    int64_t   at;               /* ms */
} shop_seen_t;


static struct {
    struct MHD_Daemon  *daemon;
    unsigned            port;
    pthread_mutex_t     lock;
    pthread_cond_t      turned;
    shop_seen_t         seen[SHOP_SEEN];
    size_t              nseen;
    int                 held;           /* /held waits while it is set */
    int                 fails;          /* /fail fails so often */
    unsigned            fail_status;
    char                retry_after[64];
    unsigned            robots_status;
    const char         *robots;
    char                robots_to[128];
} shop;


/* Results in the order in which they came. */
typedef struct {
    at_crawl_outcome_e  outcome;
    long                status;
    char                body[64];
    char                url[256];
    char                location[256];
    char                etag[64];
    char                why[128];
    int64_t             later;
    int64_t             at;
    unsigned            tries;
    unsigned            hops;
    const char         *data;
} shop_result_t;


static shop_result_t         results[SHOP_SEEN];
static size_t                nresults;
static at_crawl_verdict_e    verdict;

static at_address_rule_t     shop_rule;
static at_address_list_t     shop_allow;
static at_crawl_settings_t   settings;
static at_crawl_policy_t     policy;
static at_crawl_t           *crawl;
static char                  names[8][64];
static const char           *resolve[8];


static ssize_t
shop_cut(void *data, uint64_t pos, char *out, size_t max)
{
    (void) data;

    if (pos > 0 || max < 10) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }

    memcpy(out, "<html>half", 10);

    return 10;
}


static const char *
shop_header(struct MHD_Connection *c, const char *name)
{
    const char  *value;

    value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);

    return value ? value : "";
}


static void
shop_note(struct MHD_Connection *c, const char *url)
{
    int           len;
    const char   *host, *to;
    shop_seen_t  *s;

    host = shop_header(c, "Host");
    to = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "to");

    pthread_mutex_lock(&shop.lock);

    s = &shop.seen[shop.nseen < SHOP_SEEN - 1 ? shop.nseen++ : shop.nseen];
    len = (int) strcspn(host, ":");
    (void) snprintf(s->line, sizeof(s->line), "%.*s%s%s%s", len, host, url,
                    to ? "?to=" : "", to ? to : "");
    (void) snprintf(s->agent, sizeof(s->agent), "%s",
                    shop_header(c, "User-Agent"));
    (void) snprintf(s->extra, sizeof(s->extra), "%s",
                    shop_header(c, "X-Extra"));
    s->at = at_time_mono();

    while (strcmp(url, "/held") == 0 && shop.held) {
        pthread_cond_wait(&shop.turned, &shop.lock);
    }

    pthread_mutex_unlock(&shop.lock);
}


static unsigned
shop_status(struct MHD_Connection *c, const char *url)
{
    unsigned  status;

    status = 200;
    pthread_mutex_lock(&shop.lock);

    if (strcmp(url, "/robots.txt") == 0) {
        status = shop.robots_status;

    } else if (strcmp(url, "/fail") == 0 && shop.fails > 0) {
        shop.fails--;
        status = shop.fail_status;

    } else if (strcmp(url, "/gone") == 0) {
        status = 404;

    } else if (strcmp(url, "/to") == 0) {
        status = 302;

    } else if (strcmp(url, "/tagged") == 0
               && strcmp(shop_header(c, "If-None-Match"), "\"one\"") == 0)
    {
        status = 304;
    }

    pthread_mutex_unlock(&shop.lock);

    return status;
}


static enum MHD_Result
shop_answer(void *data, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *body,
    size_t *body_len, void **state)
{
    unsigned              status;
    const char           *text, *to;
    enum MHD_Result       rc;
    struct MHD_Response  *r;

    (void) data;
    (void) method;
    (void) version;
    (void) body;
    (void) body_len;

    if (*state == NULL) {
        *state = &shop;
        return MHD_YES;
    }

    shop_note(c, url);
    status = shop_status(c, url);
    text = (strcmp(url, "/robots.txt") == 0) ? shop.robots
           : (strcmp(url, "/wall") == 0) ? "captcha" : "hello";

    r = (strcmp(url, "/cut") == 0)
        ? MHD_create_response_from_callback(1000, 100, shop_cut, NULL, NULL)
        : MHD_create_response_from_buffer(status == 304 ? 0 : strlen(text),
                                          (void *) (uintptr_t) text,
                                          MHD_RESPMEM_MUST_COPY);

    (void) MHD_add_response_header(r, "ETag", "\"one\"");

    if (status == shop.fail_status && shop.retry_after[0]) {
        (void) MHD_add_response_header(r, "Retry-After", shop.retry_after);
    }

    to = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "to");

    if (strcmp(url, "/robots.txt") == 0) {
        to = shop.robots_to;
    }

    if (status == 302 && to) {
        (void) MHD_add_response_header(r, "Location", to);
    }

    rc = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);

    return rc;
}


static int
shop_begin(void **state)
{
    const union MHD_DaemonInfo  *info;

    (void) state;
    (void) signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&shop.lock, NULL);
    pthread_cond_init(&shop.turned, NULL);

    shop.daemon = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION
                                   | MHD_USE_INTERNAL_POLLING_THREAD
                                   | MHD_USE_POLL, 0, NULL, NULL,
                                   shop_answer, NULL, MHD_OPTION_END);
    if (shop.daemon == NULL) {
        return -1;
    }

    info = MHD_get_daemon_info(shop.daemon, MHD_DAEMON_INFO_BIND_PORT);
    shop.port = info->port;

    return at_fetch_init();
}


static int
shop_end(void **state)
{
    (void) state;
    MHD_stop_daemon(shop.daemon);

    return 0;
}


/* Before each test; it changes what it likes, then calls shop_open(). */

static int
shop_reset(void **state)
{
    size_t  i;

    (void) state;
    assert_int_equal(at_address_parse("127.0.0.1", &shop_rule), AT_OK);
    shop_allow = (at_address_list_t) { &shop_rule, 1 };

    for (i = 0; i < 8; i++) {
        (void) snprintf(names[i], sizeof(names[i]), "%c.test:%u:127.0.0.1",
                        (char) ('a' + i), shop.port);
        resolve[i] = names[i];
    }

    settings = (at_crawl_settings_t) {
        .fetch = { .user_agent = "Atelier/1 (+test)", .allow = &shop_allow,
                   .timeout = 20000, .connect = 20000, .wire = 1 << 20,
                   .bytes = 1 << 20, .ratio = 100, .parallel = 16,
                   .compressed = 1, .resolve = resolve, .nresolve = 8 },
        .pace = { .share = 1 }, .retries = 3, .redirects = 5, .backoff = 1
    };
    policy = (at_crawl_policy_t) { .name = "shop", .concurrency = 2 };

    pthread_mutex_lock(&shop.lock);
    shop.nseen = 0;
    shop.held = 0;
    shop.fails = 0;
    shop.fail_status = 500;
    shop.retry_after[0] = '\0';
    shop.robots_status = 404;
    shop.robots = "";
    pthread_mutex_unlock(&shop.lock);

    nresults = 0;
    verdict = AT_CRAWL_FINE;
    memset(results, 0, sizeof(results));

    return 0;
}


static int
shop_close(void **state)
{
    (void) state;
    at_crawl_free(crawl);
    crawl = NULL;

    return 0;
}


static inline void
shop_open(void)
{
    crawl = at_crawl_create(&settings);
    assert_non_null(crawl);
}


static at_crawl_verdict_e
shop_done(const at_crawl_result_t *r)
{
    shop_result_t  *s = &results[nresults++];

    assert_true(nresults <= SHOP_SEEN);

    s->outcome = r->outcome;
    s->status = r->status;
    s->later = r->later;
    s->tries = r->tries;
    s->hops = r->hops;
    s->data = r->data;
    s->at = at_time_mono();
    (void) snprintf(s->body, sizeof(s->body), "%.*s", (int) r->body.len,
                    r->body.len ? r->body.data : "");
    (void) snprintf(s->url, sizeof(s->url), "%.*s", (int) r->url.len,
                    r->url.data);
    (void) snprintf(s->location, sizeof(s->location), "%s", r->location);
    (void) snprintf(s->etag, sizeof(s->etag), "%s", r->etag);
    (void) snprintf(s->why, sizeof(s->why), "%s", r->why);

    return verdict;
}


/* A job for a path of a.test, or for a URL as it is. */

static inline at_crawl_job_t
shop_job(const char *path, char *url, size_t size)
{
    if (path[0] == '/') {
        (void) snprintf(url, size, "http://a.test:%u%s", shop.port, path);

    } else {
        (void) snprintf(url, size, "%s", path);
    }

    return (at_crawl_job_t) { .url = at_test_str(url), .policy = &policy,
                              .done = shop_done };
}


static inline void
shop_add(const char *path)
{
    char             url[512];
    const char      *why;
    at_crawl_job_t   job;

    job = shop_job(path, url, sizeof(url));
    at_test_true(at_crawl_add(crawl, &job, &why) == AT_OK, "%s: %s", path,
                 why);
}


static inline void
shop_run(void)
{
    int64_t  end;

    end = at_time_mono() + 60000;

    while (at_crawl_turn(crawl, 1000, -1) > 0) {
        assert_true(at_time_mono() < end);
    }
}


/* Until so many requests were seen. */

static inline void
shop_until(size_t n)
{
    int      there;
    int64_t  end;

    end = at_time_mono() + 60000;

    do {
        (void) at_crawl_turn(crawl, 10, -1);
        pthread_mutex_lock(&shop.lock);
        there = (shop.nseen >= n);
        pthread_mutex_unlock(&shop.lock);
        assert_true(at_time_mono() < end);
    } while (!there);
}


static inline void
shop_let(void)
{
    pthread_mutex_lock(&shop.lock);
    shop.held = 0;
    pthread_cond_broadcast(&shop.turned);
    pthread_mutex_unlock(&shop.lock);
}


/* Adds one, runs, and returns its result. */

static inline shop_result_t *
shop_get(const char *path)
{
    shop_add(path);
    shop_run();
    assert_true(nresults > 0);

    return &results[nresults - 1];
}


#endif /* AT_TEST_SHOP_H */
