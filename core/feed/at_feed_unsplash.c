/*
 * Unsplash: https://unsplash.com/documentation
 *
 * Its location stands for https://api.unsplash.com/ and adds the key as
 * "Authorization: Client-ID ...".  Its rules are odd where others' are not:
 * pictures are shown from its own addresses, which keep the ixid they come
 * with, links to people and pages say who sends the reader, and it wants to
 * hear of downloads (at_feed_download()).
 */

#include "at_feed_internal.h"


static int at_feed_unsplash_item(at_feed_answer_t *a, at_design_t *d);


static const at_feed_field_t  at_feed_unsplash_fields[] = {
    { ".id",                   AT_FEED_S_ID },
    { ".description",          AT_FEED_S_TITLE },
    { ".alt_description",      AT_FEED_S_TITLE },
    { ".urls.full",            AT_FEED_S_URL },
    { ".urls.raw",             AT_FEED_S_URL },
    { ".urls.regular",         AT_FEED_S_URL },
    { ".urls.small",           AT_FEED_S_THUMB },
    { ".urls.thumb",           AT_FEED_S_THUMB },
    { ".width",                AT_FEED_S_WIDTH },
    { ".height",               AT_FEED_S_HEIGHT },
    { ".color",                AT_FEED_S_COLOR },
    { ".blur_hash",            AT_FEED_S_BLURHASH },
    { ".user.name",            AT_FEED_S_AUTHOR },
    { ".user.username",        AT_FEED_S_AUTHOR },
    { ".user.links.html",      AT_FEED_S_AUTHOR_URL },
    { ".links.html",           AT_FEED_S_PAGE },
    { NULL, 0 }
};


const at_feed_rules_t  at_feed_unsplash = {
    .path = "search/photos",
    .text = "query",
    .text_max = AT_FEED_TEXT_MAX,
    .page = "page",
    .per_page = "per_page",
    .orientation = "orientation",
    .orientations = { NULL, "landscape", "portrait", "squarish" },
    .color = "color",
    .colors = {
        NULL, "red", "orange", "yellow", "green", "teal", "blue", "purple",
        "magenta", NULL, "black", NULL, "white"
    },
    .header = "Accept-Version",
    .header_value = "v1",

    .items = { "results[]" },
    .fields = at_feed_unsplash_fields,
    .total = "total",
    .pages = "total_pages",
    .license = "Unsplash License",
    .credit = "Photo",
    .colored = 1,
    .item = at_feed_unsplash_item
};


static int
at_feed_unsplash_item(at_feed_answer_t *a, at_design_t *d)
{
    if (d->title.len == 0) {
        d->title = at_feed_text_slug(a, d->page_url);
    }

    d->author_url = at_feed_url_utm(a, d->author_url);
    d->page_url = at_feed_url_utm(a, d->page_url);

    return AT_OK;
}
