/*
 * at_ai_url_allowed(): a URL that passes names one of the origins, as read by
 * a plain reading of its own here, and can stand in a request line.
 */

#include "fuzz.h"
#include "ai/at_ai.h"


typedef struct {
    const char  *scheme;
    const char  *host;          /* "*." in front: any subdomain */
    unsigned     port;
} fuzz_origin_t;


static const at_str_t  fuzz_hosts[] = {
    { 23, "https://cdn.example.com" },
    { 21, "http://127.0.0.1:8081" },
    { 21, "https://*.example.org" },
    { 27, "https://files.example.net:9" }
};

#define FUZZ_NHOSTS  (sizeof(fuzz_hosts) / sizeof(at_str_t))


static const fuzz_origin_t  fuzz_origins[] = {
    { "https://", "cdn.example.com", 443 },
    { "http://", "127.0.0.1", 8081 },
    { "https://", "*.example.org", 443 },
    { "https://", "files.example.net", 9 }
};


static int
fuzz_is_host(at_str_t host, const char *name)
{
    at_str_t  tail;

    if (name[0] != '*') {
        return at_str_ieq(host, (at_str_t) { strlen(name), name });
    }

    name++;
    tail.len = strlen(name);

    if (host.len <= tail.len) {
        return 0;
    }

    tail.data = host.data + host.len - tail.len;

    return at_str_ieq(tail, (at_str_t) { tail.len, name });
}


static int
fuzz_is_origin(at_str_t url, const fuzz_origin_t *o)
{
    size_t    i, n, scheme;
    unsigned  port;
    at_str_t  host;

    scheme = strlen(o->scheme);

    if (url.len < scheme
        || !at_str_ieq((at_str_t) { scheme, url.data },
                       (at_str_t) { scheme, o->scheme }))
    {
        return 0;
    }

    host.data = url.data + scheme;
    host.len = 0;

    while (scheme + host.len < url.len
           && strchr("/?#", host.data[host.len]) == NULL)
    {
        host.len++;
    }

    FUZZ_CHECK(memchr(host.data, '@', host.len) == NULL);

    for (i = 0; i < host.len && host.data[i] != ':'; i++) { /* void */ }

    port = (i == host.len && o->scheme[4] == 's') ? 443 : 0;

    for (n = i + 1; n < host.len; n++) {
        port = port * 10 + (unsigned) (host.data[n] - '0');
    }

    host.len = i;

    return port == o->port && fuzz_is_host(host, o->host);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t    i;
    at_str_t  url = { size, (const char *) data };

    FUZZ_CHECK(!at_ai_url_allowed(url, NULL, 0));

    if (!at_ai_url_allowed(url, fuzz_hosts, FUZZ_NHOSTS)) {
        return 0;
    }

    FUZZ_CHECK(size <= AT_AI_URL_MAX);

    for (i = 0; i < size; i++) {
        FUZZ_CHECK(data[i] > ' ' && data[i] != 0x7f);
    }

    for (i = 0; i < FUZZ_NHOSTS; i++) {
        if (fuzz_is_origin(url, &fuzz_origins[i])) {
            return 0;
        }
    }

    FUZZ_CHECK(!"the URL names one of the origins");

    return 0;
}
