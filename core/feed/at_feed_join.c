/*
 * The keys by which the same picture is known when it comes again.
 *
 * Its own id, the ids of what it is a copy of (Openverse shows mostly Flickr,
 * Commons and Rawpixel), and its URL without what only scales it.  No picture
 * is fetched for that.  The keys lie in the answer.
 */

#include <string.h>

#include "at_feed_internal.h"


void
at_feed_join_add(at_feed_answer_t *a, at_design_t *d, const char *prefix,
    at_str_t name)
{
    char      hex[AT_HASH_HEX];
    size_t    i;
    uint8_t   hash[AT_HASH_BYTES];
    at_str_t  key;

    if (name.len == 0 || d->njoins == AT_DESIGN_JOINS_MAX) {
        return;
    }

    if (strlen(prefix) + 1 + name.len <= AT_FEED_JOIN_MAX) {
        key = at_feed_printf(a, "%s:%.*s", prefix, (int) name.len, name.data);

    } else {
        at_hash128(name.data, name.len, hash);
        at_hash_hex(hash, hex);

        key = at_feed_printf(a, "h:%s:%.*s", prefix, AT_HASH_HEX, hex);
    }

    for (i = 0; i < d->njoins; i++) {
        if (at_str_eq(d->joins[i], key)) {
            return;
        }
    }

    if (key.len) {
        d->joins[d->njoins++] = key;
    }
}


/* MediaWiki's own rules: blanks are underscores, the first letter is large. */

void
at_feed_join_file(at_feed_answer_t *a, at_design_t *d, at_str_t file)
{
    char    name[AT_FEED_URL_MAX];
    size_t  i, n;

    if (file.len == 0 || file.len > sizeof(name)) {
        return;
    }

    n = at_args_decode(file, name);

    for (i = 0; i < n; i++) {
        if (name[i] == ' ') {
            name[i] = '_';
        }

        /* printf() would end there, and no file is called so. */

        if (name[i] == '\0') {
            return;
        }
    }

    if (name[0] >= 'a' && name[0] <= 'z') {
        name[0] = (char) (name[0] - ('a' - 'A'));
    }

    at_feed_join_add(a, d, "wikimedia:File", (at_str_t) { n, name });
}


void
at_feed_joins(at_feed_answer_t *a, at_design_t *d)
{
    d->joins[d->njoins++] = d->id;

    if (a->source->rules->joins) {
        a->source->rules->joins(a, d);
    }

    at_feed_join_add(a, d, "url", at_feed_url_canonical(a, d->url));
}
