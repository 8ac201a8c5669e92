/*
 * What was asked of a shop, lately.
 *
 * A ring a shop under this file's lock: when, what, by whom and with which
 * answer, so that tests can see who kept which distance and to which rules.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shop.h"


#define SB_ASKED  1024


typedef struct {
    unsigned long  n;                   /* from 1; 0: nothing yet */
    double         at;                  /* ms of the wall clock */
    double         began;               /* ... of one that nobody sets */
    unsigned       status;
    unsigned       conditional:1;
    char           target[240];
    char           agent[120];
} sb_asked_t;


static pthread_mutex_t  sb_asked_lock = PTHREAD_MUTEX_INITIALIZER;
static sb_asked_t       sb_asked[SB_SHOPS][SB_ASKED];
static unsigned long    sb_asked_n[SB_SHOPS];


static enum MHD_Result
sb_target_arg(void *cls, enum MHD_ValueKind kind, const char *key,
    const char *value)
{
    sb_buf_t  *b = cls;

    (void) kind;

    sb_buf_print(b, "%c%s", strchr(b->data, '?') ? '&' : '?', key);

    if (value) {
        sb_buf_print(b, "=%s", value);
    }

    return MHD_YES;
}


/* The path within the shop, and the query, both without percent signs. */

void
sb_shop_target(sb_call_t *c, char *dst, size_t size)
{
    sb_buf_t  b;

    memset(&b, 0, sizeof(sb_buf_t));
    sb_buf_print(&b, "%s", c->rest);

    if (!b.failed) {
        MHD_get_connection_values(c->connection, MHD_GET_ARGUMENT_KIND,
                                  sb_target_arg, &b);
    }

    snprintf(dst, size, "%s", b.data ? b.data : "");
    sb_buf_free(&b);
}


void
sb_shop_asked(sb_call_t *c, const char *target)
{
    sb_shop_e         shop;
    sb_asked_t       *a;
    const char       *agent;
    struct timespec   ts;

    shop = c->shop->shop;
    agent = sb_call_header(c, "User-Agent");
    clock_gettime(CLOCK_REALTIME, &ts);

    pthread_mutex_lock(&sb_asked_lock);

    a = &sb_asked[shop][sb_asked_n[shop]++ % SB_ASKED];
    a->n = sb_asked_n[shop];
    a->at = (double) ts.tv_sec * 1000 + (double) ts.tv_nsec / 1000000
            - (sb_now() - c->began);
    a->began = c->began;
    a->status = c->answer.status;
    a->conditional = sb_call_header(c, "If-None-Match")
                     || sb_call_header(c, "If-Modified-Since");
    sb_printable(a->target, sizeof(a->target), target);
    sb_printable(a->agent, sizeof(a->agent), agent ? agent : "");

    pthread_mutex_unlock(&sb_asked_lock);
}


void
sb_shop_asked_reset(sb_shop_e shop)
{
    pthread_mutex_lock(&sb_asked_lock);

    memset(sb_asked[shop], 0, sizeof(sb_asked[shop]));
    sb_asked_n[shop] = 0;

    pthread_mutex_unlock(&sb_asked_lock);
}


static void
sb_gen_asked(yajl_gen g, const sb_asked_t *a)
{
    yajl_gen_map_open(g);
    sb_gen_member_int(g, "n", (long long) a->n);
    sb_gen_member_num(g, "at", a->at);
    sb_gen_member_num(g, "began", a->began);
    sb_gen_member(g, "target", a->target);
    sb_gen_member_int(g, "status", a->status);
    sb_gen_text(g, "conditional");
    yajl_gen_bool(g, a->conditional);
    sb_gen_member(g, "agent", a->agent);
    yajl_gen_map_close(g);
}


/* Those after number "since" whose target begins with path, if given. */

void
sb_shop_asked_print(sb_shop_e shop, const char *since, const char *path,
    sb_buf_t *out)
{
    yajl_gen           g;
    unsigned long      n, from;
    const sb_asked_t  *a;

    g = sb_gen_new();
    from = since ? strtoul(since, NULL, 10) : 0;

    pthread_mutex_lock(&sb_asked_lock);

    n = sb_asked_n[shop];
    yajl_gen_map_open(g);
    sb_gen_member_int(g, "last", (long long) n);
    sb_gen_text(g, "requests");
    yajl_gen_array_open(g);

    if (n > SB_ASKED && from < n - SB_ASKED) {
        from = n - SB_ASKED;
    }

    for ( ; from < n; from++) {
        a = &sb_asked[shop][from % SB_ASKED];

        if (path == NULL || strncmp(a->target, path, strlen(path)) == 0) {
            sb_gen_asked(g, a);
        }
    }

    pthread_mutex_unlock(&sb_asked_lock);

    yajl_gen_array_close(g);
    yajl_gen_map_close(g);
    sb_gen_end(g, out);
}
