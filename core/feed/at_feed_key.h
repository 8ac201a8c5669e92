/*
 * The normal form of a query's text, and what stands in a URL.
 *
 * Who reads queries calls it: at_feed_args.c for designs, at_shop_key.c and
 * at_shop_args.c for products.  Nothing is allocated.
 */

#ifndef AT_FEED_KEY_H
#define AT_FEED_KEY_H


#include "at_feed_query.h"


/*
 * Decodes raw ("+" and percent forms) and writes it composed (NFC), case
 * folded, with single blanks, none at its ends, and without characters that
 * show nothing; at most AT_FEED_TEXT_MAX code points.  AT_ERROR: not UTF-8.
 */
int at_feed_normal(at_str_t raw, char out[AT_FEED_TEXT_BYTES], size_t *len);


#endif /* AT_FEED_KEY_H */
