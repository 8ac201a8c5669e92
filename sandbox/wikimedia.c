/*
 * Wikimedia Commons: GET /w/api.php with generator=search, no key, but a
 * User-Agent that says whom to write to.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"


#define SB_WIKIMEDIA_MOST   50
#define SB_WIKIMEDIA_DEPTH  10000       /* of a search */
#define SB_WIKIMEDIA_AT_ONCE  3


static const unsigned short  sb_wikimedia_widths[] = {
    20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840, 0
};

static const struct {
    const char  *name;
    const char  *url;
} sb_wikimedia_licenses[] = {
    { "CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0" },
    { "CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0" },
    { "CC BY 4.0", "https://creativecommons.org/licenses/by/4.0" },
    { "CC0", "http://creativecommons.org/publicdomain/zero/1.0/deed.en" },
    { "Public domain", NULL },
    { "CC BY-SA 3.0 de", "https://creativecommons.org/licenses/by-sa/3.0/de"
                         "/deed.en" },
    { "CC BY-SA 3.0", "https://creativecommons.org/licenses/by-sa/3.0" },
    { "No restrictions", "https://www.flickr.com/commons/usage/" }
};


static void
sb_wikimedia_error(sb_call_t *c, unsigned status, const sb_error_t *e)
{
    yajl_gen  g;

    if (status != 200) {
        sb_answer_text(c, status, "text/html; charset=utf-8",
                       "<!DOCTYPE html>\n<html><body><h1>Error</h1><p>%s</p>"
                       "</body></html>\n", e->message);
        return;
    }

    /* The API's own errors. */

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_text(g, "error");
    yajl_gen_map_open(g);
    sb_gen_member(g, "code", e->code);
    sb_gen_member(g, "info", e->message);
    yajl_gen_map_close(g);
    sb_gen_member(g, "servedby", "sandbox");
    yajl_gen_map_close(g);

    sb_answer_json(c, 200, g);
    sb_answer_header(c, "MediaWiki-API-Error", "%s", e->code);
}


static void
sb_wikimedia_failure(sb_call_t *c, unsigned status)
{
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));
    snprintf(e.message, sizeof(e.message), status == 429
             ? "Too many requests" : "Our servers are currently under "
             "maintenance or experiencing a technical issue");
    sb_wikimedia_error(c, status, &e);
}


static void
sb_wikimedia_throttle(sb_call_t *c, double seconds)
{
    sb_wikimedia_failure(c, 429);

    if (seconds > 0) {
        sb_answer_header(c, "Retry-After", "%.0f", seconds + 0.5);
    }
}


static int
sb_wikimedia_fail(sb_call_t *c, sb_job_t *job, const char *variant)
{
    sb_error_t  e;

    (void) job;
    memset(&e, 0, sizeof(sb_error_t));

    if (strcmp(variant, "maxlag") == 0) {
        e.code = "maxlag";
        snprintf(e.message, sizeof(e.message), "Waiting for a database "
                 "server: 6.2 seconds lagged.");
        sb_wikimedia_error(c, 200, &e);
        sb_answer_header(c, "Retry-After", "%.0f", c->settings.retry_after);
        return SB_OK;
    }

    if (strcmp(variant, "unavailable") == 0) {
        e.code = "internal_api_error_DBQueryError";
        snprintf(e.message, sizeof(e.message), "Caught exception of type "
                 "DBQueryError");
        sb_wikimedia_error(c, 200, &e);
        return SB_OK;
    }

    return SB_ERROR;
}


static int
sb_wikimedia_agent(sb_call_t *c, int contact)
{
    const char  *agent;

    agent = sb_call_header(c, "User-Agent");

    if (agent && (contact ? strchr(agent, '@') || strstr(agent, "://")
                          : *agent))
    {
        return SB_OK;
    }

    sb_refuse(c, 403, NULL, NULL, "Please set a user-agent and respect our "
              "robot policy https://w.wiki/4wJS. See also T400119.");

    return SB_ERROR;
}


/* Words without the search's own: filetype:bitmap and the like. */

static void
sb_wikimedia_words(char *dst, size_t size, const char *src)
{
    size_t  len, n;

    n = 0;

    while (*src) {
        src += strspn(src, " ");
        len = strcspn(src, " ");

        if (memchr(src, ':', len) == NULL && n + len + 2 < size) {
            memcpy(dst + n, src, len);
            n += len;
            dst[n++] = ' ';
        }

        src += len;
    }

    dst[n ? n - 1 : 0] = '\0';
}


static int
sb_wikimedia_expect(sb_call_t *c, const char *name, const char *value)
{
    const char  *v;

    v = sb_arg(c, name);

    if (v && strcmp(v, value) == 0) {
        return SB_OK;
    }

    sb_refuse(c, 200, "badvalue", NULL, "Unrecognized value for parameter "
              "\"%s\": the sandbox knows %s only.", name, value);

    return SB_ERROR;
}


/* The API rounds up to a width that there is. */

static unsigned
sb_wikimedia_width(unsigned long asked)
{
    size_t  i;

    if (asked == 0) {
        return 0;
    }

    for (i = 0; sb_wikimedia_widths[i + 1]; i++) {
        if (sb_wikimedia_widths[i] >= asked) {
            break;
        }
    }

    return sb_wikimedia_widths[i];
}


static int
sb_wikimedia_ask(sb_call_t *c, sb_search_t *s)
{
    char            words[SB_TEXT_MAX];
    const char     *v;
    unsigned long   width;

    if (sb_wikimedia_agent(c, 1) != SB_OK
        || sb_wikimedia_expect(c, "action", "query") != SB_OK
        || sb_wikimedia_expect(c, "format", "json") != SB_OK
        || sb_wikimedia_expect(c, "generator", "search") != SB_OK
        || sb_wikimedia_expect(c, "prop", "imageinfo") != SB_OK)
    {
        return SB_ERROR;
    }

    v = sb_arg(c, "gsrsearch");

    if (v == NULL || *v == '\0') {
        sb_refuse(c, 200, "missingparam", NULL, "The \"gsrsearch\" parameter "
                  "must be set.");
        return SB_ERROR;
    }

    sb_wikimedia_words(words, sizeof(words), v);
    sb_listing_begin(&s->listing, c, words);

    if (sb_arg_number(c, "gsroffset", 0, &s->first) != SB_OK
        || sb_arg_number(c, "gsrlimit", 10, &s->per_page) != SB_OK
        || sb_arg_number(c, "iiurlwidth", 0, &width) != SB_OK
        || s->per_page == 0)
    {
        sb_refuse(c, 200, "badinteger", NULL, "Invalid value for an integer "
                  "parameter.");
        return SB_ERROR;
    }

    if (s->per_page > SB_WIKIMEDIA_MOST) {
        s->per_page = SB_WIKIMEDIA_MOST;
    }

    if (s->first + s->per_page > SB_WIKIMEDIA_DEPTH) {
        sb_refuse(c, 200, "cirrussearch-backend-error", NULL, "Results are "
                  "not there beyond the first 10000.");
        return SB_ERROR;
    }

    v = sb_arg(c, "formatversion");
    s->version = v && strcmp(v, "2") == 0 ? 2 : 1;
    s->thumbs = sb_wikimedia_width(width) & 0xfff;
    s->extras = sb_arg(c, "iiprop");

    return SB_OK;
}


static const char *
sb_wikimedia_type(const sb_item_t *item, const char **ending)
{
    switch (item->odd) {

    case 11:
    case 12:
        *ending = "png";
        return "image/png";

    case 13:
        *ending = "tif";
        return "image/tiff";

    case 14:
        *ending = "webp";
        return "image/webp";

    default:
        *ending = "jpg";
        return "image/jpeg";
    }
}


/* Without "File:"; the number keeps it apart from all others. */

void
sb_wikimedia_name(const sb_item_t *item, const char *words, char *dst,
    size_t size)
{
    size_t       i;
    char         title[400];
    const char  *ending;

    (void) sb_wikimedia_type(item, &ending);
    sb_item_title(item, words, title, sizeof(title));

    for (i = 0; title[i]; i++) {
        if (strchr("<>[]{}|#/:", title[i])) {
            title[i] = '-';
        }
    }

    snprintf(dst, size, "%.150s (%llu).%s", title,
             (unsigned long long) item->number, ending);
}


/* In an address blanks are underscores. */

static void
sb_wikimedia_path(const sb_item_t *item, const char *words, char *dst,
    size_t size)
{
    size_t  i;
    char    name[300];

    sb_wikimedia_name(item, words, name, sizeof(name));

    for (i = 0; name[i]; i++) {
        if (name[i] == ' ') {
            name[i] = '_';
        }
    }

    sb_percent(dst, size, name, "-._~()!*'");
}


/* Width 0, or one that it does not have: the original. */

void
sb_wikimedia_url(const sb_call_t *c, const sb_item_t *item,
    const char *words, unsigned width, char *dst, size_t size)
{
    char         base[500], path[900];
    unsigned     a, b;
    const char  *ending;

    (void) sb_wikimedia_type(item, &ending);
    sb_cdn_base(c, item, base, sizeof(base));
    sb_wikimedia_path(item, words, path, sizeof(path));
    a = (unsigned) (item->key & 15);
    b = (unsigned) (item->key >> 4 & 15);

    if (width == 0
        || (width >= item->photo.width && strcmp(ending, "tif") != 0))
    {
        snprintf(dst, size, "%s/wikipedia/commons/%x/%x%x/%s", base, a, a, b,
                 path);
        return;
    }

    snprintf(dst, size, "%s/wikipedia/commons/thumb/%x/%x%x/%s/%s%upx-%s%s",
             base, a, a, b, path,
             strcmp(ending, "tif") == 0 ? "lossy-page1-" : "", width, path,
             strcmp(ending, "tif") == 0 ? ".jpg" : "");
}


static void
sb_wikimedia_extra(yajl_gen g, const char *filter, const char *name,
    const char *value, const char *from)
{
    char    copy[200];
    size_t  i;

    if (value == NULL) {
        return;
    }

    if (filter) {
        snprintf(copy, sizeof(copy), "%s", filter);

        for (i = 0; copy[i]; i++) {
            copy[i] = copy[i] == '|' ? ',' : copy[i];
        }

        if (!sb_arg_listed(copy, name)) {
            return;
        }
    }

    sb_gen_text(g, name);
    yajl_gen_map_open(g);
    sb_gen_member(g, "value", value);
    sb_gen_member(g, "source", from);
    yajl_gen_map_close(g);
}


/* Authors and descriptions are fragments of HTML, some with style in them. */

static void
sb_wikimedia_extmetadata(sb_call_t *c, const sb_search_t *s,
    const sb_item_t *item, yajl_gen g)
{
    char         author[80], handle[40], title[400], text[700];
    size_t       i;
    const char  *filter;

    filter = sb_arg(c, "iiextmetadatafilter");
    sb_item_author(item, author, sizeof(author));
    sb_item_handle(item, handle, sizeof(handle));
    sb_item_title(item, s->listing.words, title, sizeof(title));
    i = item->license & 7;

    sb_gen_text(g, "extmetadata");
    yajl_gen_map_open(g);
    sb_wikimedia_extra(g, filter, "LicenseShortName",
                       sb_wikimedia_licenses[i].name, "commons-desc-page");
    sb_wikimedia_extra(g, filter, "LicenseUrl", sb_wikimedia_licenses[i].url,
                       "commons-desc-page");
    sb_wikimedia_extra(g, filter, "AttributionRequired",
                       i == 3 || i == 4 || i == 7 ? "false" : "true",
                       "commons-desc-page");

    snprintf(text, sizeof(text), "%s<a href=\"//commons.wikimedia.org/wiki/"
             "User:%s\" title=\"User:%s\">%s &amp; Co</a>",
             item->odd & 1 ? "<style data-mw-deduplicate=\"T1\">"
                             ".mw-parser-output .fn{color:#111}</style>" : "",
             handle, handle, author);

    if (item->odd != 15) {
        sb_wikimedia_extra(g, filter, "Artist", text, "commons-desc-page");
    }

    sb_wikimedia_extra(g, filter, "Credit",
                       "<span class=\"int-own-work\">Own work</span>",
                       "commons-desc-page");
    snprintf(text, sizeof(text), "<p>%.500s</p>\n", title);
    sb_wikimedia_extra(g, filter, "ImageDescription", text,
                       "commons-desc-page");
    yajl_gen_map_close(g);
}


static int
sb_wikimedia_prop(const sb_search_t *s, const char *name)
{
    char    copy[200];
    size_t  i;

    snprintf(copy, sizeof(copy), "%s", s->extras ? s->extras
                                                 : "timestamp|user");

    for (i = 0; copy[i]; i++) {
        copy[i] = copy[i] == '|' ? ',' : copy[i];
    }

    return sb_arg_listed(copy, name);
}


static void
sb_wikimedia_info(sb_call_t *c, const sb_search_t *s, const sb_item_t *item,
    yajl_gen g)
{
    char         url[2000], handle[40], path[900];
    unsigned     w;
    const char  *type, *ending;

    type = sb_wikimedia_type(item, &ending);
    sb_item_handle(item, handle, sizeof(handle));

    sb_gen_text(g, "imageinfo");
    yajl_gen_array_open(g);
    yajl_gen_map_open(g);

    if (sb_wikimedia_prop(s, "user")) {
        sb_gen_member(g, "user", handle);
    }

    if (sb_wikimedia_prop(s, "size")) {
        sb_gen_member_int(g, "size", (long long) item->photo.width
                                     * item->photo.height / 4);
        sb_gen_member_int(g, "width", item->photo.width);
        sb_gen_member_int(g, "height", item->photo.height);
    }

    if (sb_wikimedia_prop(s, "url")) {
        if (s->thumbs) {
            w = s->thumbs < item->photo.width || strcmp(ending, "tif") == 0
                ? s->thumbs : item->photo.width;
            sb_wikimedia_url(c, item, s->listing.words, s->thumbs, url,
                             sizeof(url));
            sb_gen_member(g, "thumburl", url);
            sb_gen_member_int(g, "thumbwidth", w);
            sb_gen_member_int(g, "thumbheight",
                              (long long) w * item->photo.height
                              / item->photo.width);
        }

        sb_wikimedia_url(c, item, s->listing.words, 0, url, sizeof(url));
        sb_wikimedia_path(item, s->listing.words, path, sizeof(path));
        sb_gen_member(g, "url", url);
        sb_gen_format(g, "descriptionurl",
                      "https://commons.wikimedia.org/wiki/File:%s", path);
        sb_gen_format(g, "descriptionshorturl",
                      "https://commons.wikimedia.org/w/index.php?curid=%llu",
                      (unsigned long long) item->number);
    }

    if (sb_wikimedia_prop(s, "mime")) {
        sb_gen_member(g, "mime", type);
    }

    if (sb_wikimedia_prop(s, "extmetadata")) {
        sb_wikimedia_extmetadata(c, s, item, g);
    }

    yajl_gen_map_close(g);
    yajl_gen_array_close(g);
}


/*
 * A few are of another repository: known, though missing.  Of those at the
 * page's end there may be no more than the name, for the details are in
 * pieces of their own.
 */

static void
sb_wikimedia_page(sb_call_t *c, const sb_search_t *s, unsigned i, yajl_gen g)
{
    int               abroad;
    char              name[300], key[24];
    const sb_item_t  *item;

    item = &s->items[i];
    abroad = (item->odd == 16);
    sb_wikimedia_name(item, s->listing.words, name, sizeof(name));

    if (s->version == 1) {
        if (abroad) {
            snprintf(key, sizeof(key), "-%u", i + 1);

        } else {
            snprintf(key, sizeof(key), "%llu",
                     (unsigned long long) item->number);
        }

        sb_gen_text(g, key);
    }

    yajl_gen_map_open(g);

    if (!abroad) {
        sb_gen_member_int(g, "pageid", (long long) item->number);
    }

    sb_gen_member_int(g, "ns", 6);
    sb_gen_format(g, "title", "File:%s", name);

    if (abroad && s->version == 1) {
        sb_gen_member(g, "missing", "");
        sb_gen_member(g, "known", "");

    } else if (abroad) {
        sb_gen_text(g, "missing");
        yajl_gen_bool(g, 1);
        sb_gen_text(g, "known");
        yajl_gen_bool(g, 1);
    }

    sb_gen_member_int(g, "index", (long long) s->first + i + 1);
    sb_gen_member(g, "imagerepository", abroad ? "shared" : "local");

    if (!(s->listing.hash % 4 == 0 && i + 2 >= s->per_page)) {
        sb_wikimedia_info(c, s, item, g);
    }

    yajl_gen_map_close(g);
}


static void
sb_wikimedia_continue(const sb_search_t *s, yajl_gen g)
{
    if (s->n == s->per_page && s->listing.hash % 4 == 0) {
        sb_gen_text(g, "continue");
        yajl_gen_map_open(g);
        sb_gen_member(g, "iicontinue", "Room.jpg|20230405060708");
        sb_gen_member(g, "continue", "||");
        yajl_gen_map_close(g);

    } else if (s->first + s->n < s->count) {
        sb_gen_text(g, "continue");
        yajl_gen_map_open(g);
        sb_gen_member_int(g, "gsroffset", (long long) s->first + s->n);
        sb_gen_member(g, "continue", "gsroffset||");
        yajl_gen_map_close(g);
    }
}


/* Pages come in no order; "index" is theirs. */

static void
sb_wikimedia_tell(sb_call_t *c, sb_search_t *s)
{
    unsigned  i, step;
    yajl_gen  g;

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_text(g, "batchcomplete");

    if (s->version == 2) {
        yajl_gen_bool(g, 1);

    } else {
        sb_gen_text(g, "");
    }

    sb_wikimedia_continue(s, g);

    if (s->n) {
        sb_gen_text(g, "query");
        yajl_gen_map_open(g);
        sb_gen_text(g, "pages");

        if (s->version == 2) {
            yajl_gen_array_open(g);

        } else {
            yajl_gen_map_open(g);
        }

        step = s->n % 7 ? 7 : 11;

        if (s->n % step == 0) {
            step = 1;
        }

        for (i = 0; i < s->n; i++) {
            sb_wikimedia_page(c, s, i * step % s->n, g);
        }

        if (s->version == 2) {
            yajl_gen_array_close(g);

        } else {
            yajl_gen_map_close(g);
        }

        yajl_gen_map_close(g);
    }

    yajl_gen_map_close(g);
    sb_answer_json(c, 200, g);
}


/* Thumbnails are there in a few widths; to ask for others is to be stopped. */

static int
sb_wikimedia_look(sb_call_t *c, const char *path, sb_photo_view_t *view)
{
    size_t          i;
    const char     *name, *ending;
    unsigned long   width;

    if (sb_wikimedia_agent(c, 0) != SB_OK) {
        return SB_ERROR;
    }

    name = strrchr(path, '/');
    ending = strrchr(path, '.');

    if (name == NULL || ending == NULL
        || strncmp(path, "/wikipedia/commons/", 19) != 0
        || strcmp(ending, ".tif") == 0)
    {
        sb_refuse(c, 404, NULL, NULL, "File not found.");
        return SB_ERROR;
    }

    view->format = strcmp(ending, ".png") == 0 ? SB_FORMAT_PNG
                   : strcmp(ending, ".webp") == 0 ? SB_FORMAT_WEBP
                                                  : SB_FORMAT_JPEG;

    if (strncmp(path, "/wikipedia/commons/thumb/", 25) != 0) {
        return SB_OK;
    }

    name += strncmp(name, "/lossy-page1-", 13) == 0 ? 13 : 1;
    width = strtoul(name, NULL, 10);

    for (i = 0; sb_wikimedia_widths[i]; i++) {
        if (sb_wikimedia_widths[i] == width) {
            view->width = (double) width;
            return SB_OK;
        }
    }

    sb_refuse(c, 429, NULL, NULL, "Use thumbnail sizes listed on "
              "https://w.wiki/GHai.");

    return SB_ERROR;
}


static const sb_source_t  sb_wikimedia = {
    .source = SB_SOURCE_WIKIMEDIA,
    .crowd = SB_WIKIMEDIA_AT_ONCE,
    .ask = sb_wikimedia_ask,
    .tell = sb_wikimedia_tell,
    .throttle = sb_wikimedia_throttle,
    .look = sb_wikimedia_look
};

const sb_api_t  sb_api_wikimedia = {
    .name = "wikimedia",
    .failed = "maxlag",
    .error = sb_wikimedia_error,
    .failure = sb_wikimedia_failure,
    .fail = sb_wikimedia_fail,
    .source = &sb_wikimedia
};
