/*
 * From the fields of an item to a design.
 *
 * at_feed_answer.c calls begin, value and end as it reads.  Values lie in the
 * item's buffer until the next item; what the design keeps is copied, cleaned
 * and checked.  An item without an id or a picture, or one that the filters
 * leave out, is dropped; so is one that was there before.
 */

#include <stdlib.h>
#include <string.h>

#include "at_feed_internal.h"


void
at_feed_item_begin(at_feed_answer_t *a)
{
    at_feed_item_t  *item;

    item = &a->private->item;
    item->text.len = 0;

    memset(item->values, 0, sizeof(item->values));
}


at_str_t
at_feed_slot(const at_feed_answer_t *a, unsigned slot)
{
    const at_feed_item_t   *item;
    const at_feed_value_t  *v;

    item = &a->private->item;
    v = &item->values[slot];

    if (v->rank == 0) {
        return AT_STR_NULL;
    }

    return (at_str_t) { v->len, (const char *) item->text.data + v->start };
}


void
at_feed_item_value(at_feed_answer_t *a, const char *path, at_str_t text)
{
    int                     rc;
    unsigned                i;
    at_feed_item_t         *item;
    at_feed_value_t        *v;
    const at_feed_field_t  *fields;

    if (text.len == 0) {
        return;
    }

    item = &a->private->item;
    fields = a->source->rules->fields;

    for (i = 0; fields[i].path; i++) {

        if (strcmp(path, fields[i].path) != 0) {
            continue;
        }

        v = &item->values[fields[i].slot];

        if (v->rank && v->rank <= i + 1) {
            continue;
        }

        rc = at_buf_append_str(&item->text, text);

        if (rc == AT_NO_MEMORY) {
            (void) at_feed_fail(a, AT_FEED_ERROR, "no memory for an item");
        }

        if (rc == AT_OK) {
            v->rank = i + 1;
            v->start = item->text.len - text.len;
            v->len = text.len;
        }
    }
}


int64_t
at_feed_number(at_str_t s)
{
    size_t   i;
    int64_t  n;

    n = -1;

    for (i = 0; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++) {

        if (n < 0) {
            n = 0;
        }

        n = n > (INT64_MAX - 9) / 10 ? INT64_MAX
                                     : n * 10 + (s.data[i] - '0');
    }

    return n;
}


uint32_t
at_feed_side(at_str_t s)
{
    int64_t  n;

    n = at_feed_number(s);

    return n > 0 && n <= AT_FEED_SIDE_MAX ? (uint32_t) n : 0;
}


/* "source:" and the native id, or the hash of one that is no such id. */

static at_str_t
at_feed_item_id(at_feed_answer_t *a, at_str_t native)
{
    char      hex[AT_HASH_HEX];
    size_t    i;
    uint8_t   hash[AT_HASH_BYTES];
    at_str_t  name;

    name = a->source->name;

    for (i = 0; i < native.len; i++) {
        if (!((native.data[i] >= 'a' && native.data[i] <= 'z')
              || (native.data[i] >= 'A' && native.data[i] <= 'Z')
              || (native.data[i] >= '0' && native.data[i] <= '9')
              || native.data[i] == '.' || native.data[i] == '_'
              || native.data[i] == '-'))
        {
            break;
        }
    }

    if (i < native.len || native.len > AT_DESIGN_NATIVE_MAX) {
        at_hash128(native.data, native.len, hash);
        at_hash_hex(hash, hex);

        native = (at_str_t) { AT_HASH_HEX, hex };
    }

    return at_feed_printf(a, "%.*s:%.*s", (int) name.len, name.data,
                          (int) native.len, native.data);
}


/* Base 83, of which "!" or a blank are no digits; one per picture is short. */

static at_str_t
at_feed_item_blurhash(at_feed_answer_t *a, at_str_t s)
{
    size_t  i;

    if (s.len < 6 || s.len > 166) {
        return AT_STR_NULL;
    }

    for (i = 0; i < s.len; i++) {
        if (s.data[i] <= ' ' || s.data[i] >= 0x7f
            || strchr("\"'\\<>&!/`()", s.data[i]) != NULL)
        {
            return AT_STR_NULL;
        }
    }

    return at_feed_copy(a, s);
}


static void
at_feed_item_fill(at_feed_answer_t *a, at_design_t *d)
{
    const at_feed_rules_t  *r;

    r = a->source->rules;

    memset(d, 0, sizeof(at_design_t));

    d->source = a->source->name;
    d->id = at_feed_item_id(a, at_feed_slot(a, AT_FEED_S_ID));
    d->title = at_feed_text(a, at_feed_slot(a, AT_FEED_S_TITLE),
                            AT_FEED_TITLE_MAX, 0);
    d->url = at_feed_url(a, at_feed_slot(a, AT_FEED_S_URL));
    d->thumb = at_feed_url(a, at_feed_slot(a, AT_FEED_S_THUMB));
    d->color = at_feed_color(a, at_feed_slot(a, AT_FEED_S_COLOR));
    d->blurhash = at_feed_item_blurhash(a,
                                        at_feed_slot(a, AT_FEED_S_BLURHASH));
    d->author = at_feed_text(a, at_feed_slot(a, AT_FEED_S_AUTHOR),
                             AT_FEED_NAME_MAX, 0);
    d->author_url = at_feed_url(a, at_feed_slot(a, AT_FEED_S_AUTHOR_URL));
    d->page_url = at_feed_url(a, at_feed_slot(a, AT_FEED_S_PAGE));
    d->attribution = at_feed_text(a, at_feed_slot(a, AT_FEED_S_ATTRIBUTION),
                                  2 * AT_FEED_TITLE_MAX, 0);
    d->width = at_feed_side(at_feed_slot(a, AT_FEED_S_WIDTH));
    d->height = at_feed_side(at_feed_slot(a, AT_FEED_S_HEIGHT));

    d->license = r->license
                 ? (at_str_t) { strlen(r->license), r->license }
                 : at_feed_text(a, at_feed_slot(a, AT_FEED_S_LICENSE),
                                AT_FEED_NAME_MAX, 0);
}


/*
 * "Photo by X on Pexels" where all pictures have one licence, else the
 * words Creative Commons recommends: title, author, source, licence.
 */

static at_str_t
at_feed_item_credit(at_feed_answer_t *a, const at_design_t *d)
{
    at_str_t     label;
    const char  *credit;

    label = a->source->label;
    credit = a->source->rules->credit;

    if (credit && d->author.len) {
        return at_feed_printf(a, "%s by %.*s on %.*s", credit,
                              (int) d->author.len, d->author.data,
                              (int) label.len, label.data);
    }

    if (credit) {
        return at_feed_printf(a, "%s on %.*s", credit, (int) label.len,
                              label.data);
    }

    return at_feed_printf(a, "%s%.*s%s%s%.*s, %.*s, via %.*s",
                          d->title.len ? "\"" : "",
                          (int) d->title.len, d->title.data,
                          d->title.len ? "\"" : "Picture",
                          d->author.len ? " by " : "",
                          (int) d->author.len, d->author.data,
                          (int) d->license.len, d->license.data,
                          (int) label.len, label.data);
}


/* What every design has, however little the source said. */

static void
at_feed_item_complete(at_feed_answer_t *a, at_design_t *d)
{
    if (d->thumb.len == 0) {
        d->thumb = d->url;
    }

    if (d->page_url.len == 0) {
        d->page_url = d->url;
    }

    /* Half a size is none. */

    if (d->width == 0 || d->height == 0) {
        d->width = 0;
        d->height = 0;
    }

    if (d->attribution.len == 0) {
        d->attribution = at_feed_item_credit(a, d);
    }

    d->score = at_design_score(d->source, d->width, d->height);
}


static int
at_feed_item_known(const at_feed_answer_t *a, const at_design_t *d)
{
    size_t  i;

    for (i = 0; i < a->ndesigns; i++) {
        if (at_str_eq(a->designs[i].id, d->id)) {
            return 1;
        }
    }

    return 0;
}


/* Memory for all designs of a page at once, at the first one. */

static int
at_feed_item_room(at_feed_answer_t *a)
{
    size_t  n;

    if (a->designs) {
        return AT_OK;
    }

    n = a->source->size;

    a->private->places = calloc(n, sizeof(int64_t));
    a->designs = calloc(n, sizeof(at_design_t));

    if (a->private->places == NULL || a->designs == NULL) {
        return at_feed_fail(a, AT_FEED_ERROR, "no memory for designs");
    }

    return AT_OK;
}


/* AT_ERROR ends the reading: there is no memory. */

int
at_feed_item_end(at_feed_answer_t *a)
{
    int64_t                 place;
    at_design_t             d;
    const at_feed_rules_t  *r;

    r = a->source->rules;
    a->received++;

    /* More than was asked for is not ours to rank. */

    if (a->ndesigns == a->source->size
        || at_feed_slot(a, AT_FEED_S_ID).len == 0)
    {
        return AT_OK;
    }

    at_feed_item_fill(a, &d);

    if ((r->item && r->item(a, &d) != AT_OK) || d.url.len == 0
        || d.license.len == 0)
    {
        return a->private->failed ? AT_ERROR : AT_OK;
    }

    at_feed_item_complete(a, &d);

    if (!at_feed_filter(a, &d) || at_feed_item_known(a, &d)) {
        return a->private->failed ? AT_ERROR : AT_OK;
    }

    at_feed_joins(a, &d);

    if (a->private->failed || at_feed_item_room(a) != AT_OK) {
        return AT_ERROR;
    }

    place = at_feed_number(at_feed_slot(a, AT_FEED_S_ORDER));

    a->private->places[a->ndesigns] = place < 0 ? INT64_MAX : place;
    a->designs[a->ndesigns++] = d;

    return AT_OK;
}
