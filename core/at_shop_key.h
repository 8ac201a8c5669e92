/*
 * What the shops are asked for, and its name.
 *
 * GET /products, POST /scrape/parallel and atelier-shop meet here: they bring
 * a query into one form, and name what was asked by one key.
 *
 *     atelier:shop:jobs          stream; fields kind ("products"), by
 *                                ("reader", "operator", "schedule"), query,
 *                                category, page, requestId, at (ms since 1970).
 *                                Who has done a job removes it (XDEL)
 *     atelier:shop:asked:{key}   "pending", then "done", for as long as the
 *                                shops need not be asked again: SET NX PX, so
 *                                one job per query
 *     atelier:shop:done          channel; the key of each job that has ended,
 *                                well or not, when what it found is committed
 *
 * Nothing is allocated.
 */

#ifndef AT_SHOP_KEY_H
#define AT_SHOP_KEY_H


#include "at.h"


#define AT_SHOP_TEXT_MAX   100                      /* code points */
#define AT_SHOP_TEXT_BYTES (4 * AT_SHOP_TEXT_MAX)
#define AT_SHOP_PLAIN_MAX  4096                     /* bytes of a text */
#define AT_SHOP_KEY_HEX    32

#define AT_SHOP_JOBS       "atelier:shop:jobs"
#define AT_SHOP_ASKED      "atelier:shop:asked:"
#define AT_SHOP_DONE       "atelier:shop:done"


/*
 * The normal form of a query: as that of /designs, and cut after 100
 * characters.  raw is of a URL, encoded; plain is a text as it is.  AT_ERROR:
 * it is not UTF-8, or plain is longer than AT_SHOP_PLAIN_MAX.
 */
int at_shop_query_raw(at_str_t raw, char out[AT_SHOP_TEXT_BYTES],
    size_t *len);
int at_shop_query(at_str_t plain, char out[AT_SHOP_TEXT_BYTES], size_t *len);

/*
 * A category, a plain text, without the blanks around it; its case counts,
 * as shops have it.  AT_ERROR: it is not UTF-8, longer than 100 characters, or
 * has control characters.  The result is a part of the text.
 */
int at_shop_category(at_str_t *text);

/* The name of a query and a category, both in their forms from above. */
void at_shop_key(at_str_t query, at_str_t category,
    char out[AT_SHOP_KEY_HEX]);


#endif /* AT_SHOP_KEY_H */
