/*
 * HTTP requests (see at_fetch.h).
 *
 * libcurl asks for leave in two places: when it makes a socket, with the
 * address that the name was resolved to, and before it sends a request, since
 * a connection that is used again makes no socket.
 */

#include "at_fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>


#define AT_FETCH_HEADER_BYTES  (64 * 1024)
#define AT_FETCH_HEADER_LINES  100
#define AT_FETCH_BOMB          (1024 * 1024)    /* ratio counts past this */


struct at_fetch_s {
    const at_fetch_settings_t  *settings;
    CURLM                      *multi;
};


static const char *const  at_fetch_names[] = {
    "ok", "status", "refused", "large", "timeout", "failed", "stopped"
};


static int at_fetch_start(at_fetch_t *f, at_fetch_call_t *call);
static int at_fetch_url(at_fetch_call_t *call);
static int at_fetch_options(at_fetch_t *f, at_fetch_call_t *call);
static int at_fetch_guard(at_fetch_call_t *call, CURL *easy);
static size_t at_fetch_reap(at_fetch_t *f);
static void at_fetch_end(at_fetch_t *f, at_fetch_call_t *call, CURLcode rc);
static void at_fetch_release(at_fetch_t *f, at_fetch_call_t *call);
static curl_socket_t at_fetch_open(void *data, curlsocktype purpose,
    struct curl_sockaddr *address);
static int at_fetch_before(void *data, char *ip, char *local, int port,
    int local_port);
static size_t at_fetch_header(char *p, size_t size, size_t n, void *data);
static size_t at_fetch_body(char *p, size_t size, size_t n, void *data);


int
at_fetch_init(void)
{
    return (curl_global_init(CURL_GLOBAL_ALL) == CURLE_OK) ? AT_OK : AT_ERROR;
}


at_fetch_t *
at_fetch_create(const at_fetch_settings_t *settings)
{
    at_fetch_t  *f;

    f = calloc(1, sizeof(at_fetch_t));
    if (f == NULL) {
        return NULL;
    }

    f->settings = settings;
    f->multi = curl_multi_init();

    if (f->multi == NULL) {
        free(f);
        return NULL;
    }

    /* politeness counts connections, so a connection carries one request */

    (void) curl_multi_setopt(f->multi, CURLMOPT_PIPELINING,
                             CURLPIPE_NOTHING);
    (void) curl_multi_setopt(f->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                             (long) settings->per_host);
    (void) curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS,
                             (long) settings->parallel * 2);

    return f;
}


void
at_fetch_free(at_fetch_t *f)
{
    if (f) {
        (void) curl_multi_cleanup(f->multi);
        free(f);
    }
}


const char *
at_fetch_outcome_name(at_fetch_outcome_e outcome)
{
    return at_fetch_names[outcome];
}


int
at_fetch_request_id(at_str_t id)
{
    size_t  i;

    for (i = 0; i < id.len; i++) {
        if (id.data[i] == '\0'
            || strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                      "0123456789._-", id.data[i]) == NULL)
        {
            return 0;
        }
    }

    return id.len > 0 && id.len <= 128;
}


void
at_fetch_clear(at_fetch_call_t *call)
{
    at_buf_free(&call->body);
}


void
at_fetch_run(at_fetch_t *f, at_fetch_call_t *calls, size_t n,
    at_stop_t *stop)
{
    int                  running;
    size_t               i, next, active;
    struct curl_waitfd   extra;

    next = 0;
    active = 0;

    while (next < n || active > 0) {

        while (next < n && active < f->settings->parallel) {
            if (stop && at_stop_raised(stop)) {
                break;
            }

            active += (at_fetch_start(f, &calls[next++]) == AT_OK);
        }

        if (stop && at_stop_raised(stop)) {
            break;
        }

        extra = (struct curl_waitfd) { .fd = stop ? stop->fd : -1,
                                       .events = CURL_WAIT_POLLIN };

        (void) curl_multi_perform(f->multi, &running);
        active -= at_fetch_reap(f);

        if (active > 0) {
            (void) curl_multi_poll(f->multi, &extra, stop ? 1 : 0, 1000,
                                   NULL);
        }
    }

    for (i = 0; i < n; i++) {
        if (calls[i].easy || i >= next) {
            at_fetch_release(f, &calls[i]);
            calls[i].outcome = AT_FETCH_STOPPED;
        }
    }
}


/* AT_ERROR: it has its outcome already. */

static int
at_fetch_start(at_fetch_t *f, at_fetch_call_t *call)
{
    call->fetch = f;
    call->status = 0;
    call->retry_after = 0;
    call->why[0] = '\0';
    call->header_bytes = 0;
    call->header_lines = 0;
    call->refused = 0;
    call->large = 0;
    call->headers = NULL;
    call->body = (at_buf_t) { .max = f->settings->bytes };

    if (at_fetch_url(call) != AT_OK) {
        call->outcome = AT_FETCH_REFUSED;
        return AT_ERROR;
    }

    call->easy = curl_easy_init();

    if (call->easy == NULL || at_fetch_options(f, call) != AT_OK
        || curl_multi_add_handle(f->multi, call->easy) != CURLM_OK)
    {
        at_fetch_release(f, call);
        call->outcome = AT_FETCH_FAILED;
        (void) snprintf(call->why, sizeof(call->why),
                        "libcurl does not take the call");
        return AT_ERROR;
    }

    return AT_OK;
}


/* What needs no parser; libcurl's is the only one that reads a URL. */

static int
at_fetch_url(at_fetch_call_t *call)
{
    size_t  i;

    if (call->url.len == 0 || call->url.len > AT_FETCH_URL_MAX) {
        (void) snprintf(call->why, sizeof(call->why),
                        "the URL is empty or longer than %d bytes",
                        AT_FETCH_URL_MAX);
        return AT_ERROR;
    }

    for (i = 0; i < call->url.len; i++) {
        if ((unsigned char) call->url.data[i] <= ' '
            || call->url.data[i] == 0x7f)
        {
            (void) snprintf(call->why, sizeof(call->why),
                            "the URL holds a blank or a control byte");
            return AT_ERROR;
        }
    }

    return AT_OK;
}


#define at_fetch_set(option, value)                                           \
    (curl_easy_setopt(easy, option, value) == CURLE_OK)


static int
at_fetch_options(at_fetch_t *f, at_fetch_call_t *call)
{
    int                         ok;
    char                        url[AT_FETCH_URL_MAX + 1];
    char                        id[sizeof("X-Request-ID: ") + 128];
    CURL                       *easy = call->easy;
    const at_fetch_settings_t  *s = f->settings;

    memcpy(url, call->url.data, call->url.len);
    url[call->url.len] = '\0';

    ok = at_fetch_set(CURLOPT_URL, url)
         && at_fetch_set(CURLOPT_PRIVATE, call)
         && at_fetch_set(CURLOPT_NOSIGNAL, 1L)
         && at_fetch_set(CURLOPT_PROXY, "")
         && at_fetch_set(CURLOPT_NOPROXY, "*")
         && at_fetch_set(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED)
         && at_fetch_set(CURLOPT_USERAGENT, s->user_agent)
         && at_fetch_set(CURLOPT_TIMEOUT_MS, (long) s->timeout)
         && at_fetch_set(CURLOPT_CONNECTTIMEOUT_MS, (long) s->connect)
         && at_fetch_set(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) s->wire)
         && at_fetch_set(CURLOPT_HEADERFUNCTION, at_fetch_header)
         && at_fetch_set(CURLOPT_HEADERDATA, call)
         && at_fetch_set(CURLOPT_WRITEFUNCTION, at_fetch_body)
         && at_fetch_set(CURLOPT_WRITEDATA, call);

    if (s->compressed) {
        ok = ok && at_fetch_set(CURLOPT_ACCEPT_ENCODING, "gzip, br");
    }

    if (call->post) {
        ok = ok && at_fetch_set(CURLOPT_POST, 1L)
             && at_fetch_set(CURLOPT_POSTFIELDSIZE, 0L);
    }

    if (at_fetch_request_id(call->request_id)) {
        (void) snprintf(id, sizeof(id), "X-Request-ID: %.*s",
                        (int) call->request_id.len, call->request_id.data);
        call->headers = curl_slist_append(NULL, id);
        ok = ok && call->headers
             && at_fetch_set(CURLOPT_HTTPHEADER, call->headers);
    }

    if (call->socket) {
        return (ok && at_fetch_set(CURLOPT_PROTOCOLS_STR, "http")
                && at_fetch_set(CURLOPT_UNIX_SOCKET_PATH, call->socket))
               ? AT_OK : AT_ERROR;
    }

    return ok ? at_fetch_guard(call, easy) : AT_ERROR;
}


static int
at_fetch_guard(at_fetch_call_t *call, CURL *easy)
{
    const char                 *hops;
    const at_fetch_settings_t  *s = call->fetch->settings;

    /* what began encrypted goes on so */

    hops = (call->url.len > 6 && strncasecmp(call->url.data, "https:", 6) == 0)
           ? "https" : "http,https";

    return (at_fetch_set(CURLOPT_PROTOCOLS_STR, "http,https")
            && at_fetch_set(CURLOPT_REDIR_PROTOCOLS_STR, hops)
            && at_fetch_set(CURLOPT_FOLLOWLOCATION, s->redirects ? 1L : 0L)
            && at_fetch_set(CURLOPT_MAXREDIRS, (long) s->redirects)
            && at_fetch_set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L)
            && at_fetch_set(CURLOPT_UNRESTRICTED_AUTH, 0L)
            && at_fetch_set(CURLOPT_OPENSOCKETFUNCTION, at_fetch_open)
            && at_fetch_set(CURLOPT_OPENSOCKETDATA, call)
            && at_fetch_set(CURLOPT_PREREQFUNCTION, at_fetch_before)
            && at_fetch_set(CURLOPT_PREREQDATA, call))
           ? AT_OK : AT_ERROR;
}


/* Returns how many have ended. */

static size_t
at_fetch_reap(at_fetch_t *f)
{
    int                left;
    char              *call;
    size_t             n;
    CURLMsg           *message;

    n = 0;

    while ((message = curl_multi_info_read(f->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }

        call = NULL;
        (void) curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                                 &call);

        at_fetch_end(f, (at_fetch_call_t *) (void *) call,
                     message->data.result);
        n++;
    }

    return n;
}


static void
at_fetch_end(at_fetch_t *f, at_fetch_call_t *call, CURLcode rc)
{
    curl_off_t  seconds;

    seconds = 0;

    (void) curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE,
                             &call->status);
    (void) curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &seconds);

    call->retry_after = (seconds > 86400 ? 86400 : seconds) * 1000;

    at_fetch_release(f, call);

    switch (rc) {

    case CURLE_OK:
        call->outcome = (call->status >= 200 && call->status < 300)
                        ? AT_FETCH_OK : AT_FETCH_STATUS;
        (void) snprintf(call->why, sizeof(call->why), "status %ld",
                        call->status);
        return;

    case CURLE_OPERATION_TIMEDOUT:
        call->outcome = AT_FETCH_TIMEOUT;
        break;

    case CURLE_FILESIZE_EXCEEDED:
        call->outcome = AT_FETCH_LARGE;
        break;

    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_LOGIN_DENIED:
    case CURLE_TOO_MANY_REDIRECTS:
        call->outcome = AT_FETCH_REFUSED;
        break;

    default:
        call->outcome = call->large ? AT_FETCH_LARGE
                        : call->refused ? AT_FETCH_REFUSED
                                        : AT_FETCH_FAILED;
        break;
    }

    if (call->why[0] == '\0') {
        (void) snprintf(call->why, sizeof(call->why), "%s",
                        curl_easy_strerror(rc));
    }
}


static void
at_fetch_release(at_fetch_t *f, at_fetch_call_t *call)
{
    if (call->easy) {
        (void) curl_multi_remove_handle(f->multi, call->easy);
        curl_easy_cleanup(call->easy);
        call->easy = NULL;
    }

    curl_slist_free_all(call->headers);
    call->headers = NULL;
}


static curl_socket_t
at_fetch_open(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    at_fetch_call_t *call = data;

    if (purpose != CURLSOCKTYPE_IPCXN
        || !at_address_allowed(&address->addr, call->fetch->settings->allow))
    {
        call->refused = 1;
        (void) snprintf(call->why, sizeof(call->why),
                        "the host has an address that is not public, or "
                        "another port than 80 and 443");
        return CURL_SOCKET_BAD;
    }

    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}


static int
at_fetch_before(void *data, char *ip, char *local, int port, int local_port)
{
    at_fetch_call_t *call = data;

    (void) local;
    (void) local_port;

    if (port < 0 || !at_address_allowed_text(ip, (unsigned) port,
                                             call->fetch->settings->allow))
    {
        call->refused = 1;
        (void) snprintf(call->why, sizeof(call->why),
                        "the connection leads to an address that is not "
                        "public");
        return CURL_PREREQFUNC_ABORT;
    }

    return CURL_PREREQFUNC_OK;
}


static size_t
at_fetch_header(char *p, size_t size, size_t n, void *data)
{
    at_fetch_call_t *call = data;

    n *= size;

    /* each hop has headers of its own */

    if (n > 5 && memcmp(p, "HTTP/", 5) == 0) {
        call->header_bytes = 0;
        call->header_lines = 0;
    }

    call->header_bytes += n;
    call->header_lines++;

    if (call->header_bytes > AT_FETCH_HEADER_BYTES
        || call->header_lines > AT_FETCH_HEADER_LINES)
    {
        call->large = 1;
        (void) snprintf(call->why, sizeof(call->why),
                        "more than %d lines or %d bytes of headers",
                        AT_FETCH_HEADER_LINES, AT_FETCH_HEADER_BYTES);
        return 0;
    }

    return n;
}


/* Bodies of redirects do not come here: libcurl reads over them. */

static size_t
at_fetch_body(char *p, size_t size, size_t n, void *data)
{
    size_t                      total;
    curl_off_t                  wire;
    at_fetch_call_t            *call = data;
    const at_fetch_settings_t  *s = call->fetch->settings;

    n *= size;
    wire = 0;
    total = call->body.len + n;

    (void) curl_easy_getinfo(call->easy, CURLINFO_SIZE_DOWNLOAD_T, &wire);

    if (total > s->bytes || wire > (curl_off_t) s->wire) {
        (void) snprintf(call->why, sizeof(call->why),
                        "more than %zu bytes, or %zu inflated", s->wire,
                        s->bytes);
        call->large = 1;

    } else if (s->compressed && wire > 0 && total > AT_FETCH_BOMB
               && total / (size_t) wire > s->ratio)
    {
        (void) snprintf(call->why, sizeof(call->why),
                        "inflates to more than %u times its size", s->ratio);
        call->large = 1;
    }

    if (call->large || at_buf_append(&call->body, p, n) != AT_OK) {
        return 0;
    }

    return n;
}
