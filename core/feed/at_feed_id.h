/*
 * Ids of designs as clients write them: "source:nativeId".
 *
 * Endpoints check with this what they take from an address before they hand
 * it to a store.  Nothing is allocated.
 */

#ifndef AT_FEED_ID_H
#define AT_FEED_ID_H


#include "at.h"


#define AT_FEED_ID_MAX  (16 + 1 + 80)    /* bytes */


/* A source that there is, and 1 to 80 of [A-Za-z0-9._-]. */
int at_feed_id_valid(at_str_t id);

/*
 * Whether path, decoded, ends in "/{segment}/verb"; id is set to the segment,
 * whatever it holds.
 */
int at_feed_id_path(at_str_t path, at_str_t verb, at_str_t *id);


#endif /* AT_FEED_ID_H */
