/*
 * Pexels: https://www.pexels.com/api/documentation/
 *
 * Its location stands for https://api.pexels.com/v1/ and adds the key as the
 * header Authorization.  The empty query gets the curated photos.  Rows of
 * constants, but for titles: alt is missing in old photos and empty in some,
 * while the address of the page tells what they show.
 */

#include "at_feed_internal.h"


static int at_feed_pexels_item(at_feed_answer_t *a, at_design_t *d);


static const at_feed_field_t  at_feed_pexels_fields[] = {
    { ".id",               AT_FEED_S_ID },
    { ".alt",              AT_FEED_S_TITLE },
    { ".src.original",     AT_FEED_S_URL },
    { ".src.large2x",      AT_FEED_S_URL },
    { ".src.large",        AT_FEED_S_URL },
    { ".src.medium",       AT_FEED_S_THUMB },
    { ".src.small",        AT_FEED_S_THUMB },
    { ".width",            AT_FEED_S_WIDTH },
    { ".height",           AT_FEED_S_HEIGHT },
    { ".avg_color",        AT_FEED_S_COLOR },
    { ".photographer",     AT_FEED_S_AUTHOR },
    { ".photographer_url", AT_FEED_S_AUTHOR_URL },
    { ".url",              AT_FEED_S_PAGE },
    { NULL, 0 }
};


const at_feed_rules_t  at_feed_pexels = {
    .path = "search",
    .any_path = "curated",
    .text = "query",
    .text_max = AT_FEED_TEXT_MAX,
    .page = "page",
    .per_page = "per_page",
    .orientation = "orientation",
    .orientations = { NULL, "landscape", "portrait", "square" },
    .color = "color",
    .colors = {
        NULL, "red", "orange", "yellow", "green", "turquoise", "blue",
        "violet", "pink", "brown", "black", "gray", "white"
    },

    .items = { "photos[]" },
    .fields = at_feed_pexels_fields,
    .total = "total_results",
    .license = "Pexels License",
    .credit = "Photo",
    .colored = 1,
    .item = at_feed_pexels_item
};


static int
at_feed_pexels_item(at_feed_answer_t *a, at_design_t *d)
{
    if (d->title.len == 0) {
        d->title = at_feed_text_slug(a, d->page_url);
    }

    return AT_OK;
}
