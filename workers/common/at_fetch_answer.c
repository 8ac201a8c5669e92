/*
 * What comes back of a call (see at_fetch.h): headers and body within their
 * bounds, and what to make of the way it ended.
 */

#include "at_fetch_own.h"

#include <stdio.h>
#include <string.h>


#define AT_FETCH_HEADER_BYTES  (64 * 1024)
#define AT_FETCH_HEADER_LINES  100
#define AT_FETCH_BOMB          (1024 * 1024)    /* ratio counts past this */


static at_fetch_failure_e at_fetch_failure(const at_fetch_call_t *call,
    CURLcode rc, long connect_code);
static void at_fetch_keep(at_str_t line, const char *name, char *out,
    size_t size);


void
at_fetch_outcome(at_fetch_call_t *call, CURLcode rc)
{
    if (call->sated) {
        rc = CURLE_OK;
    }

    if (call->lookup && call->head && call->head->address[0]) {
        call->outcome = AT_FETCH_OK;
        call->why[0] = '\0';
        return;
    }

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


void
at_fetch_told(at_fetch_call_t *call, CURLcode rc)
{
    long              code;
    char             *url;
    curl_off_t        n;
    at_fetch_head_t  *head = call->head;

    n = 0;
    (void) curl_easy_getinfo(call->easy, CURLINFO_SIZE_DOWNLOAD_T, &n);
    head->wire = n;
    (void) curl_easy_getinfo(call->easy, CURLINFO_CONNECT_TIME_T, &n);
    head->connected = n;
    (void) curl_easy_getinfo(call->easy, CURLINFO_STARTTRANSFER_TIME_T, &n);
    head->first = n;
    (void) curl_easy_getinfo(call->easy, CURLINFO_TOTAL_TIME_T, &n);
    head->total = n;

    url = NULL;
    (void) curl_easy_getinfo(call->easy, CURLINFO_REDIRECT_URL, &url);

    if (url && strlen(url) <= AT_FETCH_URL_MAX) {
        (void) snprintf(head->location, sizeof(head->location), "%s", url);
    }

    code = 0;
    (void) curl_easy_getinfo(call->easy, CURLINFO_HTTP_CONNECTCODE, &code);

    head->failure = at_fetch_failure(call, rc, code);
}


static at_fetch_failure_e
at_fetch_failure(const at_fetch_call_t *call, CURLcode rc, long connect_code)
{
    switch (rc) {

    case CURLE_OK:
        return AT_FETCH_BY_NOTHING;

    case CURLE_COULDNT_RESOLVE_HOST:
        return AT_FETCH_BY_NAME;

    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
        return AT_FETCH_BY_PROXY;

    case CURLE_COULDNT_CONNECT:
        return call->proxy ? AT_FETCH_BY_PROXY : AT_FETCH_BY_CONNECT;

    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
        return AT_FETCH_BY_CUT;

    default:
        break;
    }

    /* these three say that it is the host which is not to be had */

    if (call->proxy && connect_code >= 300) {
        return (connect_code >= 502 && connect_code <= 504)
               ? AT_FETCH_BY_CONNECT : AT_FETCH_BY_PROXY;
    }

    if (call->head->connected == 0 && rc == CURLE_OPERATION_TIMEDOUT) {
        return call->proxy ? AT_FETCH_BY_PROXY : AT_FETCH_BY_CONNECT;
    }

    return (rc == CURLE_RECV_ERROR || rc == CURLE_SEND_ERROR)
           ? AT_FETCH_BY_CUT : AT_FETCH_BY_OTHER;
}


size_t
at_fetch_header(char *p, size_t size, size_t n, void *data)
{
    at_str_t          line;
    at_fetch_call_t  *call = data;

    n *= size;
    line = (at_str_t) { n, p };

    /* each hop has headers of its own */

    if (n > 5 && memcmp(p, "HTTP/", 5) == 0) {
        call->header_bytes = 0;
        call->header_lines = 0;

        if (call->head) {
            call->head->etag[0] = '\0';
            call->head->modified[0] = '\0';
            call->head->type[0] = '\0';
        }
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

    if (call->head) {
        at_fetch_keep(line, "etag:", call->head->etag,
                      sizeof(call->head->etag));
        at_fetch_keep(line, "last-modified:", call->head->modified,
                      sizeof(call->head->modified));
        at_fetch_keep(line, "content-type:", call->head->type,
                      sizeof(call->head->type));
    }

    return n;
}


/* A value that is too long, or that could not be sent back, is none. */

static void
at_fetch_keep(at_str_t line, const char *name, char *out, size_t size)
{
    size_t  i, len;

    len = strlen(name);

    if (line.len < len || strncasecmp(line.data, name, len) != 0) {
        return;
    }

    line.data += len;
    line.len -= len;

    while (line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t')) {
        line.data++;
        line.len--;
    }

    while (line.len > 0 && (unsigned char) line.data[line.len - 1] <= ' ') {
        line.len--;
    }

    if (line.len >= size) {
        return;
    }

    for (i = 0; i < line.len; i++) {
        if ((unsigned char) line.data[i] < ' ' || line.data[i] == 0x7f) {
            return;
        }
    }

    memcpy(out, line.data, line.len);
    out[line.len] = '\0';
}


/* Bodies of redirects do not come here: libcurl reads over them. */

size_t
at_fetch_body(char *p, size_t size, size_t n, void *data)
{
    size_t                      total;
    curl_off_t                  wire;
    at_fetch_call_t            *call = data;
    const at_fetch_settings_t  *s = call->fetch->settings;

    n *= size;
    wire = 0;
    total = call->body.len + n;

    if (call->enough > 0 && total >= call->enough) {
        n = call->enough - call->body.len;
        call->sated = (at_buf_append(&call->body, p, n) == AT_OK);
        return 0;
    }

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
