/*
 * What outlives a call: providers with their settings and counters.
 *
 * One lock guards everything; one condition is signalled at each change of a
 * counter, which is how sb_provider_await() needs no polling.  Providers are
 * made at first use and live until sb_state_free().
 *
 * A reset starts a new epoch: a call of an older epoch counts no more, except
 * that it leaves inFlight, so a test never sees what an earlier one left.
 */

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "sandbox.h"


static struct {
    pthread_mutex_t   lock;
    pthread_cond_t    changed;
    sb_provider_t    *providers[SB_PROVIDERS_MAX];
    size_t            n;
    size_t            memory;
    char              public_url[300];
    int               stop_fd;
    unsigned          stopping:1;
} sb;


static const char *const  sb_count_names[SB_COUNT_MODE] = {
    "calls", "ok", "refused", "aborted", "cancels", "stopped", "polls",
    "inFlight", "files", "credentialLeaks", "lastAbortMs", "maxInFlight",
    "limited", "downloads", "robots", "notModified", "disallowed", "minGapMs"
};


int
sb_state_init(const char *public_url)
{
    pthread_condattr_t  attr;

    pthread_mutex_init(&sb.lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&sb.changed, &attr);
    pthread_condattr_destroy(&attr);

    snprintf(sb.public_url, sizeof(sb.public_url), "%s", public_url);

    sb.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    return sb.stop_fd == -1 ? SB_ERROR : SB_OK;
}


void
sb_state_free(void)
{
    size_t  i;

    for (i = 0; i < sb.n; i++) {
        free(sb.providers[i]->last);
        free(sb.providers[i]);
    }

    sb.n = 0;
    close(sb.stop_fd);
}


/* Wakes every waiting thread, for good. */

void
sb_state_stop(void)
{
    uint64_t  one;

    one = 1;

    if (write(sb.stop_fd, &one, sizeof(one)) != sizeof(one)) {
        abort();
    }

    pthread_mutex_lock(&sb.lock);
    sb.stopping = 1;
    pthread_cond_broadcast(&sb.changed);
    pthread_mutex_unlock(&sb.lock);
}


int
sb_stop_fd(void)
{
    return sb.stop_fd;
}


int
sb_stopping(void)
{
    int  stopping;

    pthread_mutex_lock(&sb.lock);
    stopping = sb.stopping;
    pthread_mutex_unlock(&sb.lock);

    return stopping;
}


const char *
sb_public_url(void)
{
    return sb.public_url;
}


static uint64_t
sb_random_next(uint64_t *state)
{
    return sb_scramble(*state += SB_GOLDEN);
}


static void
sb_provider_seed(sb_provider_t *p)
{
    if (p->settings.has_seed) {
        p->random = p->settings.seed;
        return;
    }

    if (getrandom(&p->random, sizeof(p->random), 0) != sizeof(p->random)) {
        abort();
    }
}


static int
sb_provider_name_ok(const char *name, size_t len)
{
    size_t  i;

    if (len == 0 || len > SB_NAME_MAX) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if (!((name[i] >= 'a' && name[i] <= 'z')
              || (name[i] >= '0' && name[i] <= '9')
              || name[i] == '-' || (name[i] == '_' && i > 0)))
        {
            return 0;
        }
    }

    return 1;
}


/* NULL: the name is not one, or there are too many already. */

sb_provider_t *
sb_provider_find(const char *name, size_t len)
{
    size_t          i;
    sb_provider_t  *p;

    if (!sb_provider_name_ok(name, len)) {
        return NULL;
    }

    pthread_mutex_lock(&sb.lock);

    for (i = 0; i < sb.n; i++) {
        p = sb.providers[i];

        if (strlen(p->name) == len && memcmp(p->name, name, len) == 0) {
            goto done;
        }
    }

    p = NULL;

    if (sb.n < SB_PROVIDERS_MAX) {
        p = calloc(1, sizeof(sb_provider_t));
    }

    if (p) {
        memcpy(p->name, name, len);
        sb_settings_default(&p->settings);
        p->left = -1;
        p->counts[SB_COUNT_MIN_GAP_MS] = -1;
        sb_provider_seed(p);
        sb.providers[sb.n++] = p;
    }

done:

    pthread_mutex_unlock(&sb.lock);

    return p;
}


static void
sb_provider_reset_locked(sb_provider_t *p)
{
    int64_t  in_flight;

    in_flight = p->counts[SB_COUNT_IN_FLIGHT];
    memset(p->counts, 0, sizeof(p->counts));
    p->counts[SB_COUNT_IN_FLIGHT] = in_flight;
    p->counts[SB_COUNT_MIN_GAP_MS] = -1;
    p->began = 0;

    sb_settings_default(&p->settings);
    p->left = -1;
    sb_provider_seed(p);

    free(p->last);
    p->last = NULL;
    p->epoch++;

    pthread_cond_broadcast(&sb.changed);
}


void
sb_provider_reset(sb_provider_t *p)
{
    pthread_mutex_lock(&sb.lock);
    sb_provider_reset_locked(p);
    pthread_mutex_unlock(&sb.lock);
}


void
sb_provider_reset_all(void)
{
    size_t  i;

    pthread_mutex_lock(&sb.lock);

    for (i = 0; i < sb.n; i++) {
        sb_provider_reset_locked(sb.providers[i]);
    }

    pthread_mutex_unlock(&sb.lock);
}


void
sb_provider_set(sb_provider_t *p, const sb_settings_t *s)
{
    pthread_mutex_lock(&sb.lock);

    p->settings = *s;
    p->left = s->times;
    sb_provider_seed(p);

    pthread_mutex_unlock(&sb.lock);
}


static void
sb_provider_print_locked(sb_provider_t *p, sb_buf_t *out)
{
    size_t    i;
    yajl_gen  g;

    sb_buf_print(out, "{\"provider\":\"%s\",\"settings\":", p->name);

    g = sb_gen_new();
    sb_settings_gen(&p->settings, p->left, g);
    sb_gen_end(g, out);

    g = sb_gen_new();
    yajl_gen_map_open(g);

    for (i = 0; i < SB_COUNT_MODE; i++) {
        sb_gen_member_int(g, sb_count_names[i], p->counts[i]);
    }

    sb_gen_text(g, "byMode");
    yajl_gen_map_open(g);

    for (i = 0; i < SB_MODES; i++) {
        sb_gen_member_int(g, sb_mode_name((sb_mode_e) i),
                          p->counts[SB_COUNT_MODE + i]);
    }

    yajl_gen_map_close(g);
    yajl_gen_map_close(g);

    sb_buf_print(out, ",\"counters\":");
    sb_gen_end(g, out);

    sb_buf_print(out, ",\"last\":%s}", p->last ? p->last : "null");
}


void
sb_provider_print(sb_provider_t *p, sb_buf_t *out)
{
    pthread_mutex_lock(&sb.lock);
    sb_provider_print_locked(p, out);
    pthread_mutex_unlock(&sb.lock);
}


void
sb_provider_print_all(sb_buf_t *out)
{
    size_t  i;

    pthread_mutex_lock(&sb.lock);

    sb_buf_print(out, "{\"providers\":{");

    for (i = 0; i < sb.n; i++) {
        sb_buf_print(out, "%s\"%s\":", i ? "," : "", sb.providers[i]->name);
        sb_provider_print_locked(sb.providers[i], out);
    }

    sb_buf_print(out, "}}");

    pthread_mutex_unlock(&sb.lock);
}


static int
sb_count_find(const char *name, size_t len)
{
    size_t       i;
    const char  *mode;

    for (i = 0; i < SB_COUNT_MODE; i++) {
        if (strlen(sb_count_names[i]) == len
            && memcmp(sb_count_names[i], name, len) == 0)
        {
            return (int) i;
        }
    }

    if (len <= 7 || memcmp(name, "byMode.", 7) != 0) {
        return -1;
    }

    for (i = 0; i < SB_MODES; i++) {
        mode = sb_mode_name((sb_mode_e) i);

        if (strlen(mode) == len - 7 && memcmp(mode, name + 7, len - 7) == 0) {
            return (int) (SB_COUNT_MODE + i);
        }
    }

    return -1;
}


static int
sb_count_value(const void *data, const char *name, size_t len, int64_t *value)
{
    int                   which;
    const sb_provider_t  *p = data;

    which = sb_count_find(name, len);
    if (which < 0) {
        return SB_ERROR;
    }

    *value = p->counts[which];

    return SB_OK;
}


int
sb_provider_await(sb_provider_t *p, const char *conditions, int64_t ms,
    const char **why)
{
    int              rc;
    int64_t          at;
    struct timespec  ts;

    at = sb_now_ms() + ms;
    ts.tv_sec = at / 1000;
    ts.tv_nsec = at % 1000 * 1000000;

    pthread_mutex_lock(&sb.lock);

    for ( ;; ) {
        rc = sb_conditions_hold(sb_count_value, p, conditions, why);

        if (rc != 0 || sb.stopping) {
            break;
        }

        if (pthread_cond_timedwait(&sb.changed, &sb.lock, &ts) == ETIMEDOUT) {
            rc = sb_conditions_hold(sb_count_value, p, conditions, why);
            break;
        }
    }

    pthread_mutex_unlock(&sb.lock);

    return rc;
}


uint64_t
sb_provider_random(sb_provider_t *p)
{
    uint64_t  r;

    pthread_mutex_lock(&sb.lock);
    r = sb_random_next(&p->random);
    pthread_mutex_unlock(&sb.lock);

    return r;
}


/* Even over [0, 1). */

double
sb_provider_chance(sb_provider_t *p)
{
    return (double) (sb_provider_random(p) >> 11) * 0x1.0p-53;
}


sb_robots_e
sb_provider_robots(sb_provider_t *p)
{
    sb_robots_e  robots;

    pthread_mutex_lock(&sb.lock);
    robots = p->settings.robots;
    pthread_mutex_unlock(&sb.lock);

    return robots;
}


void
sb_count(sb_call_t *c, sb_count_e which, int64_t n)
{
    pthread_mutex_lock(&sb.lock);

    if (c->epoch == c->provider->epoch) {
        c->provider->counts[which] += n;
        pthread_cond_broadcast(&sb.changed);
    }

    pthread_mutex_unlock(&sb.lock);
}


/* The least time between the beginnings of two calls to a shop. */

static void
sb_count_gap(sb_provider_t *p, int64_t now)
{
    int64_t  *gap;

    gap = &p->counts[SB_COUNT_MIN_GAP_MS];

    if (p->began && (*gap < 0 || now - p->began < *gap)) {
        *gap = now - p->began;
    }

    p->began = now;
}


void
sb_count_begin(sb_call_t *c)
{
    pthread_mutex_lock(&sb.lock);

    c->epoch = c->provider->epoch;
    c->counted = 1;
    c->provider->counts[SB_COUNT_IN_FLIGHT]++;

    switch (c->route) {

    case SB_ROUTE_FILE:
    case SB_ROUTE_PHOTO:
    case SB_ROUTE_SHOP_PHOTO:
        c->provider->counts[SB_COUNT_FILES]++;
        break;

    case SB_ROUTE_DOWNLOAD:
        c->provider->counts[SB_COUNT_DOWNLOADS]++;
        break;

    case SB_ROUTE_POLL:
        c->provider->counts[SB_COUNT_POLLS]++;
        break;

    case SB_ROUTE_CANCEL:
        c->provider->counts[SB_COUNT_CANCELS]++;
        break;

    case SB_ROUTE_ROBOTS:
        c->provider->counts[SB_COUNT_ROBOTS]++;
        break;

    case SB_ROUTE_SHOP:
        sb_count_gap(c->provider, c->started);
        c->provider->counts[SB_COUNT_CALLS]++;
        break;

    default:
        c->provider->counts[SB_COUNT_CALLS]++;
        break;
    }

    pthread_cond_broadcast(&sb.changed);
    pthread_mutex_unlock(&sb.lock);
}


void
sb_count_end(sb_call_t *c)
{
    pthread_mutex_lock(&sb.lock);

    c->provider->counts[SB_COUNT_IN_FLIGHT]--;
    pthread_cond_broadcast(&sb.changed);

    pthread_mutex_unlock(&sb.lock);
}


/*
 * Calls being answered: from a request's last byte to just before the
 * answer's last one, so that calls one after another are never two at once.
 */

void
sb_busy_begin(sb_call_t *c)
{
    sb_provider_t  *p;

    p = c->provider;
    c->busy = 1;

    pthread_mutex_lock(&sb.lock);

    p->busy++;

    if (c->epoch == p->epoch && p->busy > p->counts[SB_COUNT_MAX_IN_FLIGHT]) {
        p->counts[SB_COUNT_MAX_IN_FLIGHT] = p->busy;
        pthread_cond_broadcast(&sb.changed);
    }

    pthread_mutex_unlock(&sb.lock);
}


void
sb_busy_end(sb_call_t *c)
{
    if (!c->busy) {
        return;
    }

    c->busy = 0;

    pthread_mutex_lock(&sb.lock);
    c->provider->busy--;
    pthread_cond_broadcast(&sb.changed);
    pthread_mutex_unlock(&sb.lock);
}


/* Whether no more than "most" calls are being answered, this one included. */

int
sb_busy_fits(sb_call_t *c, unsigned most)
{
    int  fits;

    pthread_mutex_lock(&sb.lock);
    fits = (c->provider->busy <= (int64_t) most);
    pthread_mutex_unlock(&sb.lock);

    return fits;
}


/* ok was counted when the answer began, so it is taken back. */

void
sb_count_abort(sb_call_t *c)
{
    if (c->aborted) {
        return;
    }

    c->aborted = 1;

    pthread_mutex_lock(&sb.lock);

    if (c->epoch == c->provider->epoch) {
        c->provider->counts[SB_COUNT_ABORTED]++;
        c->provider->counts[SB_COUNT_LAST_ABORT_MS] = sb_now_ms()
                                                      - c->started;
        if (c->ok) {
            c->provider->counts[SB_COUNT_OK]--;
        }

        pthread_cond_broadcast(&sb.changed);
    }

    c->ok = 0;

    pthread_mutex_unlock(&sb.lock);
}


sb_target_e
sb_call_on(const sb_call_t *c)
{
    switch (c->route) {

    case SB_ROUTE_API:
    case SB_ROUTE_SEARCH:
    case SB_ROUTE_SHOP:
        return SB_ON_CALL;

    case SB_ROUTE_FILE:
    case SB_ROUTE_PHOTO:
    case SB_ROUTE_SHOP_PHOTO:
        return SB_ON_FILE;

    case SB_ROUTE_ROBOTS:
        return SB_ON_ROBOTS;

    case SB_ROUTE_DOWNLOAD:
        return SB_ON_DOWNLOAD;

    case SB_ROUTE_POLL:
        return SB_ON_POLL;

    default:
        return SB_ON_NOTHING;
    }
}


/* Fixes the call's settings and mode, using up one of "times". */

void
sb_decide(sb_call_t *c)
{
    double          chance;
    sb_provider_t  *p;

    p = c->provider;

    pthread_mutex_lock(&sb.lock);

    c->settings = p->settings;
    c->mode = SB_MODE_OK;

    if (c->settings.on == sb_call_on(c)
        || (c->route == SB_ROUTE_SHOP && c->settings.on == c->page))
    {
        c->mode = p->settings.mode;

        if (p->left == 0) {
            c->mode = SB_MODE_OK;

        } else if (p->left > 0 && c->mode != SB_MODE_OK) {
            p->left--;
        }

        if (c->mode == SB_MODE_OK && p->settings.error_rate > 0) {
            chance = (double) (sb_random_next(&p->random) >> 11) * 0x1.0p-53;

            if (chance < p->settings.error_rate) {
                c->mode = SB_MODE_ERROR;
            }
        }
    }

    c->decided = 1;

    /* A picture fetched while faults hit calls is no call of any mode. */

    if (c->epoch == p->epoch
        && (sb_call_on(c) == SB_ON_CALL || c->settings.on == sb_call_on(c)))
    {
        p->counts[SB_COUNT_MODE + c->mode]++;
        pthread_cond_broadcast(&sb.changed);
    }

    pthread_mutex_unlock(&sb.lock);
}


/* Takes the text; what an earlier epoch's call said is dropped. */

void
sb_provider_last(sb_call_t *c, sb_buf_t *text)
{
    pthread_mutex_lock(&sb.lock);

    if (c->epoch == c->provider->epoch) {
        free(c->provider->last);
        c->provider->last = text->data;
        text->data = NULL;
    }

    pthread_mutex_unlock(&sb.lock);

    sb_buf_free(text);
}


/* A ceiling over all request bodies and answers held at once. */

int
sb_memory_take(size_t n)
{
    int  rc;

    pthread_mutex_lock(&sb.lock);

    rc = SB_ERROR;

    if (n <= SB_MEMORY_MAX - sb.memory) {
        sb.memory += n;
        rc = SB_OK;
    }

    pthread_mutex_unlock(&sb.lock);

    return rc;
}


void
sb_memory_give(size_t n)
{
    pthread_mutex_lock(&sb.lock);
    sb.memory -= n;
    pthread_mutex_unlock(&sb.lock);
}
