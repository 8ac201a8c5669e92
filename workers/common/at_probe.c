/*
 * Probes and metrics (see at_probe.h), by libmicrohttpd.
 */

#include "at_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>


#define AT_PROBE_CONNECTIONS  32
#define AT_PROBE_TIMEOUT      10        /* s */
#define AT_PROBE_BACKLOG      16


struct at_probe_s {
    const at_probe_handler_t  *handler;
    struct MHD_Daemon         *daemon;
    char                      *path;    /* of the socket, or NULL */
};


typedef union {
    struct sockaddr      sa;
    struct sockaddr_un   un;
    struct sockaddr_in   in;
    struct sockaddr_in6  in6;
} at_probe_address_t;


static int at_probe_address(const char *text, at_probe_address_t *a,
    socklen_t *len);
static int at_probe_listen(at_probe_t *probe, const char *text, char *error,
    size_t size);
static void at_probe_clear(const at_probe_address_t *a);
static enum MHD_Result at_probe_answer(void *data,
    struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *body, size_t *body_len, void **state);
static enum MHD_Result at_probe_send(struct MHD_Connection *connection,
    unsigned status, const char *type, at_buf_t *b);


at_probe_t *
at_probe_create(const char *listen_to, const at_probe_handler_t *handler,
    char *error, size_t size)
{
    int          fd;
    at_probe_t  *probe;

    probe = calloc(1, sizeof(at_probe_t));
    if (probe == NULL) {
        (void) snprintf(error, size, "no memory");
        return NULL;
    }

    probe->handler = handler;

    fd = at_probe_listen(probe, listen_to, error, size);

    if (fd != -1) {
        probe->daemon = MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD, 0,
                            NULL, NULL, at_probe_answer, probe,
                            MHD_OPTION_LISTEN_SOCKET, (MHD_socket) fd,
                            MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned) AT_PROBE_CONNECTIONS,
                            MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned) AT_PROBE_TIMEOUT, MHD_OPTION_END);

        if (probe->daemon) {
            return probe;
        }

        (void) snprintf(error, size, "no HTTP server on %s", listen_to);
        (void) close(fd);
    }

    at_probe_free(probe);

    return NULL;
}


void
at_probe_free(at_probe_t *probe)
{
    if (probe == NULL) {
        return;
    }

    if (probe->daemon) {
        MHD_stop_daemon(probe->daemon);
    }

    if (probe->path) {
        (void) unlink(probe->path);
        free(probe->path);
    }

    free(probe);
}


const char *
at_probe_check(const char *text)
{
    socklen_t           len;
    at_probe_address_t  a;

    if (at_probe_address(text, &a, &len) != AT_OK) {
        return "is no address of this machine: write unix:/path, "
               "127.0.0.1:port or [::1]:port";
    }

    return NULL;
}


static int
at_probe_address(const char *text, at_probe_address_t *a, socklen_t *len)
{
    int            v6;
    char          *end;
    const char    *digits;
    unsigned long  port;

    memset(a, 0, sizeof(at_probe_address_t));

    if (strncmp(text, "unix:", 5) == 0) {
        text += 5;

        if (text[0] != '/' || strlen(text) >= sizeof(a->un.sun_path)) {
            return AT_ERROR;
        }

        a->un.sun_family = AF_UNIX;
        memcpy(a->un.sun_path, text, strlen(text) + 1);
        *len = sizeof(a->un);

        return AT_OK;
    }

    v6 = (strncmp(text, "[::1]:", 6) == 0);

    if (!v6 && strncmp(text, "127.0.0.1:", 10) != 0) {
        return AT_ERROR;
    }

    digits = text + (v6 ? 6 : 10);
    port = strtoul(digits, &end, 10);

    if (digits[0] < '0' || digits[0] > '9' || *end != '\0' || port > 65535) {
        return AT_ERROR;
    }

    if (v6) {
        a->in6.sin6_family = AF_INET6;
        a->in6.sin6_port = htons((uint16_t) port);
        a->in6.sin6_addr = in6addr_loopback;
        *len = sizeof(a->in6);

    } else {
        a->in.sin_family = AF_INET;
        a->in.sin_port = htons((uint16_t) port);
        a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        *len = sizeof(a->in);
    }

    return AT_OK;
}


/* Returns the descriptor, or -1. */

static int
at_probe_listen(at_probe_t *probe, const char *text, char *error, size_t size)
{
    int                 fd, on;
    mode_t              mask;
    socklen_t           len;
    at_probe_address_t  a;

    on = 1;

    if (at_probe_address(text, &a, &len) != AT_OK) {
        (void) snprintf(error, size, "\"%s\" %s", text, at_probe_check(text));
        return -1;
    }

    at_probe_clear(&a);

    fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                0);
    if (fd == -1) {
        (void) snprintf(error, size, "no socket: %s", strerror(errno));
        return -1;
    }

    (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));

    /* the group may watch, others may not */

    mask = umask(0117);

    if (bind(fd, &a.sa, len) == -1 || listen(fd, AT_PROBE_BACKLOG) == -1) {
        (void) umask(mask);
        (void) snprintf(error, size, "cannot listen on %s: %s", text,
                        strerror(errno));
        (void) close(fd);
        return -1;
    }

    (void) umask(mask);

    if (a.sa.sa_family == AF_UNIX) {
        probe->path = strdup(a.un.sun_path);
    }

    return fd;
}


/* Removes a socket that nobody listens on any more. */

static void
at_probe_clear(const at_probe_address_t *a)
{
    int          fd;
    struct stat  st;

    if (a->sa.sa_family != AF_UNIX || lstat(a->un.sun_path, &st) == -1
        || !S_ISSOCK(st.st_mode))
    {
        return;
    }

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return;
    }

    if (connect(fd, &a->sa, sizeof(a->un)) == -1 && errno == ECONNREFUSED) {
        (void) unlink(a->un.sun_path);
    }

    (void) close(fd);
}


static enum MHD_Result
at_probe_answer(void *data, struct MHD_Connection *connection,
    const char *url, const char *method, const char *version,
    const char *body, size_t *body_len, void **state)
{
    int                        rc;
    unsigned                   status;
    at_buf_t                   b = { .max = 1024 * 1024 };
    const char                *type;
    at_probe_t                *probe = data;
    const at_probe_handler_t  *handler = probe->handler;

    (void) version;
    (void) body;
    (void) state;

    /* nothing that is asked here has a body */

    *body_len = 0;
    status = MHD_HTTP_OK;
    type = "application/json";

    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        status = MHD_HTTP_METHOD_NOT_ALLOWED;
        rc = at_buf_append_str(&b, AT_STR("{\"status\":\"GET only\"}\n"));

    } else if (strcmp(url, "/health/live") == 0) {
        rc = at_buf_append_str(&b, AT_STR("{\"status\":\"ok\"}\n"));

    } else if (strcmp(url, "/health/ready") == 0) {
        if (!handler->ready(&b)) {
            status = MHD_HTTP_SERVICE_UNAVAILABLE;
        }

        rc = AT_OK;

    } else if (strcmp(url, "/metrics") == 0) {
        type = "text/plain; version=0.0.4; charset=utf-8";
        rc = handler->metrics(&b);

    } else {
        status = MHD_HTTP_NOT_FOUND;
        rc = at_buf_append_str(&b, AT_STR("{\"status\":\"not found\"}\n"));
    }

    if (rc != AT_OK) {
        at_buf_free(&b);
        return MHD_NO;
    }

    return at_probe_send(connection, status, type, &b);
}


static enum MHD_Result
at_probe_send(struct MHD_Connection *connection, unsigned status,
    const char *type, at_buf_t *b)
{
    enum MHD_Result       rc;
    struct MHD_Response  *response;

    response = MHD_create_response_from_buffer(b->len, b->data,
                                               MHD_RESPMEM_MUST_COPY);
    at_buf_free(b);

    if (response == NULL) {
        return MHD_NO;
    }

    (void) MHD_add_response_header(response, "Content-Type", type);
    (void) MHD_add_response_header(response, "Cache-Control", "no-store");

    rc = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);

    return rc;
}
