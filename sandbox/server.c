/*
 * The HTTP side: libmicrohttpd with a thread a connection.
 *
 * A call is made when the headers are in and freed when the answer is over;
 * between the two it owns the request's body and the answer.  The thread may
 * sleep in a call as long as it likes, because it serves nobody else; all
 * sleeping goes through sb_call_wait_fd(), which watches the connection, so
 * that a client's abort is noticed at once.
 */

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sandbox.h"


static atomic_int  sb_calls;


const char *
sb_call_header(sb_call_t *c, const char *name)
{
    return MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, name);
}


int
sb_call_wait(sb_call_t *c, int64_t ms)
{
    return sb_call_wait_fd(c, -1, ms);
}


/*
 * Sleeps until fd (-1: none) can be read or the time is over; ms < 0 means as
 * long as a hang may last.  SB_ERROR: the client has gone (and that is
 * counted) or the process stops, both also when fd is ready.
 */

int
sb_call_wait_fd(sb_call_t *c, int fd, int64_t ms)
{
    int            n;
    int64_t        left, deadline;
    struct pollfd  p[3];

    deadline = sb_now_ms() + (ms < 0 ? SB_WAIT_MAX_MS : ms);

    p[0].fd = c->fd;
    p[0].events = POLLRDHUP;
    p[1].fd = sb_stop_fd();
    p[1].events = POLLIN;
    p[2].fd = fd;
    p[2].events = POLLIN;

    for ( ;; ) {
        left = deadline - sb_now_ms();

        if (left <= 0) {
            return SB_OK;
        }

        n = poll(p, 3, (int) left);

        if (n == -1 && errno != EINTR) {
            return SB_ERROR;
        }

        if (n <= 0) {
            continue;
        }

        if (p[1].revents) {
            c->broken = 1;
            return SB_ERROR;
        }

        if (p[0].revents) {
            sb_count_abort(c);
            return SB_ERROR;
        }

        return SB_OK;
    }
}


/* Finds the call's part of the sandbox; rest is the path behind the name. */

static void
sb_route_api(sb_call_t *c)
{
    const char  *rest;

    rest = c->rest;
    c->route = SB_ROUTE_API;

    if (sb_route_source(c) == SB_OK) {
        return;
    }

    if (strncmp(rest, "/v2beta/", 8) == 0) {
        c->api = &sb_api_stability;

    } else if (strncmp(rest, "/v1/generation/", 15) == 0) {
        c->api = &sb_api_stability1;

    } else if (strncmp(rest, "/v1/predictions/", 16) == 0) {
        c->api = &sb_api_replicate;
        c->route = strcmp(c->method, "GET") == 0 ? SB_ROUTE_POLL
                                                 : SB_ROUTE_CANCEL;

    } else if (strcmp(rest, "/v1/predictions") == 0
               || strncmp(rest, "/v1/models/", 11) == 0)
    {
        c->api = &sb_api_replicate;

    } else if (strncmp(rest, "/hf-inference/", 14) == 0) {
        c->api = &sb_api_huggingface;

    } else {
        c->api = &sb_api_openai;
    }
}


static void
sb_route(sb_call_t *c)
{
    size_t       len;
    const char  *name, *rest;

    c->route = SB_ROUTE_NONE;

    if (c->path[0] != '/') {
        return;
    }

    name = c->path + 1;
    len = strcspn(name, "/");
    rest = name + len;

    if (len == 8 && memcmp(name, "_control", 8) == 0) {
        c->route = SB_ROUTE_CONTROL;
        c->rest = rest;
        return;
    }

    if (sb_route_shop(c) || *rest == '\0') {
        return;
    }

    c->provider = sb_provider_find(name, len);
    if (c->provider == NULL) {
        return;
    }

    c->rest = rest;

    if (strncmp(rest, "/files/", 7) == 0) {
        c->route = SB_ROUTE_FILE;
        c->api = &sb_api_file;
        return;
    }

    sb_route_api(c);
}


static sb_call_t *
sb_call_new(struct MHD_Connection *connection, const char *url,
    const char *method)
{
    sb_call_t                       *c;
    const union MHD_ConnectionInfo  *info;

    info = MHD_get_connection_info(connection,
                                   MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info == NULL) {
        return NULL;
    }

    c = calloc(1, sizeof(sb_call_t));
    if (c == NULL) {
        return NULL;
    }

    c->connection = connection;
    c->fd = info->connect_fd;
    c->began = sb_now();
    c->started = (int64_t) c->began;
    snprintf(c->method, sizeof(c->method), "%s", method);

    c->path = strdup(url);
    if (c->path == NULL) {
        free(c);
        return NULL;
    }

    sb_route(c);
    atomic_fetch_add(&sb_calls, 1);

    if (c->provider) {
        sb_count_begin(c);
    }

    return c;
}


static void
sb_call_free(sb_call_t *c)
{
    sb_busy_end(c);

    if (c->counted) {
        sb_count_end(c);
    }

    atomic_fetch_sub(&sb_calls, 1);
    sb_memory_give(c->memory);
    sb_buf_free(&c->body);
    sb_buf_free(&c->answer.body);
    free(c->shown);
    free(c->path);
    free(c);
}


/* What is too big is read on and dropped, for an answer mid-body is lost. */

static enum MHD_Result
sb_call_body(sb_call_t *c, const char *data, size_t len)
{
    size_t  total;

    if (c->too_big || c->no_memory) {
        c->sent += len;
        return c->sent > SB_DISCARD_MAX ? MHD_NO : MHD_YES;
    }

    total = c->body.len + len;

    if (total > SB_BODY_MAX) {
        c->too_big = 1;
        sb_buf_free(&c->body);
        c->sent = total;
        return MHD_YES;
    }

    if (sb_memory_take(len) != SB_OK) {
        c->no_memory = 1;
        return MHD_YES;
    }

    c->memory += len;

    return sb_buf_add(&c->body, data, len) == SB_OK ? MHD_YES : MHD_NO;
}


static void
sb_call_too_big(sb_call_t *c)
{
    if (c->api) {
        sb_refuse(c, 413, "payload_too_large", NULL,
                  "The request body is over %zu bytes.", SB_BODY_MAX);
        return;
    }

    sb_answer_text(c, 413, "text/plain",
                   "The request body is over %zu bytes.\n", SB_BODY_MAX);
}


static void
sb_call_serve(sb_call_t *c)
{
    switch (c->route) {

    case SB_ROUTE_CONTROL:
        sb_control(c);
        break;

    case SB_ROUTE_API:
        sb_generate(c);
        break;

    case SB_ROUTE_POLL:
        sb_serve_poll(c);
        break;

    case SB_ROUTE_CANCEL:
        sb_serve_cancel(c);
        break;

    case SB_ROUTE_FILE:
        sb_serve_file(c);
        break;

    case SB_ROUTE_SEARCH:
        sb_serve_search(c);
        break;

    case SB_ROUTE_DOWNLOAD:
        sb_serve_download(c);
        break;

    case SB_ROUTE_PHOTO:
        sb_serve_photo(c);
        break;

    case SB_ROUTE_SHOP:
        sb_serve_shop(c);
        break;

    case SB_ROUTE_SHOP_PHOTO:
        sb_serve_shop_photo(c);
        break;

    case SB_ROUTE_ROBOTS:
        sb_serve_robots(c);
        break;

    default:
        sb_answer_text(c, 404, "text/plain",
                       "No such path. Paths begin with /_control, with /shop/ "
                       "and a shop's name, or with a provider's name "
                       "([a-z0-9_-], 32 at most, no leading _; %d providers "
                       "at most).\n", SB_PROVIDERS_MAX);
        break;
    }
}


static void
sb_call_answer(sb_call_t *c)
{
    /* The body is in: from here on only our own bounds on time hold. */

    MHD_set_connection_option(c->connection, MHD_CONNECTION_OPTION_TIMEOUT,
                              0u);
    c->sent = 0;

    if (c->provider) {
        sb_busy_begin(c);
    }

    if (c->too_big) {
        sb_call_too_big(c);

    } else if (c->no_memory
               || (c->route != SB_ROUTE_CONTROL
                   && atomic_load(&sb_calls) > SB_CALLS_MAX))
    {
        sb_answer_text(c, 503, "text/plain",
                       "The sandbox has too many calls in flight.\n");

    } else {
        sb_call_serve(c);
    }

    if (c->api && c->api->decorate && c->answer.status) {
        c->api->decorate(c);
    }

    MHD_set_connection_option(c->connection, MHD_CONNECTION_OPTION_TIMEOUT,
                              (unsigned) SB_SEND_TIMEOUT);
}


static enum MHD_Result
sb_handler(void *cls, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload_data,
    size_t *upload_size, void **con_cls)
{
    sb_call_t           *c;
    const char          *length;
    enum MHD_Result      rc;
    unsigned long long   n;

    (void) cls;
    (void) version;

    c = *con_cls;

    if (c == NULL) {
        c = sb_call_new(connection, url, method);
        if (c == NULL) {
            return MHD_NO;
        }

        *con_cls = c;

        length = sb_call_header(c, "Content-Length");
        n = length ? strtoull(length, NULL, 10) : 0;

        if (n > SB_DISCARD_MAX) {
            c->answered = 1;
            sb_call_too_big(c);
            return sb_deliver(c);
        }

        return MHD_YES;
    }

    if (*upload_size) {
        rc = sb_call_body(c, upload_data, *upload_size);
        *upload_size = 0;
        return rc;
    }

    if (c->answered) {
        return MHD_NO;
    }

    c->answered = 1;
    sb_call_answer(c);

    return sb_deliver(c);
}


/* "time provider status mode ms"; nothing of it comes from the request. */

static void
sb_call_log(sb_call_t *c)
{
    char             at[32];
    struct tm        tm;
    const char      *mode;
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", &tm);

    mode = c->refused ? "refused"
                      : c->decided ? sb_mode_name(c->mode) : "-";

    fprintf(stderr, "%s.%03ldZ %s %s %u %s %lldms\n", at,
            ts.tv_nsec / 1000000, c->provider->name, c->api->name,
            c->aborted ? 499 : c->answer.status, mode,
            (long long) (sb_now_ms() - c->started));
}


static void
sb_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
    enum MHD_RequestTerminationCode toe)
{
    sb_call_t  *c;

    (void) cls;

    c = *con_cls;
    if (c == NULL) {
        return;
    }

    *con_cls = NULL;

    if (c->provider) {
        if (!c->broken && (toe == MHD_REQUEST_TERMINATED_WITH_ERROR
                           || toe == MHD_REQUEST_TERMINATED_READ_ERROR
                           || toe == MHD_REQUEST_TERMINATED_CLIENT_ABORT))
        {
            sb_count_abort(c);
        }

        if (c->shown && toe == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
            sb_shop_left(c);
        }

        sb_call_log(c);
    }

    sb_call_free(c);

    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
                              (unsigned) SB_IDLE_TIMEOUT);
}


struct MHD_Daemon *
sb_server_start(int listen_fd)
{
    return MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD
                            | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC,
                            0, NULL, NULL, sb_handler, NULL,
                            MHD_OPTION_LISTEN_SOCKET, listen_fd,
                            MHD_OPTION_NOTIFY_COMPLETED, sb_completed, NULL,
                            MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned) SB_CONNECTIONS,
                            MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned) SB_IDLE_TIMEOUT,
                            MHD_OPTION_THREAD_STACK_SIZE,
                            (size_t) 1024 * 1024,
                            MHD_OPTION_END);
}
