/*
 * Image sources: how each is asked, and what its answers mean.
 *
 * A source is a row of the table in at_feed.c and a file at_feed_<source>.c
 * of constants; it has code only where it is odd.  Who drives it (the fill in
 * nginx, a test, a fuzzer) takes the call, makes it, and feeds status,
 * headers and body bytes of the answer as they arrive; at the end there is an
 * outcome and a list of designs.  No connection, key or clock is known here:
 * the location that makes the call adds address and key.
 *
 * The driver frees calls and answers; an answer owns its designs.  A query
 * must outlive what is made with it.
 */

#ifndef AT_FEED_H
#define AT_FEED_H


#include "../at.h"
#include "../at_design.h"


#define AT_FEED_SOURCES      7
#define AT_FEED_ALL          ((1u << AT_FEED_SOURCES) - 1)
#define AT_FEED_ANSWER_MAX   (2 * 1024 * 1024)  /* bytes of a body */
#define AT_FEED_DEPTH        64
#define AT_FEED_URL_MAX      2048
#define AT_FEED_TITLE_MAX    200                /* code points */
#define AT_FEED_HEADERS_MAX  2


typedef enum {
    AT_FEED_OK,                 /* maybe without a design */
    AT_FEED_TIMEOUT,            /* the driver's, or a gateway's 504 */
    AT_FEED_RATE_LIMITED,       /* ask again after retry_after_ms */
    AT_FEED_AUTH,               /* the key is missing or refused */
    AT_FEED_PARSE,              /* not the answer of such a source, or cut */
    AT_FEED_DISABLED,           /* the driver's: it was not asked */
    AT_FEED_ERROR               /* all else; passing */
} at_feed_outcome_e;


typedef enum {
    AT_FEED_ORIENTATION_ANY,
    AT_FEED_LANDSCAPE,
    AT_FEED_PORTRAIT,
    AT_FEED_SQUARE              /* sides within a tenth */
} at_feed_orientation_e;

#define AT_FEED_ORIENTATIONS  4


typedef enum {
    AT_FEED_COLOR_ANY,
    AT_FEED_RED,
    AT_FEED_ORANGE,
    AT_FEED_YELLOW,
    AT_FEED_GREEN,
    AT_FEED_TURQUOISE,
    AT_FEED_BLUE,
    AT_FEED_VIOLET,
    AT_FEED_PINK,
    AT_FEED_BROWN,
    AT_FEED_BLACK,
    AT_FEED_GRAY,
    AT_FEED_WHITE
} at_feed_color_e;

#define AT_FEED_COLORS  13


/* What is looked for; at_feed_args_parse() makes it, normalised. */
typedef struct {
    at_str_t               text;        /* empty: whatever is beautiful */
    at_feed_orientation_e  orientation;
    at_feed_color_e        color;
    unsigned               sources;     /* bit i: at_feed_source(i); never 0 */

    /*
     * The application's name as sources that demand it see it in links
     * (utm_source); letters, digits, "-" and "_"; empty: "atelier".
     */
    at_str_t               app;
} at_feed_query_t;


typedef struct at_feed_rules_s  at_feed_rules_t;


/* A row of the table. */
typedef struct {
    at_str_t                name;       /* "pexels" */
    at_str_t                label;      /* "Pexels", for people */
    unsigned                index;      /* its bit in masks */
    unsigned                size;       /* designs in the largest page */
    unsigned                pages;      /* upstream pages that can be asked */

    /*
     * 1: its calls have paths, so its location ends in "/" and stands for the
     * root of the API (https://api.pexels.com/v1/, https://api.unsplash.com/).
     * 0: calls have none and the location is the address that searches
     * (https://pixabay.com/api/).
     */
    unsigned                paths:1;

    unsigned                keyless:1;      /* can be asked without a key */
    unsigned                pings:1;        /* wants to hear of downloads */
    unsigned                hotlink:1;      /* its pictures are to be loaded
                                               from its own addresses */

    unsigned                keep;       /* seconds an answer has to be kept
                                           for; 0: as anybody's */
    unsigned                parallel;   /* calls at once; 0: any */
    const at_feed_rules_t  *rules;
} at_feed_source_t;


typedef struct {
    at_str_t  name;
    at_str_t  value;
} at_feed_header_t;


/* Always a GET.  The strings lie in text; at_feed_call_free() frees it. */
typedef struct {
    at_str_t          path;     /* appended to the location's; or empty */
    at_str_t          args;     /* encoded, without "?" and without a key */
    at_feed_header_t  headers[AT_FEED_HEADERS_MAX];
    size_t            nheaders;
    at_buf_t          text;
} at_feed_call_t;


/* What an answer says of a limit.  Of several, the one nearest its end. */
typedef struct {
    unsigned  has:1;
    int64_t   limit;            /* -1: not said, as for the others */
    int64_t   remaining;
    int64_t   reset_ms;         /* from now */
    int64_t   window_ms;
} at_feed_quota_t;


typedef struct at_feed_private_s  at_feed_private_t;


typedef struct {
    const at_feed_source_t  *source;
    const at_feed_query_t   *query;

    at_design_t             *designs;
    size_t                   ndesigns;
    size_t                   received;      /* items, before filters */
    unsigned                 more:1;        /* the next page may have some */
    int64_t                  retry_after_ms;    /* -1: nothing said */
    at_feed_quota_t          quota;
    char                     reason[128];   /* one sentence for logs, or "";
                                               none of it is the source's */
    at_feed_private_t       *private;
} at_feed_answer_t;


/* In the order pexels unsplash pixabay flickr wikimedia rawpixel openverse. */
const at_feed_source_t *at_feed_source(unsigned index);

/* NULL: no such source. */
const at_feed_source_t *at_feed_source_find(at_str_t name);

/* "pexels, unsplash, ...", for error messages. */
const char *at_feed_source_names(void);

/* "ok", "timeout", "rate_limited", ... */
const char *at_feed_outcome_name(at_feed_outcome_e outcome);


/*
 * 0: there is no sense in asking this source, as the query leaves it out, or
 * asks for a colour of which the source knows nothing.
 */
int at_feed_serves(const at_feed_source_t *source,
    const at_feed_query_t *query);

/*
 * The call for an upstream page, from 1 on.  exclude: the other sources that
 * are asked themselves, of which it shall give no copies.  AT_ERROR: no such
 * page; or AT_NO_MEMORY.  There is nothing to free then.
 */
int at_feed_call(const at_feed_source_t *source,
    const at_feed_query_t *query, unsigned page, unsigned exclude,
    at_feed_call_t *call);

/*
 * The call that tells a source with pings=1 of the download of a design:
 * native is its id behind the colon, url its url.  AT_ERROR also if the
 * source wants none.
 */
int at_feed_download(const at_feed_source_t *source, at_str_t native,
    at_str_t url, at_feed_call_t *call);

void at_feed_call_free(at_feed_call_t *call);


/*
 * An answer begins.  page is what was asked, ranked the number of ranks the
 * source has given out for this query before: the first design gets the one
 * behind.  now is seconds since 1970.  NULL: no memory.
 */
at_feed_answer_t *at_feed_answer_create(const at_feed_source_t *source,
    const at_feed_query_t *query, unsigned page, uint32_t ranked,
    unsigned status, int64_t now);

/* Names come in any case. */
void at_feed_answer_header(at_feed_answer_t *a, at_str_t name,
    at_str_t value);

/*
 * AT_ERROR: more bytes cannot change the outcome (too many, or not JSON); the
 * driver stops reading and calls at_feed_answer_end().
 */
int at_feed_answer_data(at_feed_answer_t *a, const uint8_t *p, size_t len);

/*
 * complete is 0 when the connection broke before the answer was whole.  With
 * any outcome but AT_FEED_OK there are no designs, and more is 1, as nothing
 * is known of what comes next.
 */
at_feed_outcome_e at_feed_answer_end(at_feed_answer_t *a, int complete);

void at_feed_answer_free(at_feed_answer_t *a);


#endif /* AT_FEED_H */
