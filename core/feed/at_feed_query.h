/*
 * What a reader asks of the feed: from query arguments to a query and a key.
 *
 * GET /designs and /fill call it with the raw arguments of the request.  Two
 * requests that mean the same get the same key: the text is compared without
 * case, in Unicode's composed form, with single blanks; the order of
 * arguments, their encoding and arguments nobody knows do not matter.
 *
 * An at_feed_args_t holds all of its text itself; there is nothing to free.
 * It must not be copied, as the query points into it.
 */

#ifndef AT_FEED_QUERY_H
#define AT_FEED_QUERY_H


#include "at_feed.h"
#include "../at_args.h"


#define AT_FEED_TEXT_MAX      256       /* code points kept of the text */
#define AT_FEED_TEXT_BYTES    (4 * AT_FEED_TEXT_MAX)
#define AT_FEED_KEY_MAX       (AT_FEED_TEXT_BYTES + 128)
#define AT_FEED_SNAPSHOT      16        /* hexadecimal digits */
#define AT_FEED_PAGE_MAX      100000
#define AT_FEED_PER_PAGE      100
#define AT_FEED_PER_PAGE_MAX  200


typedef struct {
    at_feed_query_t  query;
    unsigned         page;              /* from 1 on */
    unsigned         per_page;
    at_str_t         snapshot;          /* empty: the current one */

    char             text[AT_FEED_TEXT_BYTES];
    char             id[AT_FEED_SNAPSHOT];
} at_feed_args_t;


/*
 * raw is what stands behind "?" in the request line.  A parameter that comes
 * more than once counts the first time; an empty one does not count.
 * AT_ERROR: error is filled.
 */
int at_feed_args_parse(at_str_t raw, at_feed_args_t *out,
    at_args_error_t *error);

/*
 * The canonical text of what is looked for, without page, perPage and
 * snapshot: "q=...;o=...;c=...;s=...".  Its hash (at_hash128()) names the
 * feed.  Returns its length.
 */
size_t at_feed_args_key(const at_feed_query_t *query,
    char out[AT_FEED_KEY_MAX]);


/* "landscape", or "" for any; the same for colours. */
const char *at_feed_orientation_name(at_feed_orientation_e orientation);
const char *at_feed_color_name(at_feed_color_e color);


#endif /* AT_FEED_QUERY_H */
