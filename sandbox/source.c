/*
 * A call to an image source, whatever its wire format.
 *
 * The order is fixed: what the caller got wrong is refused, the mode is
 * decided, latency slept, the quota taken, faults done, and then the items
 * written.  The answer is the call's; a search lives here only.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "source.h"


typedef struct {
    const char      *path;
    const sb_api_t  *api;
} sb_source_route_t;


static const sb_source_route_t  sb_source_routes[] = {
    { "/v1/search", &sb_api_pexels },
    { "/v1/curated", &sb_api_pexels },
    { "/search/photos", &sb_api_unsplash },
    { "/api/", &sb_api_pixabay },
    { "/services/rest/", &sb_api_flickr },
    { "/w/api.php", &sb_api_wikimedia },
    { "/api/v1/search", &sb_api_rawpixel },
    { "/v1/images/", &sb_api_openverse },
    { NULL, NULL }
};


/* Where pictures lie: the host's name is a folder here. */

static const sb_source_route_t  sb_photo_routes[] = {
    { "/images.pexels.com/", &sb_api_pexels },
    { "/images.unsplash.com/", &sb_api_unsplash },
    { "/pixabay.com/", &sb_api_pixabay },
    { "/live.staticflickr.com/", &sb_api_flickr },
    { "/upload.wikimedia.org/", &sb_api_wikimedia },
    { "/images.rawpixel.com/", &sb_api_rawpixel },
    { "/images.openverse.org/", &sb_api_openverse },
    { NULL, NULL }
};


/* SB_ERROR: the path is of no image source. */

int
sb_route_source(sb_call_t *c)
{
    size_t                    len;
    const sb_source_route_t  *r;

    for (r = sb_source_routes; r->path; r++) {
        if (strcmp(c->rest, r->path) == 0) {
            c->route = SB_ROUTE_SEARCH;
            c->api = r->api;
            return SB_OK;
        }
    }

    for (r = sb_photo_routes; r->path; r++) {
        if (strncmp(c->rest, r->path, strlen(r->path)) == 0) {
            c->route = SB_ROUTE_PHOTO;
            c->api = r->api;
            return SB_OK;
        }
    }

    len = strlen(c->rest);

    if (strncmp(c->rest, "/photos/", 8) == 0 && len > 9
        && strcmp(c->rest + len - 9, "/download") == 0)
    {
        c->route = SB_ROUTE_DOWNLOAD;
        c->api = &sb_api_unsplash;
        return SB_OK;
    }

    if (strncmp(c->rest, "/v1/images/", 11) == 0 && len > 7
        && strcmp(c->rest + len - 7, "/thumb/") == 0)
    {
        c->route = SB_ROUTE_PHOTO;
        c->api = &sb_api_openverse;
        return SB_OK;
    }

    return SB_ERROR;
}


const char *
sb_arg(sb_call_t *c, const char *name)
{
    return MHD_lookup_connection_value(c->connection, MHD_GET_ARGUMENT_KIND,
                                       name);
}


/* SB_ERROR: it is there and no number. */

int
sb_arg_number(sb_call_t *c, const char *name, unsigned long usual,
    unsigned long *v)
{
    size_t       len;
    const char  *text;

    *v = usual;
    text = sb_arg(c, name);

    if (text == NULL) {
        return SB_OK;
    }

    len = strlen(text);

    if (len == 0 || len > 9 || strspn(text, "0123456789") != len) {
        return SB_ERROR;
    }

    *v = strtoul(text, NULL, 10);

    return SB_OK;
}


/* 1 if name is one of a list such as "a,b,c". */

int
sb_arg_listed(const char *list, const char *name)
{
    size_t  len;

    len = strlen(name);

    while (list) {
        if (strncmp(list, name, len) == 0
            && (list[len] == ',' || list[len] == '\0'))
        {
            return 1;
        }

        list = strchr(list, ',');
        list = list ? list + 1 : NULL;
    }

    return 0;
}


int
sb_key_ok(const char *key)
{
    return key && strncmp(key, "sk-sandbox-", 11) == 0;
}


/* -1: no colour; several names may mean one. */

int
sb_tint_find(const char *name)
{
    int  i;

    static const struct {
        const char  *name;
        sb_tint_e    tint;
    }  others[] = {
        { "turquoise", SB_TINT_TEAL }, { "violet", SB_TINT_PURPLE },
        { "lilac", SB_TINT_PURPLE }, { "magenta", SB_TINT_PINK },
        { "grey", SB_TINT_GRAY }, { "grayscale", SB_TINT_GRAY },
        { "black_and_white", SB_TINT_GRAY }, { NULL, SB_TINTS }
    };

    for (i = 0; i < SB_TINTS; i++) {
        if (strcasecmp(name, sb_tint_name((sb_tint_e) i)) == 0) {
            return i;
        }
    }

    for (i = 0; others[i].name; i++) {
        if (strcasecmp(name, others[i].name) == 0) {
            return (int) others[i].tint;
        }
    }

    return -1;
}


/* A member whose value is put together. */

void
sb_gen_format(yajl_gen g, const char *name, const char *fmt, ...)
{
    char     text[2048];
    va_list  args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    sb_gen_member(g, name, text);
}


/* Percent-encoding of all but letters, digits and what is said to be safe. */

void
sb_percent(char *dst, size_t size, const char *src, const char *safe)
{
    size_t         n;
    unsigned char  ch;

    for (n = 0; *src && n + 4 < size; src++) {
        ch = (unsigned char) *src;

        if ((ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z')
            || (ch >= 'a' && ch <= 'z') || strchr(safe, ch))
        {
            dst[n++] = (char) ch;

        } else {
            n += (size_t) snprintf(dst + n, size - n, "%%%02X", ch);
        }
    }

    dst[n] = '\0';
}


static int
sb_get_only(sb_call_t *c)
{
    if (strcmp(c->method, "GET") == 0) {
        return SB_OK;
    }

    sb_refuse(c, 405, "method_not_allowed", NULL, "Method \"%.16s\" not "
              "allowed.", c->method);
    sb_answer_header(c, "Allow", "GET");

    return SB_ERROR;
}


/* SB_ERROR: too many calls, of the hour or at once; the answer says so. */

int
sb_source_meter(sb_call_t *c)
{
    double              seconds;
    const sb_source_t  *source;

    source = c->api->source;
    seconds = -1;

    if (source->crowd && !sb_busy_fits(c, source->crowd)) {
        seconds = 0;

    } else if (c->route != SB_ROUTE_PHOTO && sb_quota_take(c) != SB_OK) {
        seconds = sb_quota_wait(c);
    }

    if (seconds < 0) {
        return SB_OK;
    }

    c->limited = 1;
    sb_count(c, SB_COUNT_LIMITED, 1);
    source->throttle(c, seconds);

    return SB_ERROR;
}


/* SB_ERROR: the answer is complete, or the client gone. */

static int
sb_source_prelude(sb_call_t *c, sb_job_t *job)
{
    sb_decide(c);

    if (sb_source_meter(c) != SB_OK || sb_latency_sleep(c) != SB_OK) {
        return SB_ERROR;
    }

    return sb_fault_no_picture(c, job) ? SB_ERROR : SB_OK;
}


void
sb_serve_search(sb_call_t *c)
{
    sb_job_t      job;
    sb_search_t  *s;

    memset(&job, 0, sizeof(sb_job_t));
    job.reply = SB_REPLY_DATA_URL;

    sb_remember(c, &job);

    s = calloc(1, sizeof(sb_search_t));
    if (s == NULL) {
        c->answer.deliver = SB_DELIVER_CLOSE;
        return;
    }

    if (sb_get_only(c) == SB_OK && c->api->source->ask(c, s) == SB_OK
        && sb_source_prelude(c, &job) == SB_OK)
    {
        s->most = s->listing.total;

        if (c->settings.items >= 0) {
            s->most = (unsigned) c->settings.items;
            s->listing.total = SB_ITEMS_MAX;
        }

        sb_search_run(s);
        c->api->source->tell(c, s);
        sb_fault_after(c, &job);
    }

    free(s);
}


/* Says that a photo was downloaded; the answer is where it is. */

void
sb_serve_download(sb_call_t *c)
{
    char         id[12];
    size_t       len;
    sb_job_t     job;
    const char  *key;

    memset(&job, 0, sizeof(sb_job_t));
    job.reply = SB_REPLY_DATA_URL;

    sb_remember(c, &job);

    if (sb_get_only(c) != SB_OK) {
        return;
    }

    key = sb_call_header(c, "Authorization");
    key = key && strncmp(key, "Client-ID ", 10) == 0 ? key + 10
                                                     : sb_arg(c, "client_id");
    if (!sb_key_ok(key)) {
        sb_refuse(c, 401, NULL, NULL, "OAuth error: The access token is "
                  "invalid");
        return;
    }

    len = strlen(c->rest) - 8 - 9;

    if (len != sizeof(id) - 1) {
        sb_refuse(c, 404, NULL, NULL, "Couldn't find Photo");
        return;
    }

    memcpy(id, c->rest + 8, len);
    id[len] = '\0';

    if (sb_source_prelude(c, &job) != SB_OK) {
        return;
    }

    sb_unsplash_downloaded(c, id);
    sb_fault_after(c, &job);
}
