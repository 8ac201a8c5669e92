/*
 * atelier_postgres "conninfo" [timeout=2s] [queue=1024] [connections=2]
 *                  [prepare=on|off] [password_file=PATH];
 *
 * and what /metrics and /health/ready say of it.  The connection string is
 * libpq's, parsed by libpq when the configuration is read; what would make a
 * worker wait later (host names, a service file, Kerberos) or would leave a
 * secret in the configuration is refused here.
 */

#include "ngx_http_atelier_metrics.h"
#include "ngx_http_atelier_postgres_conn.h"
#include "ngx_http_atelier_secret.h"


/* The string's own keywords, our five, and the end. */
#define NGX_HTTP_ATELIER_POSTGRES_OWN  6


static ngx_int_t ngx_http_atelier_postgres_param(ngx_conf_t *cf,
    ngx_http_atelier_postgres_conf_t *pcf, ngx_str_t *value,
    ngx_str_t *password);
static ngx_int_t ngx_http_atelier_postgres_conninfo(ngx_conf_t *cf,
    ngx_http_atelier_postgres_conf_t *pcf, PQconninfoOption *options,
    ngx_str_t *password);
static const char *ngx_http_atelier_postgres_copy(ngx_conf_t *cf,
    const char *text);
static ngx_int_t ngx_http_atelier_postgres_option(ngx_conf_t *cf,
    PQconninfoOption *o);
static ngx_int_t ngx_http_atelier_postgres_hosts(ngx_conf_t *cf,
    const char *list, ngx_uint_t directories);
static const char *ngx_http_atelier_postgres_find(PQconninfoOption *options,
    const char *keyword);


char *
ngx_http_atelier_postgres(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_atelier_main_conf_t *amcf = conf;

    char                              *why;
    ngx_int_t                          rc;
    ngx_str_t                         *value, password, text;
    ngx_uint_t                         i;
    PQconninfoOption                  *options;
    ngx_http_atelier_postgres_conf_t  *pcf;

    if (amcf->postgres) {
        return "is duplicate";
    }

    pcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_atelier_postgres_conf_t));
    if (pcf == NULL) {
        return NGX_CONF_ERROR;
    }

    pcf->timeout = 2000;
    pcf->queue = 1024;
    pcf->connections = 2;
    pcf->prepare = 1;
    ngx_http_atelier_here(cf, &pcf->place);

    ngx_str_null(&password);
    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_atelier_postgres_param(cf, pcf, &value[i], &password)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    why = NULL;
    options = PQconninfoParse((const char *) value[1].data, &why);

    if (options == NULL) {
        text.data = (u_char *) (why ? why : "no memory");
        text.len = ngx_strlen(text.data);

        while (text.len && text.data[text.len - 1] == LF) {
            text.len--;
        }

        /* the string itself may hold a password: it is not quoted */

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid connection string of "
                           "\"atelier_postgres\": %V", &text);
        PQfreemem(why);

        return NGX_CONF_ERROR;
    }

    rc = ngx_http_atelier_postgres_conninfo(cf, pcf, options, &password);

    PQconninfoFree(options);

    if (rc != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    amcf->postgres = pcf;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_atelier_postgres_param(ngx_conf_t *cf,
    ngx_http_atelier_postgres_conf_t *pcf, ngx_str_t *value,
    ngx_str_t *password)
{
    u_char     *text;
    ngx_int_t   n;
    ngx_str_t   s;

    text = value->data;

    if (ngx_strncmp(text, "timeout=", 8) == 0) {
        s.data = text + 8;
        s.len = value->len - 8;
        n = ngx_parse_time(&s, 0);

        if (n != NGX_ERROR && n >= 100 && n <= 60000) {
            pcf->timeout = n;
            return NGX_OK;
        }

    } else if (ngx_strncmp(text, "queue=", 6) == 0) {
        n = ngx_atoi(text + 6, value->len - 6);

        if (n >= 1 && n <= 65535) {
            pcf->queue = n;
            return NGX_OK;
        }

    } else if (ngx_strncmp(text, "connections=", 12) == 0) {
        n = ngx_atoi(text + 12, value->len - 12);

        if (n >= 1 && n <= NGX_HTTP_ATELIER_POSTGRES_CONNS) {
            pcf->connections = n;
            return NGX_OK;
        }

    } else if (ngx_strcmp(text, "prepare=on") == 0) {
        pcf->prepare = 1;
        return NGX_OK;

    } else if (ngx_strcmp(text, "prepare=off") == 0) {
        pcf->prepare = 0;
        return NGX_OK;

    } else if (ngx_strncmp(text, "password_file=", 14) == 0) {
        s.data = text + 14;
        s.len = value->len - 14;

        if (ngx_conf_full_name(cf->cycle, &s, 1) != NGX_OK) {
            return NGX_ERROR;
        }

        return ngx_http_atelier_secret_read(cf, &s, password);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"atelier_postgres\": "
                       "known are timeout=100ms..60s, queue=1..65535, "
                       "connections=1..%d, prepare=on|off and "
                       "password_file=path (a connection string with blanks "
                       "needs quotes)", value,
                       NGX_HTTP_ATELIER_POSTGRES_CONNS);

    return NGX_ERROR;
}


/* Checks the string's options and copies them for PQconnectStartParams(). */

static ngx_int_t
ngx_http_atelier_postgres_conninfo(ngx_conf_t *cf,
    ngx_http_atelier_postgres_conf_t *pcf, PQconninfoOption *options,
    ngx_str_t *password)
{
    ngx_uint_t         i, n;
    const char        *host, *addr;
    PQconninfoOption  *o;

    host = ngx_http_atelier_postgres_find(options, "host");
    addr = ngx_http_atelier_postgres_find(options, "hostaddr");

    if (ngx_http_atelier_postgres_hosts(cf, addr ? addr : host,
                                        addr == NULL)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (n = 0, o = options; o->keyword; o++) {
        if (o->val) {
            if (ngx_http_atelier_postgres_option(cf, o) != NGX_OK) {
                return NGX_ERROR;
            }

            n++;
        }
    }

    n += NGX_HTTP_ATELIER_POSTGRES_OWN;

    pcf->keywords = ngx_pcalloc(cf->pool, n * sizeof(char *));
    pcf->values = ngx_pcalloc(cf->pool, n * sizeof(char *));

    if (pcf->keywords == NULL || pcf->values == NULL) {
        return NGX_ERROR;
    }

    /* of a keyword given twice libpq takes the last: defaults come first */

    pcf->keywords[0] = "fallback_application_name";
    pcf->values[0] = "atelier";
    pcf->keywords[1] = "gssencmode";
    pcf->values[1] = "disable";
    pcf->keywords[2] = "client_encoding";
    pcf->values[2] = "UTF8";
    pcf->keywords[3] = "user";
    pcf->user = &pcf->values[3];
    pcf->keywords[4] = "password";
    pcf->values[4] = password->len ? (const char *) password->data : NULL;

    for (i = NGX_HTTP_ATELIER_POSTGRES_OWN - 1, o = options; o->keyword; o++) {
        if (o->val == NULL) {
            continue;
        }

        pcf->keywords[i] = ngx_http_atelier_postgres_copy(cf, o->keyword);
        pcf->values[i] = ngx_http_atelier_postgres_copy(cf, o->val);

        if (pcf->keywords[i] == NULL || pcf->values[i] == NULL) {
            return NGX_ERROR;
        }

        if (ngx_strcmp(o->keyword, "user") == 0) {
            *pcf->user = pcf->values[i];
        }

        i++;
    }

    return NGX_OK;
}


static const char *
ngx_http_atelier_postgres_copy(ngx_conf_t *cf, const char *text)
{
    u_char  *p;
    size_t   size;

    size = ngx_strlen(text) + 1;

    p = ngx_pnalloc(cf->pool, size);
    if (p == NULL) {
        return NULL;
    }

    ngx_memcpy(p, text, size);

    return (const char *) p;
}


static ngx_int_t
ngx_http_atelier_postgres_option(ngx_conf_t *cf, PQconninfoOption *o)
{
    if (ngx_strcmp(o->keyword, "password") == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a password stands in \"atelier_postgres\": write "
                           "it into a file of mode 0600 and name that by "
                           "password_file=, or use passfile=");
        return NGX_ERROR;
    }

    if (ngx_strcmp(o->keyword, "service") == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "service=%s in \"atelier_postgres\" names a part "
                           "of another file, which cannot be checked here: "
                           "write out what stands there", o->val);
        return NGX_ERROR;
    }

    if (ngx_strcmp(o->keyword, "client_encoding") == 0
        && ngx_strcasecmp((u_char *) o->val, (u_char *) "UTF8") != 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "client_encoding=%s in \"atelier_postgres\": all "
                           "texts are UTF8, leave it out", o->val);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * libpq looks a name up when it connects, which would hold up a worker.  With
 * hostaddr= there is nothing to look up, and host= is the name in the
 * certificate.
 */

static ngx_int_t
ngx_http_atelier_postgres_hosts(ngx_conf_t *cf, const char *list,
    ngx_uint_t directories)
{
    size_t       len;
    ngx_str_t    text;
    ngx_addr_t   addr;
    const char  *p;

    for (p = list; p; p += len + 1) {
        len = strcspn(p, ",");

        text.len = len;
        text.data = (u_char *) p;

        if (!(directories && (p[0] == '/' || p[0] == '@'))
            && (len == 0
                || ngx_parse_addr(cf->pool, &addr, text.data, len) != NGX_OK))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" in \"atelier_postgres\" is no address: "
                               "a name would be looked up while requests "
                               "wait; give host= the folder of the server's "
                               "socket, or hostaddr= its IP address (beside "
                               "host=name for TLS)", &text);
            return NGX_ERROR;
        }

        if (p[len] == '\0') {
            return NGX_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"atelier_postgres\" names no server: give host= the "
                       "folder of its socket, as in "
                       "\"host=/run/postgresql dbname=atelier\", or "
                       "hostaddr= its IP address");

    return NGX_ERROR;
}


static const char *
ngx_http_atelier_postgres_find(PQconninfoOption *options, const char *keyword)
{
    PQconninfoOption  *o;

    for (o = options; o->keyword; o++) {
        if (ngx_strcmp(o->keyword, keyword) == 0) {
            return (o->val && o->val[0]) ? o->val : NULL;
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_atelier_postgres_check(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf)
{
    if (amcf->postgres == NULL || amcf->zone) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"atelier_postgres\" needs shared memory: add "
                  "\"atelier_zone state 4m;\" to the http block; in %V:%ui",
                  &amcf->postgres->place.file, amcf->postgres->place.line);

    return NGX_ERROR;
}


int
ngx_http_atelier_postgres_health(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b)
{
    if (amcf->postgres == NULL) {
        return AT_OK;
    }

    return at_buf_printf(b, ",\"postgres\":\"%s\"",
                         ngx_http_atelier_postgres_ready() ? "ok" : "away");
}


int
ngx_http_atelier_postgres_metrics(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b)
{
    int                                    rc;
    ngx_uint_t                             i, connections, pending;
    ngx_http_atelier_shared_t             *sh;
    ngx_http_atelier_postgres_counters_t  *n;

    if (amcf->postgres == NULL) {
        return AT_OK;
    }

    sh = amcf->zone->sh;
    n = &sh->postgres;
    connections = 0;
    pending = 0;

    for (i = 0; i < NGX_HTTP_ATELIER_WORKERS_MAX; i++) {
        connections += sh->postgres_gauges[i].connections;
        pending += sh->postgres_gauges[i].pending;
    }

    rc = ngx_http_atelier_metrics_value(b, "postgres_up", "gauge",
                                        "1 if the worker that answers can ask "
                                        "PostgreSQL.",
                                        ngx_http_atelier_postgres_ready());
    rc |= ngx_http_atelier_metrics_value(b, "postgres_connections", "gauge",
                                         "Ready connections of all workers.",
                                         connections);
    rc |= ngx_http_atelier_metrics_value(b, "postgres_pending", "gauge",
                                         "Statements without an answer yet.",
                                         pending);
    rc |= ngx_http_atelier_metrics_value(b, "postgres_queries_total",
                                         "counter", "Statements sent.",
                                         n->queries);
    rc |= ngx_http_atelier_metrics_value(b, "postgres_errors_total", "counter",
                                         "Statements that the server refused.",
                                         n->errors);
    rc |= ngx_http_atelier_metrics_value(b, "postgres_timeouts_total",
                                         "counter",
                                         "Statements without an answer in "
                                         "time.", n->timeouts);
    rc |= ngx_http_atelier_metrics_value(b, "postgres_refused_total",
                                         "counter",
                                         "Statements not sent: the server was "
                                         "away or the queue full.",
                                         n->refused);

    return rc;
}
