/*
 * Pixabay: https://pixabay.com/api/docs/
 *
 * Its location stands for https://pixabay.com/api/ and adds the argument key.
 * Errors are plain text.  The size it tells is that of the original, which only
 * its page has; the picture that is shown has 1280 pixels on its longer side.
 * Addresses are signed for a day, and answers have to be kept for one (keep
 * in at_feed.c).
 */

#include <string.h>

#include "at_feed_internal.h"


#define AT_FEED_PIXABAY_USERS  "https://pixabay.com/users/"


enum {
    AT_FEED_PIXABAY_USER_ID = AT_FEED_S_OWN
};


static int at_feed_pixabay_item(at_feed_answer_t *a, at_design_t *d);
static int at_feed_pixabay_error(at_feed_answer_t *a, at_str_t head);


static const at_feed_field_t  at_feed_pixabay_fields[] = {
    { ".id",               AT_FEED_S_ID },
    { ".tags",             AT_FEED_S_TITLE },
    { ".largeImageURL",    AT_FEED_S_URL },
    { ".webformatURL",     AT_FEED_S_URL },
    { ".previewURL",       AT_FEED_S_THUMB },
    { ".imageWidth",       AT_FEED_S_WIDTH },
    { ".imageHeight",      AT_FEED_S_HEIGHT },
    { ".user",             AT_FEED_S_AUTHOR },
    { ".pageURL",          AT_FEED_S_PAGE },
    { ".user_id",          AT_FEED_PIXABAY_USER_ID },
    { NULL, 0 }
};


const at_feed_rules_t  at_feed_pixabay = {
    .fixed = "safesearch=true&image_type=photo",
    .text = "q",
    .text_max = 100,
    .page = "page",
    .per_page = "per_page",
    .orientation = "orientation",
    .orientations = { NULL, "horizontal", "vertical", NULL },
    .color = "colors",
    .colors = {
        NULL, "red", "orange", "yellow", "green", "turquoise", "blue",
        "lilac", "pink", "brown", "black", "gray", "white"
    },

    .items = { "hits[]" },
    .fields = at_feed_pixabay_fields,
    .total = "totalHits",
    .license = "Pixabay Content License",
    .credit = "Image",
    .item = at_feed_pixabay_item,
    .error = at_feed_pixabay_error
};


static int
at_feed_pixabay_item(at_feed_answer_t *a, at_design_t *d)
{
    int64_t   number;
    at_buf_t  b;
    at_str_t  user;

    number = at_feed_number(at_feed_slot(a, AT_FEED_PIXABAY_USER_ID));
    user = at_feed_slot(a, AT_FEED_S_AUTHOR);

    if (number < 0 || user.len == 0) {
        return AT_OK;
    }

    b = (at_buf_t) { NULL, 0, 0, AT_FEED_URL_MAX };

    if (at_buf_append_str(&b, AT_STR(AT_FEED_PIXABAY_USERS)) == AT_OK
        && at_feed_encode(&b, user) == AT_OK
        && at_buf_printf(&b, "-%lld/", (long long) number) == AT_OK)
    {
        d->author_url = at_feed_copy(a, at_buf_str(&b));
    }

    at_buf_free(&b);

    return AT_OK;
}


/* A page behind the last hit is an error there, and the end here. */

static int
at_feed_pixabay_error(at_feed_answer_t *a, at_str_t head)
{
    return a->private->status == 400 && a->private->page > 1
           && memmem(head.data, head.len, "\"page\"", 6) != NULL
           && memmem(head.data, head.len, "out of valid range", 18) != NULL
           ? AT_ERROR : AT_OK;
}
