/*
 * Wikimedia Commons: https://commons.wikimedia.org/w/api.php
 *
 * Its location stands for that address and adds a User-Agent with a contact.
 * Needs no key.  Pages come as a list or, from older servers, as an object in
 * no order; "index" has the order.  Names of authors are HTML.  Pictures are
 * of any size and kind, so what browsers cannot show, or should not load, is
 * shown by a thumbnail, of one of the widths that are not refused.
 */

#include <stdio.h>
#include <string.h>

#include "at_feed_internal.h"


#define AT_FEED_COMMONS_LARGE   3840
#define AT_FEED_COMMONS_PIXELS  50000000    /* more: shown at that width */


enum {
    AT_FEED_COMMONS_TITLE = AT_FEED_S_OWN,
    AT_FEED_COMMONS_ARTIST,
    AT_FEED_COMMONS_USER,
    AT_FEED_COMMONS_MIME
};


static int at_feed_commons_item(at_feed_answer_t *a, at_design_t *d);
static void at_feed_commons_joins(at_feed_answer_t *a, at_design_t *d);
static void at_feed_commons_value(at_feed_answer_t *a, const char *path,
    at_str_t text);
static void at_feed_commons_end(at_feed_answer_t *a);


#define at_feed_commons_meta(name)                                           \
    ".imageinfo[].extmetadata." name ".value"


/* A file of a foreign repository has no page id, only a title. */

static const at_feed_field_t  at_feed_commons_fields[] = {
    { ".pageid",                         AT_FEED_S_ID },
    { ".title",                          AT_FEED_S_ID },
    { ".title",                          AT_FEED_COMMONS_TITLE },
    { ".index",                          AT_FEED_S_ORDER },
    { ".imageinfo[].url",                AT_FEED_S_URL },
    { ".imageinfo[].thumburl",           AT_FEED_S_THUMB },
    { ".imageinfo[].descriptionurl",     AT_FEED_S_PAGE },
    { ".imageinfo[].width",              AT_FEED_S_WIDTH },
    { ".imageinfo[].height",             AT_FEED_S_HEIGHT },
    { ".imageinfo[].mime",               AT_FEED_COMMONS_MIME },
    { ".imageinfo[].user",               AT_FEED_COMMONS_USER },
    { at_feed_commons_meta("Artist"),    AT_FEED_COMMONS_ARTIST },
    { at_feed_commons_meta("LicenseShortName"), AT_FEED_S_LICENSE },
    { NULL, 0 }
};


const at_feed_rules_t  at_feed_wikimedia = {
    .fixed = "action=query&format=json&formatversion=2&generator=search"
             "&gsrnamespace=6&prop=imageinfo"
             "&iiprop=url%7Csize%7Cmime%7Cuser%7Cextmetadata"
             "&iiextmetadatafilter=LicenseShortName%7CArtist"
             "&iiurlwidth=330",
    .text = "gsrsearch",
    .prefix = "filetype:bitmap ",
    .text_max = 250,
    .operators = "\":~*?\\/-!|()[]{}<>",
    .page = "gsroffset",
    .per_page = "gsrlimit",
    .offset = 1,

    .items = { "query.pages[]", "query.pages.*" },
    .fields = at_feed_commons_fields,
    .unlisted = 1,
    .ordered = 1,
    .continues = 1,
    .item = at_feed_commons_item,
    .joins = at_feed_commons_joins,
    .value = at_feed_commons_value,
    .end = at_feed_commons_end
};


/* "File:A_room.jpg" */

static at_str_t
at_feed_commons_file(const at_feed_answer_t *a)
{
    at_str_t  title;

    title = at_feed_slot(a, AT_FEED_COMMONS_TITLE);

    if (title.len > 5 && memcmp(title.data, "File:", 5) == 0) {
        title.data += 5;
        title.len -= 5;
    }

    return title;
}


static at_str_t
at_feed_commons_title(at_feed_answer_t *a)
{
    char      name[512];
    size_t    i;
    at_str_t  file;

    file = at_feed_commons_file(a);

    for (i = file.len; i > 0 && file.len - i < 6; i--) {
        if (file.data[i - 1] == '.') {
            file.len = i - 1;
            break;
        }
    }

    if (file.len > sizeof(name)) {
        file.len = sizeof(name);
    }

    for (i = 0; i < file.len; i++) {
        name[i] = file.data[i] == '_' ? ' ' : file.data[i];
    }

    return at_feed_text(a, (at_str_t) { file.len, name }, AT_FEED_TITLE_MAX,
                        0);
}


/* The address of the same thumbnail at another width; empty: no such. */

static at_str_t
at_feed_commons_thumb(at_feed_answer_t *a, at_str_t thumb, unsigned width)
{
    size_t    i, n;
    at_str_t  last;

    last = at_feed_url_last(at_feed_url_path(thumb));

    /* "330px-A_room.jpg", "lossy-page1-330px-A_room.tif.jpg" */

    for (i = 0; i + 3 <= last.len; i++) {

        if (memcmp(last.data + i, "px-", 3) != 0) {
            continue;
        }

        for (n = i; n > 0 && last.data[n - 1] >= '0'
                    && last.data[n - 1] <= '9'; n--)
        {
            /* void */
        }

        if (n == i || (n > 0 && last.data[n - 1] != '-')) {
            continue;
        }

        return at_feed_printf(a, "%.*s%u%.*s",
                              (int) (last.data + n - thumb.data), thumb.data,
                              width,
                              (int) (thumb.data + thumb.len - last.data - i),
                              last.data + i);
    }

    return AT_STR_NULL;
}


/* Shows the picture by the largest thumbnail that is smaller than itself. */

static void
at_feed_commons_render(at_feed_answer_t *a, at_design_t *d)
{
    size_t                 i;
    at_str_t               url;
    static const unsigned  widths[] = { AT_FEED_COMMONS_LARGE, 1920, 1280,
                                        960, 500, 330 };

    for (i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {

        if (widths[i] >= d->width) {
            continue;
        }

        url = at_feed_commons_thumb(a, d->thumb, widths[i]);

        if (url.len) {
            d->url = url;
            d->height = (uint32_t) ((uint64_t) d->height * widths[i]
                                    / d->width);
            d->width = widths[i];

            return;
        }
    }

    /* Its size is not that of the picture. */

    d->url = d->thumb;
    d->width = 0;
    d->height = 0;
}


static int
at_feed_commons_mime(at_str_t mime)
{
    return at_str_is(mime, "image/jpeg") || at_str_is(mime, "image/png")
           || at_str_is(mime, "image/webp") || at_str_is(mime, "image/gif");
}


static void
at_feed_commons_author(at_feed_answer_t *a, at_design_t *d)
{
    at_str_t     html;
    const char  *p, *q;

    html = at_feed_slot(a, AT_FEED_COMMONS_ARTIST);
    d->author = at_feed_text(a, html, AT_FEED_NAME_MAX, 1);

    if (d->author.len == 0) {
        d->author = at_feed_text(a, at_feed_slot(a, AT_FEED_COMMONS_USER),
                                 AT_FEED_NAME_MAX, 0);
        return;
    }

    p = memmem(html.data, html.len, "href=\"", 6);
    if (p == NULL) {
        return;
    }

    p += 6;
    q = memchr(p, '"', (size_t) (html.data + html.len - p));

    if (q) {
        html = at_feed_text(a, (at_str_t) { (size_t) (q - p), p },
                            AT_FEED_URL_MAX, 0);
        d->author_url = at_feed_url(a, html);
    }
}


static int
at_feed_commons_item(at_feed_answer_t *a, at_design_t *d)
{
    at_str_t  mime;

    mime = at_feed_slot(a, AT_FEED_COMMONS_MIME);
    d->title = at_feed_commons_title(a);

    at_feed_commons_author(a, d);

    if (d->url.len == 0) {
        return AT_OK;
    }

    if (mime.len && !at_feed_commons_mime(mime)) {

        /* Neither films nor books. */

        if (mime.len < 6 || memcmp(mime.data, "image/", 6) != 0
            || d->thumb.len == 0)
        {
            return AT_ERROR;
        }

        at_feed_commons_render(a, d);

    } else if ((uint64_t) d->width * d->height > AT_FEED_COMMONS_PIXELS
               && d->thumb.len)
    {
        at_feed_commons_render(a, d);
    }

    return AT_OK;
}


static void
at_feed_commons_joins(at_feed_answer_t *a, at_design_t *d)
{
    at_feed_join_file(a, d, at_feed_commons_file(a));
}


static void
at_feed_commons_value(at_feed_answer_t *a, const char *path, at_str_t text)
{
    if (strcmp(path, "error.code") == 0) {
        a->private->code = at_str_is(text, "maxlag")
                           || at_str_is(text, "ratelimited") ? 1 : 0;
    }
}


static void
at_feed_commons_end(at_feed_answer_t *a)
{
    if (a->private->code < 0) {
        return;
    }

    (void) at_feed_fail(a, a->private->code ? AT_FEED_RATE_LIMITED
                                            : AT_FEED_ERROR,
                        "an error in an answer with status %u",
                        a->private->status);
}
