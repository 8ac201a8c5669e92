/*
 * A design: one picture of the feed, from whatever source.
 *
 * core/feed/ makes them; caches, snapshots and pages carry them as the JSON
 * that at_design_write() makes.  The strings belong to the answer or arena
 * that made the design and go with it.
 */

#ifndef AT_DESIGN_H
#define AT_DESIGN_H


#include "at.h"


#define AT_DESIGN_JOINS_MAX   4
#define AT_DESIGN_NATIVE_MAX  80        /* bytes of an id behind the colon */
#define AT_DESIGN_RANK_MAX    1000000   /* a higher rank counts as this one */
#define AT_DESIGN_ROUND       5         /* ranks of a source in one round */


typedef struct {
    at_str_t  id;               /* "source:nativeId" */
    at_str_t  source;
    at_str_t  title;
    at_str_t  url;              /* the picture, the largest that is served */
    at_str_t  thumb;            /* never cropped */
    at_str_t  color;            /* "#RRGGBB", or empty */
    at_str_t  blurhash;         /* or empty */
    at_str_t  author;           /* or empty */
    at_str_t  author_url;       /* or empty */
    at_str_t  page_url;
    at_str_t  license;
    at_str_t  attribution;      /* plain text, never empty */

    uint32_t  width;            /* 0: unknown */
    uint32_t  height;
    uint32_t  score;            /* thousandths */
    uint32_t  rank;             /* 1.. in its source, over all batches */

    /*
     * Two designs that share one of these are the same picture: its own id
     * first, then those of which it is a copy ("flickr:123",
     * "wikimedia:File:Name.jpg", "rawpixel:1"), then "url:" and the
     * canonical URL.  A long one is "h:" and its hash.
     */
    at_str_t  joins[AT_DESIGN_JOINS_MAX];
    size_t    njoins;
} at_design_t;


/*
 * Appends one JSON object without blanks, without "likes" and "mirrors": its
 * last byte is '}', which who renders a page replaces by the rest.  What is
 * unknown is null; "blurhash" is left out.  Returns what at_buf_append() does,
 * and appends nothing then.
 */
int at_design_write(at_buf_t *b, const at_design_t *d);


/*
 * Megapixels (at most 24), a bonus for the common ratios, and one for the
 * source, in thousandths.  An unknown size earns only the last.
 */
uint32_t at_design_score(at_str_t source, uint32_t width, uint32_t height);


/*
 * The place of a design in a snapshot: rounds of ranks 1-5, 6-10, ... of all
 * sources, the better score first in a round; a smaller number comes first,
 * ties go by id.  It depends on the design alone, so late sources and later
 * batches find their places by themselves.  Exact as a double.
 */
uint64_t at_design_order(uint32_t rank, uint32_t score);


#endif /* AT_DESIGN_H */
