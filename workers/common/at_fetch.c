/*
 * HTTP requests (see at_fetch.h).
 *
 * libcurl asks for leave in two places: when it makes a socket, with the
 * address that the name was resolved to, and before it sends a request, since
 * a connection that is used again makes no socket.  What it hears of an answer
 * is in at_fetch_answer.c.
 */

#include "at_fetch_own.h"
#include "at_time.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>


static const char *const  at_fetch_names[] = {
    "ok", "status", "refused", "large", "timeout", "failed", "stopped"
};


static void at_fetch_perform(at_fetch_t *f);
static void at_fetch_unsent(at_fetch_t *f, at_fetch_call_t *call);
static int at_fetch_url(at_fetch_call_t *call);
static int at_fetch_options(at_fetch_t *f, at_fetch_call_t *call);
static int at_fetch_lines(at_fetch_call_t *call);
static int at_fetch_guard(at_fetch_call_t *call, CURL *easy);
static int at_fetch_proxy(at_fetch_call_t *call, CURL *easy);
static void at_fetch_end(at_fetch_t *f, at_fetch_call_t *call, CURLcode rc);
static void at_fetch_release(at_fetch_t *f, at_fetch_call_t *call);
static curl_socket_t at_fetch_open(void *data, curlsocktype purpose,
    struct curl_sockaddr *address);
static void at_fetch_address(at_fetch_head_t *head,
    const struct sockaddr *sa);
static int at_fetch_before(void *data, char *ip, char *local, int port,
    int local_port);
static int at_fetch_wrote(CURL *easy, curl_infotype type, char *p, size_t n,
    void *data);


int
at_fetch_init(void)
{
    return (curl_global_init(CURL_GLOBAL_ALL) == CURLE_OK) ? AT_OK : AT_ERROR;
}


at_fetch_t *
at_fetch_create(const at_fetch_settings_t *settings)
{
    size_t              i;
    at_fetch_t         *f;
    struct curl_slist  *list;

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

    for (i = 0; i < settings->nresolve; i++) {
        list = curl_slist_append(f->resolve, settings->resolve[i]);

        if (list == NULL) {
            at_fetch_free(f);
            return NULL;
        }

        f->resolve = list;
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
        curl_slist_free_all(f->resolve);
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
    size_t  i, next, active;

    next = 0;
    active = 0;

    while (next < n || active > 0) {

        while (next < n && active < f->settings->parallel) {
            if (stop && at_stop_raised(stop)) {
                break;
            }

            active += (at_fetch_begin(f, &calls[next++]) == AT_OK);
        }

        if (stop && at_stop_raised(stop)) {
            break;
        }

        at_fetch_turn(f, active ? 1000 : 0, stop ? stop->fd : -1);

        while (at_fetch_next(f)) {
            active--;
        }
    }

    for (i = 0; i < n; i++) {
        if (calls[i].easy || i >= next) {
            at_fetch_cancel(f, &calls[i]);
        }
    }

    f->ended = NULL;
}


void
at_fetch_turn(at_fetch_t *f, int64_t ms, int fd)
{
    struct curl_waitfd  extra;

    at_fetch_perform(f);

    /* what has ended meanwhile is not waited for */

    if (ms > 0 && f->ended == NULL) {
        f->ended = at_fetch_next(f);
    }

    if (ms > 0 && f->ended == NULL) {
        extra = (struct curl_waitfd) { .fd = fd, .events = CURL_WAIT_POLLIN };

        (void) curl_multi_poll(f->multi, &extra, fd != -1 ? 1 : 0,
                               ms > 3600000 ? 3600000 : (int) ms, NULL);
        at_fetch_perform(f);
    }
}


/* A request is sent in the same step in which its connection is found. */

static void
at_fetch_perform(at_fetch_t *f)
{
    int               running;
    at_fetch_call_t  *call;

    (void) curl_multi_perform(f->multi, &running);

    while ((call = f->sent) != NULL) {
        f->sent = call->next;
        call->after(call);
    }
}


static void
at_fetch_unsent(at_fetch_t *f, at_fetch_call_t *call)
{
    at_fetch_call_t  **p;

    for (p = &f->sent; *p; p = &(*p)->next) {
        if (*p == call) {
            *p = call->next;
            return;
        }
    }
}


at_fetch_call_t *
at_fetch_next(at_fetch_t *f)
{
    int               left;
    char             *data;
    CURLMsg          *message;
    at_fetch_call_t  *call;

    if (f->ended) {
        call = f->ended;
        f->ended = NULL;
        return call;
    }

    while ((message = curl_multi_info_read(f->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }

        data = NULL;
        (void) curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                                 &data);

        call = (at_fetch_call_t *) (void *) data;
        at_fetch_end(f, call, message->data.result);

        return call;
    }

    return NULL;
}


void
at_fetch_cancel(at_fetch_t *f, at_fetch_call_t *call)
{
    if (f->ended == call) {
        f->ended = NULL;
    }

    at_fetch_release(f, call);
    call->outcome = AT_FETCH_STOPPED;
}


void
at_fetch_wake(at_fetch_t *f)
{
    (void) curl_multi_wakeup(f->multi);
}


int
at_fetch_begin(at_fetch_t *f, at_fetch_call_t *call)
{
    call->fetch = f;
    call->status = 0;
    call->retry_after = 0;
    call->why[0] = '\0';
    call->header_bytes = 0;
    call->header_lines = 0;
    call->refused = 0;
    call->large = 0;
    call->sated = 0;
    call->headers = NULL;
    call->connect_to = NULL;
    call->body = (at_buf_t) { .max = f->settings->bytes };

    if (call->head) {
        memset(call->head, 0, sizeof(at_fetch_head_t));
    }

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
    CURL                       *easy = call->easy;
    const at_fetch_settings_t  *s = f->settings;

    memcpy(url, call->url.data, call->url.len);
    url[call->url.len] = '\0';

    ok = at_fetch_set(CURLOPT_URL, url)
         && at_fetch_set(CURLOPT_PRIVATE, call)
         && at_fetch_set(CURLOPT_NOSIGNAL, 1L)
         && at_fetch_set(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED)
         && at_fetch_set(CURLOPT_USERAGENT, call->user_agent
                                              ? call->user_agent
                                              : s->user_agent)
         && at_fetch_set(CURLOPT_TIMEOUT_MS, (long) s->timeout)
         && at_fetch_set(CURLOPT_CONNECTTIMEOUT_MS, (long) s->connect)
         && at_fetch_set(CURLOPT_MAXFILESIZE_LARGE,
                         call->enough ? 0 : (curl_off_t) s->wire)
         && at_fetch_set(CURLOPT_HEADERFUNCTION, at_fetch_header)
         && at_fetch_set(CURLOPT_HEADERDATA, call)
         && at_fetch_set(CURLOPT_WRITEFUNCTION, at_fetch_body)
         && at_fetch_set(CURLOPT_WRITEDATA, call);

    /* no other function is told when a request is with the kernel */

    if (call->after) {
        ok = ok && at_fetch_set(CURLOPT_DEBUGFUNCTION, at_fetch_wrote)
             && at_fetch_set(CURLOPT_DEBUGDATA, call)
             && at_fetch_set(CURLOPT_VERBOSE, 1L);
    }

    if (s->compressed && !call->plain) {
        ok = ok && at_fetch_set(CURLOPT_ACCEPT_ENCODING, "gzip, br");
    }

    if (call->post) {
        ok = ok && at_fetch_set(CURLOPT_POST, 1L)
             && at_fetch_set(CURLOPT_POSTFIELDS, call->send.len
                                                    ? call->send.data : "")
             && at_fetch_set(CURLOPT_POSTFIELDSIZE_LARGE,
                             (curl_off_t) call->send.len);
    }

    if (f->resolve) {
        ok = ok && at_fetch_set(CURLOPT_RESOLVE, f->resolve);
    }

    ok = ok && at_fetch_lines(call) == AT_OK
         && at_fetch_set(CURLOPT_HTTPHEADER, call->headers)
         && at_fetch_proxy(call, easy) == AT_OK;

    if (call->socket) {
        return (ok && at_fetch_set(CURLOPT_PROTOCOLS_STR, "http")
                && at_fetch_set(CURLOPT_UNIX_SOCKET_PATH, call->socket))
               ? AT_OK : AT_ERROR;
    }

    return ok ? at_fetch_guard(call, easy) : AT_ERROR;
}


static int
at_fetch_lines(at_fetch_call_t *call)
{
    char                id[sizeof("X-Request-ID: ") + 128];
    size_t              i;
    struct curl_slist  *list;

    for (i = 0; i < call->nlines; i++) {
        list = curl_slist_append(call->headers, call->lines[i]);

        if (list == NULL) {
            return AT_ERROR;
        }

        call->headers = list;
    }

    if (at_fetch_request_id(call->request_id)) {
        (void) snprintf(id, sizeof(id), "X-Request-ID: %.*s",
                        (int) call->request_id.len, call->request_id.data);
        list = curl_slist_append(call->headers, id);

        if (list == NULL) {
            return AT_ERROR;
        }

        call->headers = list;
    }

    return AT_OK;
}


/* An empty one keeps those of the environment away. */

static int
at_fetch_proxy(at_fetch_call_t *call, CURL *easy)
{
    int   ok;
    char  to[AT_FETCH_ADDRESS_MAX + 3];

    if (call->proxy == NULL) {
        return (at_fetch_set(CURLOPT_PROXY, "")
                && at_fetch_set(CURLOPT_NOPROXY, "*"))
               ? AT_OK : AT_ERROR;
    }

    ok = at_fetch_set(CURLOPT_PROXY, call->proxy)
         && at_fetch_set(CURLOPT_NOPROXY, "")
         && at_fetch_set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);

    if (call->through) {
        (void) snprintf(to, sizeof(to), "::%s", call->through);
        call->connect_to = curl_slist_append(NULL, to);

        ok = ok && call->connect_to
             && at_fetch_set(CURLOPT_CONNECT_TO, call->connect_to)
             && at_fetch_set(CURLOPT_HTTPPROXYTUNNEL, 1L);
    }

    return ok ? AT_OK : AT_ERROR;
}


static int
at_fetch_guard(at_fetch_call_t *call, CURL *easy)
{
    long                        hops;
    const char                 *schemes;
    const at_fetch_settings_t  *s = call->fetch->settings;

    /* what began encrypted goes on so */

    schemes = (call->url.len > 6
               && strncasecmp(call->url.data, "https:", 6) == 0)
              ? "https" : "http,https";
    hops = call->stay ? 0 : (long) s->redirects;

    return (at_fetch_set(CURLOPT_PROTOCOLS_STR, "http,https")
            && at_fetch_set(CURLOPT_REDIR_PROTOCOLS_STR, schemes)
            && at_fetch_set(CURLOPT_FOLLOWLOCATION, hops ? 1L : 0L)
            && at_fetch_set(CURLOPT_MAXREDIRS, hops)
            && at_fetch_set(CURLOPT_FRESH_CONNECT, call->lookup ? 1L : 0L)
            && at_fetch_set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L)
            && at_fetch_set(CURLOPT_UNRESTRICTED_AUTH, 0L)
            && at_fetch_set(CURLOPT_OPENSOCKETFUNCTION, at_fetch_open)
            && at_fetch_set(CURLOPT_OPENSOCKETDATA, call)
            && at_fetch_set(CURLOPT_PREREQFUNCTION, at_fetch_before)
            && at_fetch_set(CURLOPT_PREREQDATA, call))
           ? AT_OK : AT_ERROR;
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

    if (call->head) {
        at_fetch_told(call, rc);
    }

    at_fetch_release(f, call);
    at_fetch_outcome(call, rc);
}


static void
at_fetch_release(at_fetch_t *f, at_fetch_call_t *call)
{
    at_fetch_unsent(f, call);

    if (call->easy) {
        (void) curl_multi_remove_handle(f->multi, call->easy);
        curl_easy_cleanup(call->easy);
        call->easy = NULL;
    }

    curl_slist_free_all(call->headers);
    call->headers = NULL;
    curl_slist_free_all(call->connect_to);
    call->connect_to = NULL;
}


static curl_socket_t
at_fetch_open(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    at_fetch_call_t *call = data;

    /* the operator's proxy may be anywhere */

    if (call->proxy && purpose == CURLSOCKTYPE_IPCXN) {
        return socket(address->family, address->socktype | SOCK_CLOEXEC,
                      address->protocol);
    }

    if (purpose != CURLSOCKTYPE_IPCXN
        || !at_address_allowed(&address->addr, call->fetch->settings->allow))
    {
        call->refused = 1;
        (void) snprintf(call->why, sizeof(call->why),
                        "the host has an address that is not public, or "
                        "another port than 80 and 443, which nothing "
                        "allows");
        return CURL_SOCKET_BAD;
    }

    if (call->lookup) {
        at_fetch_address(call->head, &address->addr);
        return CURL_SOCKET_BAD;
    }

    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}


/* The first of them, as libcurl takes it in CURLOPT_CONNECT_TO. */

static void
at_fetch_address(at_fetch_head_t *head, const struct sockaddr *sa)
{
    char                 ip[INET6_ADDRSTRLEN];
    struct sockaddr_in   sin;
    struct sockaddr_in6  sin6;

    if (head->address[0]) {
        return;
    }

    if (sa->sa_family == AF_INET) {
        memcpy(&sin, sa, sizeof(sin));

        if (inet_ntop(AF_INET, &sin.sin_addr, ip, sizeof(ip))) {
            (void) snprintf(head->address, sizeof(head->address), "%s:%u", ip,
                            ntohs(sin.sin_port));
        }

        return;
    }

    memcpy(&sin6, sa, sizeof(sin6));

    if (inet_ntop(AF_INET6, &sin6.sin6_addr, ip, sizeof(ip))) {
        (void) snprintf(head->address, sizeof(head->address), "[%s]:%u", ip,
                        ntohs(sin6.sin6_port));
    }
}


static int
at_fetch_before(void *data, char *ip, char *local, int port, int local_port)
{
    at_fetch_call_t *call = data;

    (void) local;
    (void) local_port;

    if (call->lookup) {
        return CURL_PREREQFUNC_ABORT;
    }

    /* libcurl may try again by another connection */

    at_fetch_unsent(call->fetch, call);

    if (call->proxy == NULL
        && (port < 0
            || !at_address_allowed_text(ip, (unsigned) port,
                                        call->fetch->settings->allow)))
    {
        call->refused = 1;
        (void) snprintf(call->why, sizeof(call->why),
                        "the connection leads to an address that is not "
                        "public");
        return CURL_PREREQFUNC_ABORT;
    }

    if (call->before && call->before(call) != AT_OK) {
        return CURL_PREREQFUNC_ABORT;
    }

    call->wrote = 0;

    if (call->after) {
        call->next = call->fetch->sent;
        call->fetch->sent = call;
    }

    return CURL_PREREQFUNC_OK;
}


/* The headers, with all that is written of them so far. */

static int
at_fetch_wrote(CURL *easy, curl_infotype type, char *p, size_t n, void *data)
{
    at_fetch_call_t *call = data;

    (void) easy;
    (void) p;
    (void) n;

    if (type == CURLINFO_HEADER_OUT) {
        call->wrote = at_time_micro();
    }

    return 0;
}
