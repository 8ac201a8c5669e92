/*
 * Stand-ins for image sources: what their files share.
 *
 * A query's items are a list that its words alone decide: corpus.c makes any
 * of them at any time, nothing is stored.  source.c takes a call through key,
 * parameters, quota, latency and faults; a file a source reads its parameters
 * and writes its items; cdn.c serves the pictures.
 */

#ifndef SANDBOX_SOURCE_H
#define SANDBOX_SOURCE_H


#include "photo.h"
#include "sandbox.h"


#define SB_PAGE_MAX    500              /* items of one answer */
#define SB_ITEMS_MAX   16000            /* of a query, before filters */
#define SB_TEXT_MAX    256              /* bytes of a query kept */


typedef enum {
    SB_SOURCE_PEXELS,
    SB_SOURCE_UNSPLASH,
    SB_SOURCE_PIXABAY,
    SB_SOURCE_FLICKR,
    SB_SOURCE_WIKIMEDIA,
    SB_SOURCE_RAWPIXEL,
    SB_SOURCE_OPENVERSE,
    SB_SOURCES
} sb_source_e;


/* Shapes, as a mask. */
#define SB_SHAPE_WIDE    1
#define SB_SHAPE_TALL    2
#define SB_SHAPE_SQUARE  4


typedef struct {
    sb_source_e  source;                /* whose; Openverse has copies */
    unsigned     index;                 /* in its source's list */
    uint64_t     number;                /* its id, 34 bits */
    uint64_t     key;                   /* moves what is not listed here */
    sb_photo_t   photo;
    unsigned     license;               /* of the source's own kind */
    unsigned     author;                /* below SB_AUTHORS */
    unsigned     odd;                   /* 0..39; a few mean something */
} sb_item_t;


#define SB_AUTHORS  240


/* A query: what is asked for, and how far it has been walked. */
typedef struct {
    sb_source_e  source;
    char         words[SB_TEXT_MAX];
    uint64_t     hash;                  /* of words and source */
    uint64_t     pool;                  /* of words alone */
    unsigned     total;
    unsigned     shapes;                /* 0: any */
    int          tint;                  /* -1: any */
    uint32_t     licenses;              /* a mask, by the source's own
                                           numbers; 0: any */
    unsigned     sources;               /* of Openverse, a mask */
    unsigned     next;
    unsigned     copies[SB_SOURCES];
} sb_listing_t;


/* A call for items. */
typedef struct {
    sb_listing_t   listing;
    unsigned long  page;
    unsigned long  per_page;
    unsigned long  first;               /* of the items shown */
    sb_item_t      items[SB_PAGE_MAX];
    unsigned       n;
    unsigned       count;               /* that match in all */
    unsigned       most;                /* of which there are no more than */
    unsigned       curated:1;           /* Pexels: no query */
    unsigned       version:2;           /* of the format, where it has some */
    unsigned       authorized:1;
    unsigned       jsonp:1;
    unsigned       thumbs:12;           /* Wikimedia: width asked for */
    const char    *extras;              /* Flickr; Wikimedia's filter */
} sb_search_t;


typedef struct {
    unsigned  limit;                    /* 0: none */
    unsigned  seconds;
} sb_window_t;


struct sb_source_s {
    sb_source_e  source;
    sb_window_t  windows[SB_WINDOWS];
    unsigned     crowd;                 /* calls at once; 0: any number */

    /* SB_ERROR: the call is refused and the answer says why. */
    int        (*ask)(sb_call_t *c, sb_search_t *s);
    void       (*tell)(sb_call_t *c, sb_search_t *s);

    /* In its own words: asked too often; the seconds to wait. */
    void       (*throttle)(sb_call_t *c, double seconds);

    /* How a picture is asked for; path is what follows the photo's name. */
    int        (*look)(sb_call_t *c, const char *path, sb_photo_view_t *view);
};


/* corpus.c */

void sb_listing_begin(sb_listing_t *l, sb_call_t *c, const char *words);
int sb_listing_next(sb_listing_t *l, sb_item_t *item);
void sb_search_run(sb_search_t *s);
unsigned sb_item_shape(const sb_item_t *item);
void sb_item_title(const sb_item_t *item, const char *words, char *dst,
    size_t size);
void sb_item_author(const sb_item_t *item, char *dst, size_t size);
void sb_item_handle(const sb_item_t *item, char *dst, size_t size);
void sb_item_uuid(const sb_item_t *item, char *dst, size_t size);


/* cdn.c */

int sb_cdn_load(uint64_t key, sb_picture_t *p);
void sb_cdn_store(uint64_t key, const sb_picture_t *p);
void sb_cdn_base(const sb_call_t *c, const sb_item_t *item, char *dst,
    size_t size);


/* The formats: where a source's pictures are, for Openverse's copies too. */

int sb_imgix_look(sb_call_t *c, const char *path, sb_photo_view_t *view);
void sb_unsplash_downloaded(sb_call_t *c, const char *id);
unsigned sb_flickr_url(const sb_call_t *c, const sb_item_t *item, char letter,
    char *dst, size_t size);
uint64_t sb_flickr_id(const sb_item_t *item);
void sb_flickr_owner(const sb_item_t *item, char *dst, size_t size);
void sb_wikimedia_name(const sb_item_t *item, const char *words, char *dst,
    size_t size);
void sb_wikimedia_url(const sb_call_t *c, const sb_item_t *item,
    const char *words, unsigned width, char *dst, size_t size);
void sb_rawpixel_url(const sb_call_t *c, const sb_item_t *item,
    const char *kind, char *dst, size_t size);
unsigned sb_openverse_license_index(const sb_item_t *item);


/* source.c */

int sb_source_meter(sb_call_t *c);
const char *sb_arg(sb_call_t *c, const char *name);
int sb_arg_number(sb_call_t *c, const char *name, unsigned long usual,
    unsigned long *v);
int sb_arg_listed(const char *list, const char *name);
int sb_key_ok(const char *key);
int sb_tint_find(const char *name);
void sb_gen_format(yajl_gen g, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void sb_percent(char *dst, size_t size, const char *src, const char *safe);


#endif /* SANDBOX_SOURCE_H */
