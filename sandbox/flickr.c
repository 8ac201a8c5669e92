/*
 * Flickr: GET /services/rest/ with flickr.photos.search, key in the query.
 * Its errors are HTTP 200.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"


#define SB_FLICKR_MOST    500
#define SB_FLICKR_UNIQUE  4000          /* then earlier ones come again */


/* By their letters in addresses and their names in extras. */

static const struct {
    char         letter;
    char         extra;
    unsigned     side;
} sb_flickr_sizes[] = {
    { 's', 0, 75 }, { 'q', 'q', 150 }, { 't', 't', 100 }, { 'm', 's', 240 },
    { 'n', 'n', 320 }, { 'w', 'w', 400 }, { '-', 'm', 500 },
    { 'z', 'z', 640 }, { 'c', 'c', 800 }, { 'b', 'l', 1024 },
    { 'h', 'h', 1600 }, { 'k', 'k', 2048 }, { 'o', 'o', 65535 }, { 0, 0, 0 }
};


static void
sb_flickr_send(sb_call_t *c, yajl_gen g, int jsonp)
{
    sb_buf_t  text;

    memset(&text, 0, sizeof(sb_buf_t));
    sb_gen_end(g, &text);

    sb_answer_begin(c, 200, jsonp ? "text/javascript; charset=utf-8"
                                  : "application/json; charset=utf-8");
    sb_buf_print(&c->answer.body, jsonp ? "jsonFlickrApi(%s)" : "%s",
                 text.failed || text.data == NULL ? "" : text.data);
    sb_buf_free(&text);
}


static yajl_gen
sb_flickr_gen(void)
{
    yajl_gen  g;

    g = sb_gen_new();
    yajl_gen_config(g, yajl_gen_escape_solidus, 1);

    return g;
}


static void
sb_flickr_stat(sb_call_t *c, int code, const char *message, int jsonp)
{
    yajl_gen  g;

    g = sb_flickr_gen();
    yajl_gen_map_open(g);
    sb_gen_member(g, "stat", "fail");
    sb_gen_member_int(g, "code", code);
    sb_gen_member(g, "message", message);
    yajl_gen_map_close(g);

    sb_flickr_send(c, g, jsonp);
}


/* e->code is Flickr's number; other errors are of the servers before it. */

static void
sb_flickr_error(sb_call_t *c, unsigned status, const sb_error_t *e)
{
    const char  *nojsonp;

    nojsonp = sb_arg(c, "nojsoncallback");

    if (e->code && strspn(e->code, "0123456789") == strlen(e->code)) {
        sb_flickr_stat(c, atoi(e->code), e->message,
                       !(nojsonp && strcmp(nojsonp, "1") == 0));
        return;
    }

    sb_answer_text(c, status, "text/html", "<html><body><h1>%u</h1>%s</body>"
                   "</html>\n", status, e->message);
}


static void
sb_flickr_failure(sb_call_t *c, unsigned status)
{
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));
    snprintf(e.message, sizeof(e.message), status == 429
             ? "Too Many Requests" : "Bad, bad panda");
    sb_flickr_error(c, status, &e);
}


static void
sb_flickr_throttle(sb_call_t *c, double seconds)
{
    (void) seconds;

    sb_flickr_failure(c, 429);
}


static int
sb_flickr_fail(sb_call_t *c, sb_job_t *job, const char *variant)
{
    (void) job;

    if (strcmp(variant, "unavailable") == 0) {
        sb_flickr_stat(c, 105, "Service currently unavailable", 0);

    } else if (strcmp(variant, "search") == 0) {
        sb_flickr_stat(c, 10, "Sorry, the Flickr search API is not currently "
                       "available.", 0);

    } else if (strcmp(variant, "invalid_key") == 0) {
        sb_flickr_stat(c, 100, "Invalid API Key (Key has invalid format)", 0);

    } else {
        return SB_ERROR;
    }

    return SB_OK;
}


/* "4,5,9" as a mask; what is no licence's number is of none. */

static uint32_t
sb_flickr_mask(const char *list)
{
    char      *end;
    uint32_t   mask;
    unsigned long  id;

    mask = 0;

    while (list && *list) {
        id = strtoul(list, &end, 10);

        if (end != list && id < 32) {
            mask |= 1u << id;
        }

        list = strchr(end, ',');
        list = list ? list + 1 : NULL;
    }

    return mask ? mask : 1u << 31;
}


static int
sb_flickr_refuse(sb_call_t *c, const char *code, const char *message)
{
    sb_refuse(c, 200, code, NULL, "%s", message);

    return SB_ERROR;
}


static int
sb_flickr_ask(sb_call_t *c, sb_search_t *s)
{
    const char  *v;

    v = sb_arg(c, "format");

    if (v == NULL || strcmp(v, "json") != 0) {
        sb_answer_text(c, 200, "text/xml", "<?xml version=\"1.0\" "
                       "encoding=\"utf-8\" ?>\n<rsp stat=\"fail\">\n\t<err "
                       "code=\"111\" msg=\"Only format=json is spoken here\" "
                       "/>\n</rsp>\n");
        c->refused = 1;
        sb_count(c, SB_COUNT_REFUSED, 1);
        return SB_ERROR;
    }

    v = sb_arg(c, "nojsoncallback");
    s->jsonp = !(v && strcmp(v, "1") == 0);
    v = sb_arg(c, "method");

    if (v == NULL || strcmp(v, "flickr.photos.search") != 0) {
        return sb_flickr_refuse(c, "112", "Method not found");
    }

    if (!sb_key_ok(sb_arg(c, "api_key"))) {
        return sb_flickr_refuse(c, "100", "Invalid API Key (Key has invalid "
                                "format)");
    }

    v = sb_arg(c, "text");
    v = v && *v ? v : sb_arg(c, "tags");

    if (v == NULL || *v == '\0') {
        return sb_flickr_refuse(c, "3", "Parameterless searches have been "
                                "disabled. Please use flickr.photos.getRecent "
                                "instead.");
    }

    sb_listing_begin(&s->listing, c, v);

    /* What is out of range is put right without a word. */

    if (sb_arg_number(c, "page", 1, &s->page) != SB_OK || s->page == 0) {
        s->page = 1;
    }

    if (sb_arg_number(c, "per_page", 100, &s->per_page) != SB_OK
        || s->per_page == 0 || s->per_page > SB_FLICKR_MOST)
    {
        s->per_page = s->per_page > SB_FLICKR_MOST ? SB_FLICKR_MOST : 100;
    }

    s->first = (s->page - 1) * s->per_page % SB_FLICKR_UNIQUE;
    s->extras = sb_arg(c, "extras");
    v = sb_arg(c, "license");

    if (v) {
        s->listing.licenses = sb_flickr_mask(v);
    }

    return SB_OK;
}


uint64_t
sb_flickr_id(const sb_item_t *item)
{
    return 50000000000u + item->number;
}


void
sb_flickr_owner(const sb_item_t *item, char *dst, size_t size)
{
    snprintf(dst, size, "%u@N0%u", 10000000 + item->author * 7919,
             item->author % 8);
}


/* The side, or 0 when there is no such size of it. */

unsigned
sb_flickr_url(const sb_call_t *c, const sb_item_t *item, char letter,
    char *dst, size_t size)
{
    char      base[500], tail[3];
    size_t    i;
    unsigned  side;

    side = 0;

    for (i = 0; sb_flickr_sizes[i].letter; i++) {
        if (sb_flickr_sizes[i].letter == letter) {
            side = sb_flickr_sizes[i].side;
        }
    }

    if (side > 800 && letter != 'o' && side > item->photo.width
        && side > item->photo.height)
    {
        return 0;
    }

    tail[0] = letter == '-' ? '\0' : '_';
    tail[1] = letter;
    tail[2] = '\0';

    sb_cdn_base(c, item, base, sizeof(base));
    snprintf(dst, size, "%s/65535/%llu_%010llx%s.jpg", base,
             (unsigned long long) sb_flickr_id(item),
             (unsigned long long) (item->key >> 24), tail);

    return side;
}


/* Numbers are strings now and then. */

static void
sb_flickr_number(yajl_gen g, const char *name, unsigned value, int text)
{
    if (text) {
        sb_gen_format(g, name, "%u", value);

    } else {
        sb_gen_member_int(g, name, value);
    }
}


/* Originals are the owner's to give. */

static void
sb_flickr_picture(sb_call_t *c, const sb_item_t *item, size_t i, yajl_gen g)
{
    char      url[700], name[16];
    double    scale;
    unsigned  side, most, w, h;

    side = sb_flickr_url(c, item, sb_flickr_sizes[i].letter, url,
                         sizeof(url));

    if (side == 0 || (sb_flickr_sizes[i].letter == 'o' && item->key % 3)) {
        return;
    }

    most = item->photo.width > item->photo.height ? item->photo.width
                                                  : item->photo.height;
    scale = side < most ? (double) side / most : 1;
    w = (unsigned) (item->photo.width * scale + 0.5);
    h = (unsigned) (item->photo.height * scale + 0.5);

    if (sb_flickr_sizes[i].letter == 'q') {
        w = side;
        h = side;
    }

    snprintf(name, sizeof(name), "url_%c", sb_flickr_sizes[i].extra);
    sb_gen_member(g, name, url);
    snprintf(name, sizeof(name), "height_%c", sb_flickr_sizes[i].extra);
    sb_flickr_number(g, name, h, item->key & 1);
    snprintf(name, sizeof(name), "width_%c", sb_flickr_sizes[i].extra);
    sb_flickr_number(g, name, w, item->key & 1);
}


static void
sb_flickr_extras(sb_call_t *c, const sb_search_t *s, const sb_item_t *item,
    yajl_gen g)
{
    size_t  i;
    char    text[400];

    if (sb_arg_listed(s->extras, "description")) {
        sb_item_title(item, s->listing.words, text, sizeof(text));
        sb_gen_text(g, "description");
        yajl_gen_map_open(g);
        sb_gen_format(g, "_content", "<i>%s</i>", text);
        yajl_gen_map_close(g);
    }

    if (sb_arg_listed(s->extras, "license") && item->odd != 8) {
        sb_gen_format(g, "license", "%u", item->license);
    }

    if (sb_arg_listed(s->extras, "owner_name")) {
        sb_item_author(item, text, sizeof(text));
        sb_gen_member(g, "ownername", text);
    }

    if (sb_arg_listed(s->extras, "path_alias")) {
        sb_item_handle(item, text, sizeof(text));
        sb_gen_member(g, "pathalias", item->odd & 1 ? text : NULL);
    }

    if (sb_arg_listed(s->extras, "o_dims") && item->key % 3 == 0) {
        sb_gen_format(g, "o_width", "%u", item->photo.width);
        sb_gen_format(g, "o_height", "%u", item->photo.height);
    }

    if (sb_arg_listed(s->extras, "tags")) {
        sb_gen_format(g, "tags", "%s room interior", s->listing.words);
    }

    if (sb_arg_listed(s->extras, "views")) {
        sb_gen_format(g, "views", "%u", (unsigned) (item->key % 90000));
    }

    /* A few can be seen in a square only, or not at all. */

    for (i = 0; sb_flickr_sizes[i].letter; i++) {
        snprintf(text, sizeof(text), "url_%c", sb_flickr_sizes[i].extra);

        if (sb_flickr_sizes[i].extra && item->odd != 9
            && sb_arg_listed(s->extras, text))
        {
            sb_flickr_picture(c, item, i, g);
        }
    }
}


static void
sb_flickr_photo(sb_call_t *c, const sb_search_t *s, const sb_item_t *item,
    yajl_gen g)
{
    char  title[400], owner[40];

    sb_item_title(item, s->listing.words, title, sizeof(title));
    sb_flickr_owner(item, owner, sizeof(owner));

    yajl_gen_map_open(g);
    sb_gen_format(g, "id", "%llu", (unsigned long long) sb_flickr_id(item));
    sb_gen_member(g, "owner", owner);
    sb_gen_format(g, "secret", "%010llx",
                  (unsigned long long) (item->key >> 24));
    sb_gen_member(g, "server", "65535");
    sb_gen_member_int(g, "farm", 66);
    sb_gen_member(g, "title", item->odd == 10 ? "" : title);
    sb_gen_member_int(g, "ispublic", 1);
    sb_gen_member_int(g, "isfriend", 0);
    sb_gen_member_int(g, "isfamily", 0);
    sb_flickr_extras(c, s, item, g);
    yajl_gen_map_close(g);
}


static void
sb_flickr_tell(sb_call_t *c, sb_search_t *s)
{
    unsigned       i, n;
    yajl_gen       g;
    unsigned long  pages;

    pages = (s->count + s->per_page - 1) / s->per_page;

    /* The page that crosses the last unique one is short. */

    n = s->n;

    if (s->first + n > SB_FLICKR_UNIQUE) {
        n = (unsigned) (SB_FLICKR_UNIQUE - s->first);
    }

    g = sb_flickr_gen();
    yajl_gen_map_open(g);
    sb_gen_text(g, "photos");
    yajl_gen_map_open(g);
    sb_gen_member_int(g, "page", (long long) s->page);
    sb_gen_member_int(g, "pages", (long long) pages);
    sb_gen_member_int(g, "perpage", (long long) s->per_page);
    sb_flickr_number(g, "total", s->count, s->listing.hash & 1);
    sb_gen_text(g, "photo");
    yajl_gen_array_open(g);

    for (i = 0; i < n; i++) {
        sb_flickr_photo(c, s, &s->items[i], g);
    }

    yajl_gen_array_close(g);
    yajl_gen_map_close(g);
    sb_gen_member(g, "stat", "ok");
    yajl_gen_map_close(g);
    sb_flickr_send(c, g, s->jsonp);
}


/* "65535/1_abc_z.jpg": the letter says the longer side. */

static int
sb_flickr_look(sb_call_t *c, const char *path, sb_photo_view_t *view)
{
    char         letter;
    size_t       i;
    const char  *mark;

    mark = strrchr(path, '_');
    letter = mark && mark[1] && mark[2] == '.' ? mark[1] : '-';

    for (i = 0; sb_flickr_sizes[i].letter; i++) {
        if (sb_flickr_sizes[i].letter == letter) {
            view->width = sb_flickr_sizes[i].side;
            view->height = sb_flickr_sizes[i].side;
            view->crop = (letter == 's' || letter == 'q');
            return SB_OK;
        }
    }

    sb_refuse(c, 404, NULL, NULL, "Not found");

    return SB_ERROR;
}


static const sb_source_t  sb_flickr = {
    .source = SB_SOURCE_FLICKR,
    .windows = { { 3600, 3600 }, { 0, 0 } },
    .ask = sb_flickr_ask,
    .tell = sb_flickr_tell,
    .throttle = sb_flickr_throttle,
    .look = sb_flickr_look
};

const sb_api_t  sb_api_flickr = {
    .name = "flickr",
    .failed = "unavailable",
    .error = sb_flickr_error,
    .failure = sb_flickr_failure,
    .fail = sb_flickr_fail,
    .source = &sb_flickr
};
