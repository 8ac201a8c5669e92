/*
 * URLs of strangers.
 *
 * They are never fetched here, but shown, stored and compared, so each is
 * http(s), bounded, and of ASCII that needs no escape in HTML or JSON.  The
 * host and the path are never changed; bytes that a URL cannot have are
 * encoded.  Copies lie in the answer.
 */

#include <stdio.h>
#include <string.h>

#include "at_feed_internal.h"


/* Arguments that say how a picture is scaled or who asked, not which it is. */

static const char *const  at_feed_url_noise[] = {
    "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term",
    "ixid", "ixlib", "auto", "cs", "fit", "crop", "w", "h", "q", "fm", "dpr",
    NULL
};


/* Length of "http://" or "https://", or 0. */

static size_t
at_feed_url_scheme(at_str_t url)
{
    if (url.len > 8
        && at_str_ieq((at_str_t) { 8, url.data }, AT_STR("https://")))
    {
        return 8;
    }

    if (url.len > 7
        && at_str_ieq((at_str_t) { 7, url.data }, AT_STR("http://")))
    {
        return 7;
    }

    return 0;
}


/* Host and port, from scheme on, up to the path. */

static at_str_t
at_feed_url_authority(at_str_t url)
{
    size_t    i, n;

    /* The parts of an empty one are empty, but not NULL. */

    if (url.len == 0) {
        return AT_STR("");
    }

    n = at_feed_url_scheme(url);

    for (i = n; i < url.len && strchr("/?#", url.data[i]) == NULL; i++) {
        /* void */
    }

    return (at_str_t) { i - n, url.data + n };
}


at_str_t
at_feed_url_host(at_str_t url)
{
    size_t    i;
    at_str_t  host;

    host = at_feed_url_authority(url);

    for (i = host.len; i > 0 && host.data[i - 1] >= '0'
                       && host.data[i - 1] <= '9'; i--)
    {
        /* void */
    }

    if (i > 0 && host.data[i - 1] == ':') {
        host.len = i - 1;
    }

    return host;
}


at_str_t
at_feed_url_path(at_str_t url)
{
    size_t    i;
    at_str_t  host;

    if (url.len == 0) {
        return AT_STR("");
    }

    host = at_feed_url_authority(url);

    url.len -= (size_t) (host.data + host.len - url.data);
    url.data = host.data + host.len;

    for (i = 0; i < url.len && url.data[i] != '?' && url.data[i] != '#';
         i++)
    {
        /* void */
    }

    url.len = i;

    return url;
}


at_str_t
at_feed_url_last(at_str_t path)
{
    size_t  i;

    for (i = path.len; i > 0 && path.data[i - 1] != '/'; i--) {
        /* void */
    }

    return (at_str_t) { path.len - i, path.data + i };
}


int
at_feed_host_is(at_str_t host, const char *domain)
{
    size_t  len;

    len = strlen(domain);

    if (host.len > len && host.data[host.len - len - 1] == '.') {
        host.data += host.len - len;
        host.len = len;
    }

    return at_str_ieq(host, (at_str_t) { len, domain });
}


/* A name or an IPv4 address with a dot inside, and maybe a port. */

static int
at_feed_url_authority_valid(at_str_t authority, at_str_t host)
{
    int     dots;
    char    c;
    size_t  i;

    if (host.len == 0 || host.len > 253 || authority.len > host.len + 6) {
        return 0;
    }

    dots = 0;

    for (i = 0; i < host.len; i++) {
        c = host.data[i];

        if (c == '.') {
            if (i == 0 || i == host.len - 1 || host.data[i - 1] == '.') {
                return 0;
            }

            dots = 1;
            continue;
        }

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '-' || c == '_'))
        {
            return 0;
        }
    }

    return dots;
}


/* 1: may stand in a URL and needs no escape anywhere. */

static int
at_feed_url_plain(char c)
{
    return c > ' ' && c < 0x7f && strchr("\"<>\\^`{|}'", c) == NULL;
}


at_str_t
at_feed_url(at_feed_answer_t *a, at_str_t s)
{
    char      out[AT_FEED_URL_MAX + 8], *p;
    size_t    i, authority;
    at_str_t  host;

    while (s.len && s.data[0] == ' ') {
        s.data++;
        s.len--;
    }

    while (s.len && s.data[s.len - 1] == ' ') {
        s.len--;
    }

    p = out;

    if (s.len > 2 && s.data[0] == '/' && s.data[1] == '/') {
        memcpy(p, "https:", 6);
        p += 6;
    }

    /* Encoding hides nothing: what it would change in a host is refused. */

    for (i = 0; i < s.len; i++) {

        if ((uint8_t) s.data[i] < ' ' || s.data[i] == 0x7f
            || s.data[i] == '\\' || p - out > AT_FEED_URL_MAX)
        {
            return AT_STR_NULL;
        }

        if (at_feed_url_plain(s.data[i])
            && (s.data[i] != '%' || at_args_escape(s, i)))
        {
            *p++ = s.data[i];
            continue;
        }

        (void) snprintf(p, 4, "%%%02X", (unsigned) (uint8_t) s.data[i]);
        p += 3;
    }

    s = (at_str_t) { (size_t) (p - out), out };

    if (s.len > AT_FEED_URL_MAX || at_feed_url_scheme(s) == 0) {
        return AT_STR_NULL;
    }

    host = at_feed_url_host(s);
    authority = at_feed_url_authority(s).len;

    if (!at_feed_url_authority_valid((at_str_t) { authority, host.data },
                                     host))
    {
        return AT_STR_NULL;
    }

    return at_feed_copy(a, s);
}


at_str_t
at_feed_url_arg(at_str_t url, const char *name)
{
    size_t       n, len;
    const char  *p, *end;

    if (url.len == 0) {
        return AT_STR_NULL;
    }

    p = memchr(url.data, '#', url.len);
    end = p ? p : url.data + url.len;
    p = memchr(url.data, '?', (size_t) (end - url.data));

    if (p == NULL) {
        return AT_STR_NULL;
    }

    n = strlen(name);

    /* p is at what separates, "?" or "&". */

    for ( /* void */ ; p < end; p += len) {
        p++;

        for (len = 0; p + len < end && p[len] != '&'; len++) {
            /* void */
        }

        if (len > n && p[n] == '=' && memcmp(p, name, n) == 0) {
            return (at_str_t) { len - n - 1, p + n + 1 };
        }
    }

    return AT_STR_NULL;
}


/* Appends the arguments of url that keep() likes. */

static void
at_feed_url_args(at_buf_t *b, at_str_t url, int (*keep)(at_str_t name))
{
    size_t       len;
    at_str_t     name;
    const char  *p, *end, *eq;

    p = memchr(url.data, '#', url.len);
    end = p ? p : url.data + url.len;
    p = memchr(url.data, '?', (size_t) (end - url.data));

    if (p == NULL) {
        return;
    }

    for ( /* void */ ; p < end; p += len) {
        p++;

        for (len = 0; p + len < end && p[len] != '&'; len++) {
            /* void */
        }

        if (len == 0) {
            continue;
        }

        eq = memchr(p, '=', len);
        name = (at_str_t) { eq ? (size_t) (eq - p) : len, p };

        if (keep(name)) {
            (void) at_buf_append(b, memchr(b->data, '?', b->len) ? "&" : "?",
                                 1);
            (void) at_buf_append(b, p, len);
        }
    }
}


static int
at_feed_url_telling(at_str_t name)
{
    const char *const  *noise;

    for (noise = at_feed_url_noise; *noise; noise++) {
        if (at_str_is(name, *noise)) {
            return 0;
        }
    }

    return 1;
}


static int
at_feed_url_not_utm(at_str_t name)
{
    return !at_str_is(name, "utm_source") && !at_str_is(name, "utm_medium");
}


/* The buffer's bytes become the answer's. */

static at_str_t
at_feed_url_take(at_feed_answer_t *a, at_buf_t *b)
{
    at_str_t  s;

    s = at_feed_copy(a, at_buf_str(b));
    at_buf_free(b);

    return s;
}


at_str_t
at_feed_url_canonical(at_feed_answer_t *a, at_str_t url)
{
    size_t    i;
    at_buf_t  b;
    at_str_t  host, path;

    b = (at_buf_t) { NULL, 0, 0, AT_FEED_URL_MAX };

    host = at_feed_url_host(url);
    path = at_feed_url_path(url);

    if (host.len > 4
        && at_str_ieq((at_str_t) { 4, host.data }, AT_STR("www.")))
    {
        host.data += 4;
        host.len -= 4;
    }

    if (at_buf_append_str(&b, host) != AT_OK
        || at_buf_append_str(&b, path) != AT_OK)
    {
        at_buf_free(&b);
        return AT_STR_NULL;
    }

    for (i = 0; i < host.len; i++) {
        if (b.data[i] >= 'A' && b.data[i] <= 'Z') {
            b.data[i] += 'a' - 'A';
        }
    }

    at_feed_url_args(&b, url, at_feed_url_telling);

    return at_feed_url_take(a, &b);
}


at_str_t
at_feed_url_utm(at_feed_answer_t *a, at_str_t url)
{
    size_t    i, n;
    at_buf_t  b;
    at_str_t  app, path;

    if (url.len == 0) {
        return url;
    }

    app = a->query->app;

    for (i = 0; i < app.len; i++) {
        if (!((app.data[i] >= 'a' && app.data[i] <= 'z')
              || (app.data[i] >= 'A' && app.data[i] <= 'Z')
              || (app.data[i] >= '0' && app.data[i] <= '9')
              || app.data[i] == '-' || app.data[i] == '_'))
        {
            app.len = 0;
        }
    }

    if (app.len == 0 || app.len > 64) {
        app = AT_STR("atelier");
    }

    b = (at_buf_t) { NULL, 0, 0, AT_FEED_URL_MAX };

    path = at_feed_url_path(url);
    n = (size_t) (path.data + path.len - url.data);

    if (at_buf_append(&b, url.data, n) == AT_OK) {
        at_feed_url_args(&b, url, at_feed_url_not_utm);
    }

    if (b.len < n
        || at_buf_printf(&b, "%sutm_source=%.*s&utm_medium=referral",
                         memchr(b.data, '?', b.len) ? "&" : "?",
                         (int) app.len, app.data) != AT_OK)
    {
        at_buf_free(&b);
        return AT_STR_NULL;
    }

    return at_feed_url_take(a, &b);
}
