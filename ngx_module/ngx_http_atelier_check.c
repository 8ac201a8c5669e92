/*
 * What only the whole configuration can show, checked once it is complete:
 * the zone and the directory that providers and endpoints need, the internal
 * location behind each provider in every server that generates, and addresses
 * that cannot work.
 *
 * Called from postconfiguration, when nginx has built its location trees, and
 * from init_module.  Errors name the directive that needs the missing part.
 */

#include "ngx_http_atelier_operator.h"
#include "ngx_http_atelier_provider.h"
#include "ngx_http_atelier_pictures.h"
#include "ngx_http_atelier_postgres.h"
#include "ngx_http_atelier_check.h"
#include "ngx_http_atelier_fill.h"


typedef struct {
    ngx_conf_t                    *cf;
    ngx_http_core_srv_conf_t      *server;
    ngx_http_atelier_main_conf_t  *amcf;
    ngx_http_atelier_loc_conf_t   *queues;    /* a location that does so */
    ngx_uint_t                     attempts;  /* locations that serve those */
} ngx_http_atelier_check_t;


static ngx_int_t ngx_http_atelier_check_zone(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf);
static int ngx_libc_cdecl ngx_http_atelier_cmp_providers(const void *one,
    const void *two);
static ngx_int_t ngx_http_atelier_check_location(
    ngx_http_atelier_check_t *check, ngx_http_core_loc_conf_t *clcf);
static ngx_int_t ngx_http_atelier_check_tree(ngx_http_atelier_check_t *check,
    ngx_http_location_tree_node_t *node);
static ngx_int_t ngx_http_atelier_check_endpoint(
    ngx_http_atelier_check_t *check, ngx_http_atelier_loc_conf_t *alcf);
static ngx_int_t ngx_http_atelier_check_providers(
    ngx_http_atelier_check_t *check, ngx_http_atelier_loc_conf_t *alcf);
static ngx_int_t ngx_http_atelier_check_guard(
    ngx_http_atelier_check_t *check, ngx_http_atelier_loc_conf_t *alcf);
static const char *ngx_http_atelier_check_maker(
    ngx_http_atelier_main_conf_t *amcf, ngx_http_atelier_loc_conf_t *alcf);
static const char *ngx_http_atelier_check_missing(
    ngx_http_atelier_main_conf_t *amcf, ngx_http_atelier_loc_conf_t *alcf);
static ngx_int_t ngx_http_atelier_check_sources(
    ngx_http_atelier_check_t *check, ngx_http_atelier_loc_conf_t *alcf);
static ngx_int_t ngx_http_atelier_check_party(
    ngx_http_atelier_check_t *check, ngx_http_atelier_loc_conf_t *alcf,
    ngx_http_atelier_party_t *p, ngx_str_t *uri);
static void ngx_http_atelier_check_jobs(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf);
static void ngx_http_atelier_check_groq(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf);
static ngx_int_t ngx_http_atelier_is_groq(ngx_str_t *host);


ngx_int_t
ngx_http_atelier_check(ngx_conf_t *cf, ngx_http_atelier_main_conf_t *amcf)
{
    ngx_uint_t                     i;
    ngx_http_atelier_check_t       check;
    ngx_http_core_srv_conf_t     **servers;
    ngx_http_core_loc_conf_t      *clcf, **named;
    ngx_http_core_main_conf_t     *cmcf;
    ngx_http_atelier_provider_t  **p;

    if (ngx_http_atelier_check_zone(cf, amcf) != NGX_OK) {
        return NGX_ERROR;
    }

    p = amcf->providers.elts;

    if (ngx_http_atelier_postgres_check(cf, amcf) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_qsort(p, amcf->providers.nelts, sizeof(ngx_http_atelier_provider_t *),
              ngx_http_atelier_cmp_providers);

    ngx_memzero(&check, sizeof(ngx_http_atelier_check_t));

    check.cf = cf;
    check.amcf = amcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    servers = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        check.server = servers[i];
        clcf = servers[i]->ctx->loc_conf[ngx_http_core_module.ctx_index];

        if (ngx_http_atelier_check_location(&check, clcf) != NGX_OK) {
            return NGX_ERROR;
        }

        for (named = servers[i]->named_locations; named && *named; named++) {
            if (ngx_http_atelier_check_location(&check, *named) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    ngx_http_atelier_check_groq(cf, amcf);

    ngx_http_atelier_check_jobs(cf, amcf);

    if (check.queues && !check.attempts) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "what is queued here is served by no nginx of this "
                      "configuration: add \"location = /attempt { "
                      "atelier_attempt; }\" to the egress server, or "
                      "\"queue=off\"; in %V:%ui",
                      &check.queues->place.file, check.queues->place.line);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_check_zone(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf)
{
    ngx_uint_t                     i;
    ngx_http_atelier_provider_t  **p;

    p = amcf->providers.elts;

    for (i = 0; amcf->zone == NULL && i < AT_FEED_SOURCES; i++) {
        if (amcf->sources[i]) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "source \"%V\" needs shared memory: add "
                          "\"atelier_zone state 4m;\" to the http block; "
                          "in %V:%ui", &amcf->sources[i]->party.name,
                          &amcf->sources[i]->party.place.file,
                          amcf->sources[i]->party.place.line);
            return NGX_ERROR;
        }
    }

    if (amcf->providers.nelts && amcf->zone == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "provider \"%V\" needs shared memory: add "
                      "\"atelier_zone state 4m;\" to the http block; "
                      "in %V:%ui",
                      &p[0]->party.name, &p[0]->party.place.file,
                      p[0]->party.place.line);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static int ngx_libc_cdecl
ngx_http_atelier_cmp_providers(const void *one, const void *two)
{
    ngx_http_atelier_provider_t *a, *b;

    a = *(ngx_http_atelier_provider_t **) one;
    b = *(ngx_http_atelier_provider_t **) two;

    if (a->priority != b->priority) {
        return (a->priority < b->priority) ? -1 : 1;
    }

    return (a->order < b->order) ? -1 : 1;
}


/* Looks at a location and all locations nested in it. */

static ngx_int_t
ngx_http_atelier_check_location(ngx_http_atelier_check_t *check,
    ngx_http_core_loc_conf_t *clcf)
{
    ngx_http_atelier_loc_conf_t  *alcf;
#if (NGX_PCRE)
    ngx_http_core_loc_conf_t    **regex;
#endif

    /* a server block itself has none, and cannot be an endpoint */

    if (clcf->loc_conf) {
        alcf = clcf->loc_conf[ngx_http_atelier_module.ctx_index];

        if (alcf->endpoint != NGX_HTTP_ATELIER_NONE
            && ngx_http_atelier_check_endpoint(check, alcf) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

#if (NGX_PCRE)
    for (regex = clcf->regex_locations; regex && *regex; regex++) {
        if (ngx_http_atelier_check_location(check, *regex) != NGX_OK) {
            return NGX_ERROR;
        }
    }
#endif

    return ngx_http_atelier_check_tree(check, clcf->static_locations);
}


static ngx_int_t
ngx_http_atelier_check_tree(ngx_http_atelier_check_t *check,
    ngx_http_location_tree_node_t *node)
{
    if (node == NULL) {
        return NGX_OK;
    }

    if (node->exact
        && ngx_http_atelier_check_location(check, node->exact) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (node->inclusive
        && ngx_http_atelier_check_location(check, node->inclusive) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_atelier_check_tree(check, node->left) != NGX_OK
        || ngx_http_atelier_check_tree(check, node->right) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_atelier_check_tree(check, node->tree);
}


/* What those that make pictures cannot do without, or NULL. */

static const char *
ngx_http_atelier_check_maker(ngx_http_atelier_main_conf_t *amcf,
    ngx_http_atelier_loc_conf_t *alcf)
{
    if (amcf->pictures == NULL) {
        return "a directory: add \"atelier_pictures path;\"";
    }

    if (amcf->providers.nelts == 0) {
        return "a provider: add \"atelier_ai_provider name ...;\"";
    }

    if (amcf->postgres == NULL
        && (alcf->endpoint == NGX_HTTP_ATELIER_ATTEMPT || alcf->queue_asked))
    {
        return "PostgreSQL, where the queue is: add \"atelier_postgres "
               "conninfo;\"";
    }

    return NULL;
}


/* The same of any endpoint. */

static const char *
ngx_http_atelier_check_missing(ngx_http_atelier_main_conf_t *amcf,
    ngx_http_atelier_loc_conf_t *alcf)
{
    ngx_uint_t                   i;
    ngx_http_atelier_endpoint_e  endpoint;

    endpoint = alcf->endpoint;

    if (endpoint == NGX_HTTP_ATELIER_HEALTH_LIVE) {
        return NULL;
    }

    if (amcf->zone == NULL) {
        return "shared memory: add \"atelier_zone state 4m;\"";
    }

    if (endpoint == NGX_HTTP_ATELIER_GENERATE
        || endpoint == NGX_HTTP_ATELIER_ATTEMPT)
    {
        return ngx_http_atelier_check_maker(amcf, alcf);
    }

    if (endpoint == NGX_HTTP_ATELIER_INVALIDATE && amcf->cache == NULL) {
        return "a cache to invalidate: add \"atelier_cache pages 64m;\"";
    }

    if (endpoint == NGX_HTTP_ATELIER_PRODUCTS && amcf->cache == NULL) {
        return "a cache: add \"atelier_cache pages 64m;\"";
    }

    if (endpoint == NGX_HTTP_ATELIER_PRODUCTS && amcf->postgres == NULL) {
        return "PostgreSQL, which has the products: add \"atelier_postgres "
               "conninfo;\"";
    }

    if (endpoint == NGX_HTTP_ATELIER_SCRAPE && amcf->redis == NULL) {
        return "Redis, where jobs are kept: add \"atelier_redis "
               "unix:path;\"";
    }

    for (i = 0; i < AT_FEED_SOURCES && amcf->sources[i] == NULL; i++) {
        /* void */
    }

    if (i == AT_FEED_SOURCES) {

        /* likes can be kept without one */

        return (endpoint == NGX_HTTP_ATELIER_FILL)
               ? "a source: add \"atelier_feed_source name uri=...;\"" : NULL;
    }

    if (endpoint != NGX_HTTP_ATELIER_DESIGNS
        && endpoint != NGX_HTTP_ATELIER_FILL)
    {
        return NULL;
    }

    if (amcf->cache == NULL) {
        return "a cache: add \"atelier_cache pages 64m;\"";
    }

    if (endpoint == NGX_HTTP_ATELIER_DESIGNS && amcf->egress == NULL) {
        return "the egress socket, where its feeds are filled: add "
               "\"atelier_egress unix:path;\" and a server on that path "
               "with \"location = /fill { atelier_fill; }\"";
    }

    return NULL;
}


/* Who fills asks all of them; /designs itself only tells of downloads. */

static ngx_int_t
ngx_http_atelier_check_sources(ngx_http_atelier_check_t *check,
    ngx_http_atelier_loc_conf_t *alcf)
{
    ngx_int_t                   rc;
    ngx_str_t                   uri;
    ngx_uint_t                  i;
    at_feed_call_t              call;
    at_feed_query_t             query;
    ngx_http_atelier_source_t  *source;

    ngx_memzero(&query, sizeof(at_feed_query_t));

    query.text = AT_STR("sofa");
    query.sources = AT_FEED_ALL;

    for (i = 0; i < AT_FEED_SOURCES; i++) {
        source = check->amcf->sources[i];

        if (source == NULL
            || (alcf->endpoint == NGX_HTTP_ATELIER_DESIGNS
                && !source->feed->pings))
        {
            continue;
        }

        /* a location may be for the addresses that are asked, and no other */

        if (alcf->endpoint == NGX_HTTP_ATELIER_DESIGNS) {
            rc = at_feed_download(source->feed, AT_STR("id"), AT_STR_NULL,
                                  &call);
        } else {
            rc = at_feed_call(source->feed, &query, 1, 0, &call);
        }

        if (rc != AT_OK) {
            return NGX_ERROR;
        }

        uri.len = source->uri.len + call.path.len;
        uri.data = ngx_pnalloc(check->cf->pool, uri.len);

        if (uri.data) {
            ngx_memcpy(uri.data, source->uri.data, source->uri.len);
        }

        if (uri.data && call.path.len) {
            ngx_memcpy(uri.data + source->uri.len, call.path.data,
                       call.path.len);
        }

        at_feed_call_free(&call);

        if (uri.data == NULL
            || ngx_http_atelier_check_party(check, alcf, &source->party, &uri)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_check_guard(ngx_http_atelier_check_t *check,
    ngx_http_atelier_loc_conf_t *alcf)
{
    if (ngx_http_atelier_operator_guards(alcf)) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, check->cf->log, 0,
                  "this endpoint is for operators and is not guarded: add "
                  "\"atelier_operator token_file=path;\" to its location; "
                  "in %V:%ui", &alcf->place.file, alcf->place.line);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_atelier_check_endpoint(ngx_http_atelier_check_t *check,
    ngx_http_atelier_loc_conf_t *alcf)
{
    const char                    *missing;
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = check->amcf;

    missing = ngx_http_atelier_check_missing(amcf, alcf);

    if (missing) {
        ngx_log_error(NGX_LOG_EMERG, check->cf->log, 0,
                      "this endpoint needs %s to the http block; in %V:%ui",
                      missing, &alcf->place.file, alcf->place.line);
        return NGX_ERROR;
    }

    if (alcf->endpoint == NGX_HTTP_ATELIER_INVALIDATE
        || alcf->endpoint == NGX_HTTP_ATELIER_PUBLISH
        || alcf->endpoint == NGX_HTTP_ATELIER_SCRAPE)
    {
        return ngx_http_atelier_check_guard(check, alcf);
    }

    if (alcf->endpoint == NGX_HTTP_ATELIER_DESIGNS
        || alcf->endpoint == NGX_HTTP_ATELIER_FILL)
    {
        return ngx_http_atelier_check_sources(check, alcf);
    }

    switch (alcf->endpoint) {

    case NGX_HTTP_ATELIER_GENERATE:
        if (alcf->queue && amcf->postgres) {
            check->queues = alcf;
        }

        break;

    case NGX_HTTP_ATELIER_ATTEMPT:
        check->attempts++;
        break;

    case NGX_HTTP_ATELIER_CANCEL:
        break;

    default:
        return NGX_OK;
    }

    return ngx_http_atelier_check_providers(check, alcf);
}


static ngx_int_t
ngx_http_atelier_check_providers(ngx_http_atelier_check_t *check,
    ngx_http_atelier_loc_conf_t *alcf)
{
    ngx_uint_t                      i;
    ngx_http_atelier_provider_t   **p;
    ngx_http_atelier_main_conf_t   *amcf;

    amcf = check->amcf;
    p = amcf->providers.elts;

    for (i = 0; i < amcf->providers.nelts; i++) {

        if (alcf->endpoint == NGX_HTTP_ATELIER_CANCEL
            && !p[i]->ai.format->cancels)
        {
            continue;
        }

        if (ngx_http_atelier_check_party(check, alcf, &p[i]->party,
                                         &p[i]->uri)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (alcf->endpoint != NGX_HTTP_ATELIER_CANCEL
            && p[i]->result.len
            && ngx_http_atelier_check_party(check, alcf, &p[i]->party,
                                            &p[i]->result)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * The location must be internal: it carries the operator's key, so a client
 * must never reach it directly, and a catch-all that serves any uri is not
 * what was meant.
 */

static ngx_int_t
ngx_http_atelier_check_party(ngx_http_atelier_check_t *check,
    ngx_http_atelier_loc_conf_t *alcf, ngx_http_atelier_party_t *p,
    ngx_str_t *uri)
{
    ngx_http_core_loc_conf_t  *clcf, *found;

    clcf = check->server->ctx->loc_conf[ngx_http_core_module.ctx_index];
    found = NULL;

    if (ngx_http_atelier_find_location(clcf, uri, &found) != NGX_DONE
        && found && found->internal)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, check->cf->log, 0,
                  "\"%V\" of %V \"%V\" (%V:%ui) is served by no "
                  "internal location of the server that asks it: add "
                  "\"location %s%V { internal; proxy_pass ...; }\" to that "
                  "server; in %V:%ui",
                  uri, &p->kind, &p->name, &p->place.file, p->place.line,
                  (uri->data[uri->len - 1] == '/') ? "" : "= ", uri,
                  &alcf->place.file, alcf->place.line);

    return NGX_ERROR;
}


static void
ngx_http_atelier_check_jobs(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf)
{
    ngx_uint_t                     i;
    ngx_http_atelier_provider_t  **p;

    p = amcf->providers.elts;

    for (i = 0; amcf->egress == NULL && i < amcf->providers.nelts; i++) {
        if (p[i]->ai.format->cancels) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "provider \"%V\" has jobs that nobody calls off "
                          "when they are not needed: add \"atelier_egress "
                          "unix:path;\" and a server on that path with "
                          "\"location = /cancel { atelier_cancel; }\"; "
                          "in %V:%ui",
                          &p[i]->party.name, &p[i]->party.place.file,
                          p[i]->party.place.line);
        }
    }
}


/*
 * Groq sells no image model: a provider that speaks the OpenAI images format
 * to Groq's own host gets 404 for every call.
 */

static void
ngx_http_atelier_check_groq(ngx_conf_t *cf, ngx_http_atelier_main_conf_t *amcf)
{
    ngx_uint_t                       i, n;
    ngx_http_upstream_server_t      *server;
    ngx_http_upstream_srv_conf_t   **upstreams;
    ngx_http_upstream_main_conf_t   *umcf;

    if (amcf->providers.nelts == 0) {
        return;
    }

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);
    upstreams = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (ngx_http_atelier_is_groq(&upstreams[i]->host)) {
            goto warn;
        }

        if (upstreams[i]->servers == NULL) {
            continue;
        }

        server = upstreams[i]->servers->elts;

        for (n = 0; n < upstreams[i]->servers->nelts; n++) {
            if (ngx_http_atelier_is_groq(&server[n].name)) {
                goto warn;
            }
        }
    }

    return;

warn:

    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "Groq serves no image generation, every call to it will be "
                  "answered 404: point this address at a service that "
                  "speaks the OpenAI images format; in %s:%ui",
                  upstreams[i]->file_name, upstreams[i]->line);
}


static ngx_int_t
ngx_http_atelier_is_groq(ngx_str_t *host)
{
    u_char      *last;
    ngx_str_t    name;

    static const u_char  groq[] = "groq.com";

    name = *host;
    last = ngx_strlchr(name.data, name.data + name.len, ':');

    if (last) {
        name.len = last - name.data;
    }

    if (name.len < sizeof(groq) - 1) {
        return 0;
    }

    last = name.data + name.len - (sizeof(groq) - 1);

    return ngx_strncasecmp(last, (u_char *) groq, sizeof(groq) - 1) == 0
           && (last == name.data || last[-1] == '.');
}


void
ngx_http_atelier_check_shutdown(ngx_cycle_t *cycle,
    ngx_http_atelier_main_conf_t *amcf)
{
    ngx_uint_t                     i;
    ngx_core_conf_t               *ccf;
    ngx_http_atelier_provider_t  **p;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);
    p = amcf->providers.elts;

    if (amcf->sockets && amcf->redis == NULL && ccf->worker_processes > 1) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "\"atelier_live\" without \"atelier_redis\": what is "
                      "published in one of the %i workers does not reach the "
                      "sockets of the others", ccf->worker_processes);
    }

    if (ccf->shutdown_timeout == 0) {
        return;
    }

    if (amcf->sockets && amcf->sockets_drain >= ccf->shutdown_timeout) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "\"worker_shutdown_timeout\" of %Mms is not longer "
                      "than drain=%Mms of \"atelier_live\": a reload would "
                      "close the sockets that are left all at once",
                      ccf->shutdown_timeout, amcf->sockets_drain);
    }

    for (i = 0; i < AT_FEED_SOURCES; i++) {
        if (amcf->sources[i]
            && NGX_HTTP_ATELIER_FILL_DEADLINE >= ccf->shutdown_timeout)
        {
            ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                          "\"worker_shutdown_timeout\" of %Mms is not longer "
                          "than the %ums that sources have to fill a feed: a "
                          "reload would cut that",
                          ccf->shutdown_timeout,
                          NGX_HTTP_ATELIER_FILL_DEADLINE);
            break;
        }
    }

    for (i = 0; i < amcf->providers.nelts; i++) {
        if (p[i]->party.timeout >= ccf->shutdown_timeout) {
            ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                          "\"worker_shutdown_timeout\" of %Mms is not longer "
                          "than timeout=%Mms of provider \"%V\": a reload "
                          "would cut its requests; in %V:%ui",
                          ccf->shutdown_timeout, p[i]->party.timeout,
                          &p[i]->party.name,
                          &p[i]->party.place.file, p[i]->party.place.line);
        }
    }
}
