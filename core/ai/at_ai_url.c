/*
 * Result URLs: providers that answer with a URL instead of a picture.
 *
 * Such a URL is whatever the provider's answer says, so it is only followed
 * to origins the operator listed, and no credential goes with it.  Reasons
 * name the host alone: the rest of the URL often carries a signature.
 * at_ai_call_result() copies the URL into lane->text, which the lane owns.
 */

#include <string.h>

#include "at_ai_internal.h"
#include "../at_args.h"


typedef struct {
    unsigned  tls;
    unsigned  port;
    at_str_t  host;             /* brackets included, for IPv6 */
    size_t    len;              /* of the URL up to its path */
} at_ai_origin_t;


static int
at_ai_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9');
}


/*
 * A host as browsers and resolvers agree on it.  Anything with two readings
 * (user part, percent, backslash, empty label) is refused.
 */

static int
at_ai_host_valid(at_str_t host)
{
    size_t  i;

    if (host.len == 0 || host.len > 253) {
        return 0;
    }

    if (host.data[0] == '[') {

        if (host.len < 4 || host.data[host.len - 1] != ']') {
            return 0;
        }

        for (i = 1; i < host.len - 1; i++) {
            if (strchr("0123456789abcdefABCDEF:.", host.data[i]) == NULL) {
                return 0;
            }
        }

        return 1;
    }

    for (i = 0; i < host.len; i++) {

        if (host.data[i] == '.') {
            if (i == 0 || i == host.len - 1 || host.data[i - 1] == '.') {
                return 0;
            }

            continue;
        }

        if (!at_ai_alnum(host.data[i]) && host.data[i] != '-'
            && host.data[i] != '_')
        {
            return 0;
        }
    }

    return 1;
}


static int
at_ai_port_parse(at_str_t text, unsigned *port)
{
    return (text.len <= 5) ? at_args_number(text, 65535, port) : AT_ERROR;
}


static int
at_ai_scheme(at_str_t *url, at_ai_origin_t *o)
{
    size_t  n;

    if (url->len > 8
        && at_str_ieq((at_str_t) { 8, url->data }, AT_STR("https://")))
    {
        o->tls = 1;
        o->port = 443;
        n = 8;

    } else if (url->len > 7
               && at_str_ieq((at_str_t) { 7, url->data }, AT_STR("http://")))
    {
        o->tls = 0;
        o->port = 80;
        n = 7;

    } else {
        return AT_ERROR;
    }

    url->data += n;
    url->len -= n;

    return AT_OK;
}


/* wildcard: the host may begin with "*.", and keeps the dot then. */

static int
at_ai_origin_parse(at_str_t url, int wildcard, at_ai_origin_t *o)
{
    size_t    i, end, colon, whole;
    at_str_t  name;

    whole = url.len;

    for (i = 0; i < url.len; i++) {
        if (url.data[i] <= 0x20 || url.data[i] >= 0x7f
            || url.data[i] == '\\')
        {
            return AT_ERROR;
        }
    }

    if (at_ai_scheme(&url, o) != AT_OK) {
        return AT_ERROR;
    }

    end = 0;

    while (end < url.len && strchr("/?#", url.data[end]) == NULL) {
        end++;
    }

    o->len = whole - url.len + end;
    colon = end;

    while (colon > 0 && url.data[colon - 1] >= '0'
           && url.data[colon - 1] <= '9')
    {
        colon--;
    }

    o->host = (at_str_t) { end, url.data };

    if (colon > 0 && url.data[colon - 1] == ':') {
        o->host.len = colon - 1;

        if (at_ai_port_parse((at_str_t) { end - colon, url.data + colon },
                             &o->port)
            != AT_OK)
        {
            return AT_ERROR;
        }
    }

    name = o->host;

    if (wildcard && name.len > 2 && name.data[0] == '*'
        && name.data[1] == '.' && name.data[2] != '[')
    {
        o->host.data++;
        o->host.len--;
        name.data += 2;
        name.len -= 2;
    }

    return at_ai_host_valid(name) ? AT_OK : AT_ERROR;
}


static int
at_ai_origin_match(const at_ai_origin_t *url, const at_ai_origin_t *rule)
{
    at_str_t  host;

    if (url->tls != rule->tls || url->port != rule->port) {
        return 0;
    }

    host = url->host;

    if (rule->host.data[0] == '.' && host.len > rule->host.len) {
        host.data += host.len - rule->host.len;
        host.len = rule->host.len;
    }

    return at_str_ieq(host, rule->host);
}


int
at_ai_origin_valid(at_str_t origin)
{
    at_ai_origin_t  o;

    return origin.len <= AT_AI_URL_MAX
           && at_ai_origin_parse(origin, 1, &o) == AT_OK
           && o.len == origin.len;
}


int
at_ai_url_allowed(at_str_t url, const at_str_t *hosts, size_t n)
{
    size_t          i;
    at_ai_origin_t  o, rule;

    if (url.len == 0 || url.len > AT_AI_URL_MAX
        || at_ai_origin_parse(url, 0, &o) != AT_OK)
    {
        return 0;
    }

    for (i = 0; i < n; i++) {
        if (at_ai_origin_parse(hosts[i], 1, &rule) == AT_OK
            && at_ai_origin_match(&o, &rule))
        {
            return 1;
        }
    }

    return 0;
}


/*
 * What a client sends of url: no fragment, and a path at least of "/".  A
 * server that got a bare origin would fill in a path of its own.
 */

static int
at_ai_url_copy(at_buf_t *out, at_str_t url, size_t origin)
{
    const char  *hash;

    hash = memchr(url.data, '#', url.len);
    if (hash) {
        url.len = (size_t) (hash - url.data);
    }

    if (at_buf_append(out, url.data, origin) != AT_OK) {
        return AT_ERROR;
    }

    if ((url.len == origin || url.data[origin] != '/')
        && at_buf_append(out, "/", 1) != AT_OK)
    {
        return AT_ERROR;
    }

    return at_buf_append(out, url.data + origin, url.len - origin);
}


at_ai_step_e
at_ai_call_result(at_ai_lane_t *lane, at_str_t url)
{
    at_ai_origin_t  o;

    if (at_ai_origin_parse(url, 0, &o) != AT_OK) {
        return at_ai_fail(lane, AT_AI_TRANSIENT,
                          "the result URL is not a plain http(s) URL");
    }

    if (!at_ai_url_allowed(url, lane->provider->result_hosts,
                           lane->provider->nresult_hosts))
    {
        return at_ai_fail(lane, AT_AI_TRANSIENT,
                          "result host \"%s://%.*s:%u\" is not allowed: add "
                          "it to this provider's result hosts",
                          o.tls ? "https" : "http", (int) o.host.len,
                          o.host.data, o.port);
    }

    at_buf_free(&lane->body);
    at_buf_free(&lane->text);

    if (at_ai_url_copy(&lane->text, url, o.len) != AT_OK) {
        return at_ai_fail(lane, AT_AI_TRANSIENT, "no memory for a URL");
    }

    memset(&lane->call, 0, sizeof(at_ai_call_t));
    lane->call.target = AT_AI_TO_RESULT;
    lane->call.method = AT_STR("GET");
    lane->call.url = at_buf_str(&lane->text);

    if (at_ai_call_header(lane, AT_STR("Accept"), AT_STR("image/*"))
        != AT_OK)
    {
        return at_ai_fail(lane, AT_AI_TRANSIENT, "too many headers");
    }

    return AT_AI_NEXT;
}


at_ai_step_e
at_ai_result_failed(at_ai_lane_t *lane)
{
    at_ai_origin_t  o;

    if (at_ai_origin_parse(lane->call.url, 0, &o) != AT_OK) {
        o.host = AT_STR("unknown");
    }

    /* No word on the key: such a URL may simply be too old. */

    return at_ai_fail(lane, AT_AI_TRANSIENT,
                      "status %u from the result host %.*s", lane->status,
                      (int) o.host.len, o.host.data);
}
