/*
 * What the files of core/feed/ share and nobody else includes.
 *
 *     at_feed.c          the table of sources, names
 *     at_feed_call.c     from a query to a call, by the source's template
 *     at_feed_answer.c   the frame of every answer, and its JSON
 *     at_feed_item.c     from the fields of an item to a design
 *     at_feed_error.c    answers that are no success
 *     at_feed_quota.c    what headers say of limits
 *     at_feed_filter.c   filters that a source could not apply; colours
 *     at_feed_join.c     the keys by which exact copies are known
 *     at_feed_text.c     text of strangers: clean, bounded, without HTML
 *     at_feed_url.c      URLs of strangers: checked, canonical
 *     at_feed_args.c     query arguments (at_feed_query.h)
 *     at_feed_key.c      normal form of the text, and the key
 *     at_feed_<source>.c a source
 *
 * All that a design points to lies in blocks of the answer, which
 * at_feed_answer_free() frees at once.
 */

#ifndef AT_FEED_INTERNAL_H
#define AT_FEED_INTERNAL_H


#include "at_feed.h"
#include "at_feed_key.h"
#include "../at_args.h"
#include "../at_hash.h"
#include "../at_json.h"
#include "../at_text.h"


#define AT_FEED_VALUES_MAX   400000
#define AT_FEED_STRING_MAX   16384      /* bytes read of a string */
#define AT_FEED_ITEM_MAX     (128 * 1024)
#define AT_FEED_HEAD_MAX     512        /* bytes kept of an error's body */
#define AT_FEED_BUCKETS_MAX  8
#define AT_FEED_NAME_MAX     100        /* code points of an author's name */
#define AT_FEED_SIDE_MAX     1000000    /* pixels */
#define AT_FEED_JOIN_MAX     160        /* bytes; a longer one is hashed */
#define AT_FEED_ITEMS_PATHS  3

/* What sources that need a text are asked for when the query has none. */
#define AT_FEED_ANY_TEXT     "interior design"


enum {
    AT_FEED_I_PEXELS,
    AT_FEED_I_UNSPLASH,
    AT_FEED_I_PIXABAY,
    AT_FEED_I_FLICKR,
    AT_FEED_I_WIKIMEDIA,
    AT_FEED_I_RAWPIXEL,
    AT_FEED_I_OPENVERSE
};


/*
 * What a field of an item means.  Of the fields of one slot the one listed
 * first counts, if it is not empty; one path can fill several slots.
 */
typedef enum {
    AT_FEED_S_ID,
    AT_FEED_S_TITLE,
    AT_FEED_S_URL,
    AT_FEED_S_THUMB,
    AT_FEED_S_WIDTH,
    AT_FEED_S_HEIGHT,
    AT_FEED_S_COLOR,
    AT_FEED_S_BLURHASH,
    AT_FEED_S_AUTHOR,
    AT_FEED_S_AUTHOR_URL,
    AT_FEED_S_PAGE,
    AT_FEED_S_LICENSE,
    AT_FEED_S_ATTRIBUTION,
    AT_FEED_S_ORDER,            /* place in the answer, where not as read */
    AT_FEED_S_OWN               /* and behind: the source's own */
} at_feed_slot_e;

#define AT_FEED_SLOTS  40


typedef struct {
    const char  *path;          /* below the item, as in ".src.medium" */
    unsigned     slot;
} at_feed_field_t;


typedef struct {
    size_t       start;         /* in text */
    size_t       len;
    unsigned     rank;          /* of its field; 0: empty */
} at_feed_value_t;


typedef struct {
    at_buf_t         text;
    at_feed_value_t  values[AT_FEED_SLOTS];
} at_feed_item_t;


/* What one kind of limit says: all headers with one suffix. */
typedef struct {
    char                     name[24];
    at_feed_quota_t          quota;
} at_feed_bucket_t;


typedef struct at_feed_block_s  at_feed_block_t;

struct at_feed_block_s {
    at_feed_block_t         *next;
    size_t                   used;
    size_t                   size;
    char                     data[];
};


struct at_feed_private_s {
    at_feed_block_t         *blocks;
    at_json_t               *json;
    at_feed_item_t           item;
    size_t                   prefix;        /* of paths below the item; 0:
                                               between items */
    int64_t                 *places;        /* S_ORDER of each design */

    unsigned                 page;
    uint32_t                 ranked;
    unsigned                 status;
    int64_t                  now;
    size_t                   bytes;
    char                     head[AT_FEED_HEAD_MAX];
    size_t                   nhead;
    unsigned                 marks;         /* bytes of a BOM read */

    int64_t                  total;         /* of all pages; -1: not said */
    int64_t                  pages;
    int64_t                  code;          /* the source's own; -1 */
    at_feed_bucket_t         buckets[AT_FEED_BUCKETS_MAX];
    size_t                   nbuckets;

    at_feed_outcome_e        outcome;       /* with failed */
    unsigned                 failed:1;
    unsigned                 begun:1;       /* no BOM is to come */
    unsigned                 listed:1;      /* the list of items was there */
    unsigned                 continued:1;
    unsigned                 encoded:1;     /* Content-Encoding */
    unsigned                 last:1;        /* said to be the last page */
};


/* The constants of a source. */
struct at_feed_rules_s {
    /* The call. */
    const char              *path;
    const char              *any_path;      /* for the empty query; or NULL */
    const char              *fixed;         /* arguments that never change */
    const char              *text;          /* name of the argument; */
    const char              *prefix;        /* what its value begins with */
    unsigned                 text_max;      /* code points */
    const char              *operators;     /* of its query language: sent as
                                               blanks */
    const char              *page;          /* name of the argument */
    const char              *per_page;
    unsigned                 offset:1;      /* page is an offset from 0 */
    const char              *orientation;
    const char              *orientations[AT_FEED_ORIENTATIONS];
    const char              *color;
    const char              *colors[AT_FEED_COLORS];
    const char              *exclude;       /* takes names of sources, of */
    unsigned                 copies;        /* those it has copies of */
    const char              *header;        /* one more, and its value */
    const char              *header_value;

    /* The answer. */
    const char              *items[AT_FEED_ITEMS_PATHS];    /* "*": any name */
    const at_feed_field_t   *fields;
    const char              *total;         /* path; or NULL */
    const char              *pages;
    const char              *license;       /* of all; or NULL */
    const char              *credit;        /* "Photo by %s on Pexels" is made
                                               of "Photo" */
    unsigned                 colored:1;     /* its items tell a colour */
    unsigned                 unlisted:1;    /* zero hits: no list at all */
    unsigned                 ordered:1;     /* by S_ORDER */
    unsigned                 continues:1;   /* a last page says no "continue" */
    unsigned                 repeats:1;     /* pages behind the last repeat */
    unsigned                 ends_404:1;    /* the page behind the last */

    /*
     * What the table cannot say, or NULL.  item: the design is filled from
     * the slots and may be changed; AT_ERROR: it is dropped.  joins: adds the
     * keys of what the design is a copy of.  value: a scalar outside items.
     * end: the JSON of a 2xx is whole; may call at_feed_fail().  error: the
     * status is no 2xx; AT_FEED_OK to leave it to the common rules.
     */
    int    (*item)(at_feed_answer_t *a, at_design_t *d);
    void   (*joins)(at_feed_answer_t *a, at_design_t *d);
    void   (*value)(at_feed_answer_t *a, const char *path, at_str_t text);
    void   (*end)(at_feed_answer_t *a);
    int    (*error)(at_feed_answer_t *a, at_str_t head);
};


extern const at_feed_rules_t  at_feed_pexels;
extern const at_feed_rules_t  at_feed_unsplash;
extern const at_feed_rules_t  at_feed_pixabay;
extern const at_feed_rules_t  at_feed_flickr;
extern const at_feed_rules_t  at_feed_wikimedia;
extern const at_feed_rules_t  at_feed_rawpixel;
extern const at_feed_rules_t  at_feed_openverse;


/* The outcome of the answer, unless there is one; returns AT_ERROR. */
int at_feed_fail(at_feed_answer_t *a, at_feed_outcome_e outcome,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Memory of the answer.  Without any the answer fails, and NULL or an empty
 * string is returned.
 */
char *at_feed_alloc(at_feed_answer_t *a, size_t len);
at_str_t at_feed_copy(at_feed_answer_t *a, at_str_t s);
at_str_t at_feed_printf(at_feed_answer_t *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The value of a slot of the item that is read; may be empty. */
at_str_t at_feed_slot(const at_feed_answer_t *a, unsigned slot);
void at_feed_item_value(at_feed_answer_t *a, const char *path,
    at_str_t text);
void at_feed_item_begin(at_feed_answer_t *a);
int at_feed_item_end(at_feed_answer_t *a);

/* A number without sign, saturated at INT64_MAX; -1: none. */
int64_t at_feed_number(at_str_t s);

/* Pixels, or 0. */
uint32_t at_feed_side(at_str_t s);


void at_feed_error_end(at_feed_answer_t *a);

void at_feed_quota_header(at_feed_answer_t *a, at_str_t name,
    at_str_t value);
void at_feed_quota_end(at_feed_answer_t *a);


/* 1: the design is what the query asks for, as far as the source did not. */
int at_feed_filter(const at_feed_answer_t *a, const at_design_t *d);

/* "#RRGGBB" in upper case, or an empty string. */
at_str_t at_feed_color(at_feed_answer_t *a, at_str_t s);
at_feed_color_e at_feed_color_nearest(at_str_t color);
at_feed_color_e at_feed_color_find(at_str_t name);


/* Fills d->joins. */
void at_feed_joins(at_feed_answer_t *a, at_design_t *d);

/* Adds "prefix:name", hashed if it is long. */
void at_feed_join_add(at_feed_answer_t *a, at_design_t *d,
    const char *prefix, at_str_t name);

/* The same for a file of Wikimedia Commons, however it is encoded. */
void at_feed_join_file(at_feed_answer_t *a, at_design_t *d, at_str_t file);


/*
 * Clean text of at most max code points: UTF-8, entities decoded, one line,
 * single blanks.  html: tags are taken out, with what styles and scripts hold.
 */
at_str_t at_feed_text(at_feed_answer_t *a, at_str_t s, size_t max, int html);

/* A title made of the last part of a page's path: "a-sofa-123" -> "a sofa" */
at_str_t at_feed_text_slug(at_feed_answer_t *a, at_str_t url);


/*
 * A copy of an http(s) URL that can stand in a page: bytes that may not be in
 * it are encoded, "//host" gets its scheme.  Empty: it is none.
 */
at_str_t at_feed_url(at_feed_answer_t *a, at_str_t s);

/* Equal for URLs of the same thing: no scheme, tracking or fragment. */
at_str_t at_feed_url_canonical(at_feed_answer_t *a, at_str_t url);

/* Host (without port) and path (from "/" on, without arguments) of a URL. */
at_str_t at_feed_url_host(at_str_t url);
at_str_t at_feed_url_path(at_str_t url);

/* The value of an argument as it stands there; empty if there is none. */
at_str_t at_feed_url_arg(at_str_t url, const char *name);

/* url with "utm_source=app&utm_medium=referral" for its old ones. */
at_str_t at_feed_url_utm(at_feed_answer_t *a, at_str_t url);

/* The part of a path behind its last "/". */
at_str_t at_feed_url_last(at_str_t path);

int at_feed_host_is(at_str_t host, const char *domain);


/* Appends s percent-encoded; all but letters, digits and "-._~". */
int at_feed_encode(at_buf_t *b, at_str_t s);


#endif /* AT_FEED_INTERNAL_H */
