/*
 * The shared memory zone (see ngx_http_atelier_zone.h): its directive, its
 * layout check, and the slots of providers.
 *
 * The init callback runs in the master for every configuration, before any
 * worker of it starts; workers of the configuration before may be using the
 * zone at that moment, so nothing is freed or moved here.
 */

#include "ngx_http_atelier_zone.h"
#include "ngx_http_atelier_provider.h"
#include "ngx_http_atelier_joint.h"
#include "ngx_http_atelier_socket.h"
#include "ngx_http_atelier_source.h"


#define NGX_HTTP_ATELIER_MAGIC     0x4154454c      /* "ATEL" */
#define NGX_HTTP_ATELIER_LAYOUT    10
#define NGX_HTTP_ATELIER_ZONE_MIN  (64 * 1024)


static ngx_int_t ngx_http_atelier_zone_init(ngx_shm_zone_t *shm, void *data);
static ngx_int_t ngx_http_atelier_zone_create(ngx_http_atelier_zone_t *zone);
static ngx_int_t ngx_http_atelier_zone_party(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party);
static ngx_int_t ngx_http_atelier_zone_slot(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party);
static void ngx_http_atelier_zone_remember(ngx_http_atelier_slot_t *slot,
    ngx_http_atelier_window_t *w, ngx_http_atelier_rate_t *rate,
    ngx_http_atelier_window_t *old);
static ngx_http_atelier_window_t *ngx_http_atelier_zone_window(
    ngx_http_atelier_zone_t *zone, ngx_http_atelier_slot_t *slot,
    ngx_http_atelier_rate_t *rate);


const char  *ngx_http_atelier_result_names[] = {
#define X(name, text)  text,
    NGX_HTTP_ATELIER_RESULTS(X)
#undef X
};

const char  *ngx_http_atelier_outcome_names[] = {
#define X(name, text)  text,
    NGX_HTTP_ATELIER_OUTCOMES(X)
#undef X
};

const ngx_uint_t  ngx_http_atelier_bucket_ms[NGX_HTTP_ATELIER_BUCKETS] = {
    5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 15000, 20000, 30000
};


char *
ngx_http_atelier_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_atelier_main_conf_t *amcf = conf;

    ssize_t                   size;
    ngx_str_t                *value;
    ngx_http_atelier_zone_t  *zone;

    if (amcf->zone) {
        return "is duplicate: one zone serves all";
    }

    value = cf->args->elts;

    size = ngx_parse_size(&value[2]);

    if (size == NGX_ERROR || size < NGX_HTTP_ATELIER_ZONE_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" in \"atelier_zone\": "
                           "give at least 64k, 4m is a good start",
                           &value[2]);
        return NGX_CONF_ERROR;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_atelier_zone_t));
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->shm = ngx_shared_memory_add(cf, &value[1], size,
                                      &ngx_http_atelier_module);
    if (zone->shm == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->conf = amcf;
    zone->shm->init = ngx_http_atelier_zone_init;
    zone->shm->data = zone;

    amcf->zone = zone;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_atelier_zone_init(ngx_shm_zone_t *shm, void *data)
{
    ngx_http_atelier_zone_t *old = data;

    ngx_uint_t                     i;
    ngx_http_atelier_zone_t       *zone;
    ngx_http_atelier_source_t     *source;
    ngx_http_atelier_provider_t  **providers;

    zone = shm->data;
    zone->pool = (ngx_slab_pool_t *) shm->shm.addr;

    if (old) {
        zone->sh = old->sh;

    } else if (shm->shm.exists) {
        zone->sh = zone->pool->data;

    } else if (ngx_http_atelier_zone_create(zone) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm->shm.log, 0,
                      "atelier_zone \"%V\" is too small: give it more than "
                      "%uz bytes", &shm->shm.name, shm->shm.size);
        return NGX_ERROR;
    }

    if (zone->sh->magic != NGX_HTTP_ATELIER_MAGIC
        || zone->sh->version != NGX_HTTP_ATELIER_LAYOUT
        || zone->sh->size != sizeof(ngx_http_atelier_shared_t))
    {
        ngx_log_error(NGX_LOG_EMERG, shm->shm.log, 0,
                      "atelier_zone \"%V\" was made by another version of "
                      "the module: restart nginx instead of reloading it, "
                      "or give the zone another name", &shm->shm.name);
        return NGX_ERROR;
    }

    if (zone->conf->limits) {
        ngx_http_atelier_joint_begin(zone);
    }

    providers = zone->conf->providers.elts;

    for (i = 0; i < zone->conf->providers.nelts; i++) {
        if (ngx_http_atelier_zone_party(zone, &providers[i]->party)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < AT_FEED_SOURCES; i++) {
        source = zone->conf->sources[i];

        if (source == NULL) {
            continue;
        }

        if (ngx_http_atelier_zone_party(zone, &source->party) != NGX_OK
            || (source->downloads.nrates
                && ngx_http_atelier_zone_party(zone, &source->downloads)
                   != NGX_OK))
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_zone_party(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party)
{
    if (ngx_http_atelier_zone_slot(zone, party) == NGX_OK) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, zone->shm->shm.log, 0,
                  "atelier_zone \"%V\" of %uz bytes has no room for "
                  "the limits of %V \"%V\": make it larger",
                  &zone->shm->shm.name, zone->shm->shm.size, &party->kind,
                  &party->name);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_atelier_zone_create(ngx_http_atelier_zone_t *zone)
{
    size_t            len;
    ngx_slab_pool_t  *pool;

    pool = zone->pool;

    zone->sh = ngx_slab_calloc(pool, sizeof(ngx_http_atelier_shared_t));
    if (zone->sh == NULL) {
        return NGX_ERROR;
    }

    len = sizeof(" in atelier_zone \"\"") + zone->shm->shm.name.len;

    pool->log_ctx = ngx_slab_alloc(pool, len);
    if (pool->log_ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(pool->log_ctx, " in atelier_zone \"%V\"%Z",
                &zone->shm->shm.name);

    zone->sh->magic = NGX_HTTP_ATELIER_MAGIC;
    zone->sh->version = NGX_HTTP_ATELIER_LAYOUT;
    zone->sh->size = sizeof(ngx_http_atelier_shared_t);

    ngx_http_atelier_socket_zone_create(&zone->sh->sockets);

    pool->data = zone->sh;

    return NGX_OK;
}


/* Finds or makes the provider's slot and its windows. */

static ngx_int_t
ngx_http_atelier_zone_slot(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party)
{
    ngx_uint_t                i;
    ngx_http_atelier_slot_t  *slot;

    for (slot = zone->sh->slots; slot; slot = slot->next) {
        if (slot->name_len == party->slot_name.len
            && ngx_memcmp(slot->name, party->slot_name.data, slot->name_len)
               == 0)
        {
            break;
        }
    }

    if (slot == NULL) {
        slot = ngx_slab_calloc(zone->pool, sizeof(ngx_http_atelier_slot_t));
        if (slot == NULL) {
            return NGX_ERROR;
        }

        slot->name_len = party->slot_name.len;
        ngx_memcpy(slot->name, party->slot_name.data, slot->name_len);

        slot->next = zone->sh->slots;
        zone->sh->slots = slot;
    }

    party->slot = slot;
    party->epoch = ++slot->epoch;

    if (zone->conf->limits
        && ngx_http_atelier_joint_party(zone->conf->limits, party) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < party->nrates; i++) {

        if (zone->conf->limits) {
            party->shares[i] = ngx_http_atelier_joint_window(zone, slot,
                                                        &party->rates[i]);
            if (party->shares[i] == NULL) {
                return NGX_ERROR;
            }

            continue;
        }

        party->windows[i] = ngx_http_atelier_zone_window(zone, slot,
                                                        &party->rates[i]);
        if (party->windows[i] == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * The ring of this period goes on over a reload, whatever its rate was.  If it
 * is too small for the new rate a larger one takes over, also for the workers
 * of the old configuration; it stays where it is and only points there.
 * Capacities are powers of two, so that there are few of them.
 */

static ngx_http_atelier_window_t *
ngx_http_atelier_zone_window(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_slot_t *slot, ngx_http_atelier_rate_t *rate)
{
    ngx_uint_t                  capacity, live;
    ngx_http_atelier_window_t  *w, *old;

    for (old = slot->windows; old; old = old->next) {
        if (old->period == rate->period && old->moved == NULL) {
            break;
        }
    }

    live = old && old->epoch + 1 >= slot->epoch;

    if (old && old->capacity >= rate->calls) {
        ngx_shmtx_lock(&zone->pool->mutex);

        if (!live) {
            old->first = 0;
            old->count = 0;
            ngx_http_atelier_zone_remember(slot, old, rate, NULL);
        }

        old->epoch = slot->epoch;

        ngx_shmtx_unlock(&zone->pool->mutex);

        return old;
    }

    for (capacity = 8; capacity < rate->calls; capacity *= 2) { /* void */ }

    w = ngx_slab_calloc(zone->pool, sizeof(ngx_http_atelier_window_t)
                                    + capacity * sizeof(ngx_msec_t));
    if (w == NULL) {
        return NULL;
    }

    w->period = rate->period;
    w->capacity = capacity;
    w->epoch = slot->epoch;

    ngx_shmtx_lock(&zone->pool->mutex);

    ngx_http_atelier_zone_remember(slot, w, rate, live ? old : NULL);

    if (old) {
        old->moved = w;
    }

    w->next = slot->windows;
    slot->windows = w;

    ngx_shmtx_unlock(&zone->pool->mutex);

    return w;
}


/*
 * What a ring starts with: the calls of the one it replaces; for a new period
 * those of the provider's longest that has been counted in; with no past, half
 * of its rate as if just called, since nginx may have been restarted a moment
 * after the other half really was.
 */

static void
ngx_http_atelier_zone_remember(ngx_http_atelier_slot_t *slot,
    ngx_http_atelier_window_t *w, ngx_http_atelier_rate_t *rate,
    ngx_http_atelier_window_t *old)
{
    ngx_uint_t                  i, n, longest;
    ngx_msec_t                  at;
    ngx_http_atelier_window_t  *next;

    longest = (old == NULL);

    for (next = slot->windows; longest && next; next = next->next) {
        if (next != w && next->moved == NULL
            && next->epoch + 1 >= slot->epoch
            && (old == NULL || next->period > old->period))
        {
            old = next;
        }
    }

    if (old == NULL) {
        for (i = 0; i < rate->calls / 2; i++) {
            w->at[w->count++] = ngx_current_msec;
        }

        return;
    }

    n = ngx_min(old->count, w->capacity);

    for (i = old->count - n; i < old->count; i++) {
        at = old->at[(old->first + i) % old->capacity];

        if ((ngx_msec_int_t) (ngx_current_msec - at)
            < (ngx_msec_int_t) w->period)
        {
            w->at[w->count++] = at;
        }
    }
}


void
ngx_http_atelier_observe(ngx_http_atelier_histogram_t *h, ngx_msec_t ms)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_ATELIER_BUCKETS; i++) {
        if (ms <= ngx_http_atelier_bucket_ms[i]) {
            break;
        }
    }

    ngx_http_atelier_count(&h->buckets[i], 1);
    ngx_http_atelier_count(&h->sum, ms);
}
