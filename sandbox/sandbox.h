/*
 * What the files of the sandbox share.
 *
 * The sandbox stands in for outside services, so that development, the demo
 * and the tests need neither accounts nor the internet.  It is one process,
 * one thread a connection, and shares no code with what it is used to test:
 * a misreading of a wire format must not cancel out.
 *
 * server.c owns a call from its first header to the end of its answer; every
 * other file fills the call's answer and keeps nothing.  state.c owns what
 * outlives a call: providers, their settings and counters, stored pictures.
 */

#ifndef SANDBOX_H
#define SANDBOX_H


#include <stddef.h>
#include <stdint.h>

#include <microhttpd.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>


#define SB_BODY_MAX       ((size_t) 1024 * 1024)    /* of a request */
#define SB_DISCARD_MAX    ((size_t) 8 * 1024 * 1024)
#define SB_MEMORY_MAX     ((size_t) 512 * 1024 * 1024)
#define SB_NAME_MAX       32
#define SB_PROVIDERS_MAX  64
#define SB_CONNECTIONS    1024
#define SB_CALLS_MAX      960           /* the rest is kept for _control */
#define SB_IDLE_TIMEOUT   75            /* seconds */
#define SB_SEND_TIMEOUT   120           /* seconds without a byte taken */
#define SB_WAIT_MAX_MS    (15 * 60 * 1000)
#define SB_JSON_DEPTH     64
#define SB_HEADERS_MAX    16
#define SB_WINDOWS        2             /* of a quota */
#define SB_PICTURES_MAX   10
#define SB_SIDE_MIN       64
#define SB_SIDE_MAX       2048

#define SB_GOLDEN         ((uint64_t) 0x9e3779b97f4a7c15)   /* splitmix64 */

#define SB_OK             0
#define SB_ERROR          (-1)


/* A growing string, always followed by a NUL. */
typedef struct {
    char      *data;
    size_t     len;
    size_t     size;
    unsigned   failed:1;        /* no memory: the content is not whole */
} sb_buf_t;


typedef enum {
    SB_MODE_OK,
    SB_MODE_RATE_LIMIT,
    SB_MODE_MODERATED,
    SB_MODE_TRUNCATED,
    SB_MODE_EMPTY,
    SB_MODE_HANG,
    SB_MODE_HANG_BODY,
    SB_MODE_DRIP,
    SB_MODE_OVERSIZED,
    SB_MODE_STATUS,
    SB_MODE_GARBAGE,
    SB_MODE_RESET,
    SB_MODE_FAILED,
    SB_MODE_WALL,               /* shops: refused as a robot */
    SB_MODE_PAGE,               /* shops: another page than was meant */
    SB_MODE_ERROR,              /* by errorRate; cannot be set */
    SB_MODES
} sb_mode_e;


typedef enum {
    SB_FORMAT_ASKED,
    SB_FORMAT_PNG,
    SB_FORMAT_JPEG,
    SB_FORMAT_WEBP,
    SB_FORMAT_GIF               /* for garbage only */
} sb_format_e;


/* How a picture travels. */
typedef enum {
    SB_REPLY_ASKED,
    SB_REPLY_B64,
    SB_REPLY_URL,
    SB_REPLY_DATA_URL,
    SB_REPLY_RAW
} sb_reply_e;


typedef enum {
    SB_LATENCY_FIXED,
    SB_LATENCY_RANGE,
    SB_LATENCY_LOGNORMAL
} sb_latency_e;


/* What a fault hits. */
typedef enum {
    SB_ON_CALL,                 /* the generation */
    SB_ON_FILE,                 /* GET of a picture */
    SB_ON_POLL,                 /* GET of a prediction */
    SB_ON_DOWNLOAD,             /* Unsplash's ping */
    SB_ON_ROBOTS,               /* robots.txt of a shop */
    SB_ON_PRODUCT,              /* a shop's pages of one product */
    SB_ON_LISTING,              /* and of several */
    SB_ON_NOTHING
} sb_target_e;


/* What robots.txt of a shop says. */
typedef enum {
    SB_ROBOTS_USUAL,
    SB_ROBOTS_OPEN,
    SB_ROBOTS_CLOSED,
    SB_ROBOTS_NONE,
    SB_ROBOTS_LARGE,
    SB_ROBOTS_DELAY
} sb_robots_e;


typedef struct {
    sb_mode_e     mode;
    char          variant[32];          /* "": the default of the format */
    long long     times;                /* -1: until changed */
    sb_latency_e  latency;
    double        latency_a;            /* ms: fixed, min or p50 */
    double        latency_b;            /* ms: max or p95 */
    double        error_rate;
    double        retry_after;          /* seconds */
    unsigned      status;               /* for SB_MODE_STATUS */
    long long     bytes_per_second;     /* for SB_MODE_DRIP */
    sb_reply_e    response;
    sb_format_e   format;
    uint64_t      seed;
    sb_target_e   on;
    long long     queue_ms;             /* of predictions: before they run */
    long long     run_ms;
    long long     remaining;            /* told as ratelimit-remaining */
    long long     items;                /* of a query; -1: by its words */
    long long     limit;                /* of the first window; -1: usual */
    long long     long_limit;           /* of the second */
    long long     window_ms;            /* 0: usual */
    double        pace;                 /* of a shop's clock */
    long long     look;                 /* of its pages; 0: today's */
    sb_robots_e   robots;
    unsigned      has_seed:1;
    unsigned      list:1;               /* output is a list */
} sb_settings_t;


typedef enum {
    SB_COUNT_CALLS,
    SB_COUNT_OK,
    SB_COUNT_REFUSED,
    SB_COUNT_ABORTED,
    SB_COUNT_CANCELS,
    SB_COUNT_STOPPED,
    SB_COUNT_POLLS,
    SB_COUNT_IN_FLIGHT,
    SB_COUNT_FILES,
    SB_COUNT_LEAKS,
    SB_COUNT_LAST_ABORT_MS,
    SB_COUNT_MAX_IN_FLIGHT,
    SB_COUNT_LIMITED,
    SB_COUNT_DOWNLOADS,
    SB_COUNT_ROBOTS,
    SB_COUNT_NOT_MODIFIED,
    SB_COUNT_DISALLOWED,
    SB_COUNT_MIN_GAP_MS,                /* -1: not yet two calls */
    SB_COUNT_MODE,                      /* SB_MODES of them */
    SB_COUNTS = SB_COUNT_MODE + SB_MODES
} sb_count_e;


/* A window of a quota; the last is set in a call's own copy only. */
typedef struct {
    long long  limit;                   /* -1: none */
    long long  used;
    int64_t    ms;
    int64_t    began;
    unsigned   epoch;
    int64_t    left_ms;
} sb_quota_t;


/*
 * Never freed before the process ends; fields are under state.c's lock, but
 * for the quota, which is under that of quota.c.
 */
typedef struct {
    char           name[SB_NAME_MAX + 1];
    sb_settings_t  settings;
    long long      left;                /* of settings.times */
    int64_t        counts[SB_COUNTS];
    uint64_t       random;
    int64_t        busy;                /* calls being answered */
    int64_t        began;               /* the latest call; monotonic ms */
    sb_quota_t     quota[SB_WINDOWS];
    unsigned       epoch;               /* grows with each reset */
    char          *last;                /* JSON of the last call, or NULL */
} sb_provider_t;


typedef enum {
    SB_DELIVER_WHOLE,
    SB_DELIVER_SHORT,           /* half of the announced, then close */
    SB_DELIVER_STALL,           /* half, then silence */
    SB_DELIVER_DRIP,
    SB_DELIVER_ENDLESS,
    SB_DELIVER_HANG,            /* nothing at all */
    SB_DELIVER_RESET,           /* RST at once */
    SB_DELIVER_RESET_BODY,      /* RST after half */
    SB_DELIVER_CLOSE            /* the client has gone, or no memory */
} sb_deliver_e;


typedef struct {
    unsigned      status;
    char          type[64];             /* "": no Content-Type */
    struct {
        char      name[40];
        char      value[1000];
    }             headers[SB_HEADERS_MAX];
    size_t        nheaders;
    sb_buf_t      body;
    sb_deliver_e  deliver;
    uint64_t      total;                /* ENDLESS: announced; 0: chunked */
    long long     bytes_per_second;
} sb_answer_t;


typedef struct sb_api_s     sb_api_t;
typedef struct sb_form_s    sb_form_t;
typedef struct sb_source_s  sb_source_t;


typedef enum {
    SB_ROUTE_NONE,
    SB_ROUTE_CONTROL,
    SB_ROUTE_API,
    SB_ROUTE_POLL,
    SB_ROUTE_CANCEL,
    SB_ROUTE_FILE,
    SB_ROUTE_SEARCH,
    SB_ROUTE_DOWNLOAD,
    SB_ROUTE_PHOTO,
    SB_ROUTE_SHOP,
    SB_ROUTE_SHOP_PHOTO,
    SB_ROUTE_ROBOTS
} sb_route_e;


/* A good of a shop, as an answer tells of it. */
typedef struct {
    unsigned  index;
    unsigned  version;
} sb_shown_t;


/* A request and its answer; made and freed by server.c. */
typedef struct {
    struct MHD_Connection  *connection;
    int                     fd;
    sb_route_e              route;
    const sb_api_t         *api;
    sb_provider_t          *provider;
    unsigned                epoch;
    sb_settings_t           settings;   /* as the call began */
    sb_mode_e               mode;
    char                    method[16];
    char                   *path;
    const char             *rest;       /* path behind the provider */
    sb_buf_t                body;
    sb_answer_t             answer;
    uint64_t                sent;
    int64_t                 started;    /* monotonic ms */
    double                  began;      /* ... with its fraction */
    size_t                  memory;     /* charged to the whole */
    sb_quota_t              quota[SB_WINDOWS];
    const struct sb_shop_s *shop;
    sb_target_e             page;       /* of a shop: what a fault may hit */
    sb_shown_t             *shown;      /* by its answer */
    unsigned                nshown;
    unsigned                hosted:1;   /* the shop is told by Host */
    unsigned                metered:1;  /* quota is valid */
    unsigned                limited:1;  /* asked too often */
    unsigned                busy:1;     /* counted as such */
    unsigned                counted:1;  /* in flight */
    unsigned                decided:1;  /* mode is valid */
    unsigned                ok:1;       /* counted as such */
    unsigned                refused:1;
    unsigned                aborted:1;
    unsigned                broken:1;   /* we break the answer on purpose */
    unsigned                too_big:1;
    unsigned                no_memory:1;
    unsigned                answered:1;
} sb_call_t;


typedef struct {
    const char  *code;          /* OpenAI: code; Stability: name;
                                   Replicate: title */
    const char  *param;
    const char  *type;          /* OpenAI only; NULL: the usual one */
    char         message[512];
} sb_error_t;


/* What a well-formed request asks for. */
typedef struct {
    sb_buf_t      prompt;
    const char   *model;
    unsigned      width;
    unsigned      height;
    unsigned      n;
    uint64_t      seed;
    sb_format_e   format;
    sb_reply_e    reply;
    unsigned      quality;              /* of JPEG and WebP; 0: usual */
    unsigned      gpt:1;                /* OpenAI's newer answer */
    unsigned      revised:1;            /* says revised_prompt */
    /* Set by faults.c: */
    unsigned      filtered:1;
    unsigned      disrespect:1;         /* respect_moderation: false */
    unsigned      disrespect_top:1;
    const char   *url;                  /* instead of the picture's own */
    const char   *ending;               /* of the work; NULL: "succeeded" */
    const char   *failure;              /* what is said of it, or NULL */
    unsigned      nsfw:1;               /* has_nsfw_concepts: true */
    /* Replicate only, in ms; -1: not said: */
    int64_t       wait_ms;              /* Prefer: wait */
    int64_t       cancel_after_ms;
    /* The request as parsed; one of them: */
    yajl_val      json;
    sb_form_t    *form;
} sb_job_t;


typedef struct {
    sb_buf_t     data;
    const char  *type;
    const char  *ext;
    sb_buf_t     b64;           /* if not empty, instead of data's own */
    uint64_t     seed;
    unsigned     null:1;
} sb_picture_t;


/* A wire format. */
struct sb_api_s {
    const char  *name;
    const char  *moderated;     /* default variant of that mode; or NULL */
    const char  *failed;        /* the same */
    const char  *credit;        /* code of a 402; NULL: has none */
    unsigned     url:1;         /* can answer with URLs */

    /* SB_ERROR: the request is refused and the answer says why. */
    int   (*read)(sb_call_t *c, sb_job_t *job);
    void  (*write)(sb_call_t *c, const sb_job_t *job, sb_picture_t *p);
    void  (*error)(sb_call_t *c, unsigned status, const sb_error_t *e);

    /* The service's usual words for 429, 500, 502, 503. */
    void  (*failure)(sb_call_t *c, unsigned status);

    /* SB_ERROR: no such variant.  May set flags of the job instead. */
    int   (*moderate)(sb_call_t *c, sb_job_t *job, const char *variant);

    /* The same for work that fails; NULL: the request is all there is. */
    int   (*fail)(sb_call_t *c, sb_job_t *job, const char *variant);

    /* What every answer has beside its own; or NULL. */
    void  (*decorate)(sb_call_t *c);

    /* Of a source of images; NULL: the format makes pictures. */
    const sb_source_t  *source;
};


/* Work that outlives its call, as it is made. */
typedef struct {
    char         id[33];
    char         provider[SB_NAME_MAX + 1];
    char        *model;
    char        *input;         /* JSON */
    char        *output;        /* JSON */
    const char  *ending;        /* status, once it is over */
    const char  *failure;       /* or NULL */
    uint64_t     seed;
    int64_t      created;       /* monotonic ms, as those below */
    int64_t      starts;
    int64_t      ends;
    int64_t      dies;          /* by Cancel-After; or INT64_MAX */
    int64_t      stopped;       /* by a cancel call; or INT64_MAX */
} sb_prediction_t;


/* How a prediction is told. */
typedef enum {
    SB_TELL_NEW,                /* just made, nothing done yet */
    SB_TELL_WAITED,             /* its end comes with its output */
    SB_TELL_NOW
} sb_tell_e;


/* SB_ERROR: there is no counter of this name. */
typedef int (*sb_condition_value_pt)(const void *data, const char *name,
    size_t len, int64_t *value);


/* text.c */

int sb_buf_add(sb_buf_t *b, const void *data, size_t len);
int sb_buf_print(sb_buf_t *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void sb_buf_free(sb_buf_t *b);
int sb_buf_base64(sb_buf_t *b, const void *data, size_t len);
size_t sb_utf8_length(const char *s);
void sb_printable(char *dst, size_t size, const char *src);
void sb_http_date(char *dst, size_t size, int64_t at);
void sb_hex_id(char *dst, size_t bytes);
uint64_t sb_hash(uint64_t h, const char *s);
uint64_t sb_scramble(uint64_t z);
double sb_now(void);                    /* monotonic ms */
int64_t sb_now_ms(void);


/* json.c */

yajl_val sb_json_parse(const sb_buf_t *text, const char **why);
yajl_val sb_json_get(yajl_val object, const char *name);
const char *sb_json_type(yajl_val v);
yajl_gen sb_gen_new(void);
void sb_gen_text(yajl_gen g, const char *s);
void sb_gen_bytes(yajl_gen g, const char *s, size_t len);
void sb_gen_member(yajl_gen g, const char *name, const char *value);
void sb_gen_member_int(yajl_gen g, const char *name, long long value);
void sb_gen_member_num(yajl_gen g, const char *name, double value);
void sb_gen_value(yajl_gen g, yajl_val v);
void sb_gen_end(yajl_gen g, sb_buf_t *out);


/* form.c */

sb_form_t *sb_form_parse(sb_call_t *c, const char **why);
void sb_form_free(sb_form_t *f);
const char *sb_form_get(const sb_form_t *f, const char *name);
void sb_form_gen(const sb_form_t *f, yajl_gen g);


/* state.c */

int sb_state_init(const char *public_url);
void sb_state_free(void);
void sb_state_stop(void);
int sb_stop_fd(void);
int sb_stopping(void);
const char *sb_public_url(void);
sb_provider_t *sb_provider_find(const char *name, size_t len);
void sb_provider_reset(sb_provider_t *p);
void sb_provider_reset_all(void);
void sb_provider_set(sb_provider_t *p, const sb_settings_t *s);
void sb_provider_print(sb_provider_t *p, sb_buf_t *out);
void sb_provider_print_all(sb_buf_t *out);
int sb_provider_await(sb_provider_t *p, const char *conditions, int64_t ms,
    const char **why);
uint64_t sb_provider_random(sb_provider_t *p);
double sb_provider_chance(sb_provider_t *p);
sb_robots_e sb_provider_robots(sb_provider_t *p);
void sb_count(sb_call_t *c, sb_count_e which, int64_t n);
void sb_count_begin(sb_call_t *c);
void sb_count_end(sb_call_t *c);
void sb_count_abort(sb_call_t *c);
void sb_busy_begin(sb_call_t *c);
void sb_busy_end(sb_call_t *c);
int sb_busy_fits(sb_call_t *c, unsigned most);
sb_target_e sb_call_on(const sb_call_t *c);
void sb_decide(sb_call_t *c);
void sb_provider_last(sb_call_t *c, sb_buf_t *text);
int sb_memory_take(size_t n);
void sb_memory_give(size_t n);


/* conditions.c */

int sb_conditions_hold(sb_condition_value_pt value, const void *data,
    const char *conditions, const char **why);


/* remember.c */

void sb_remember(sb_call_t *c, const sb_job_t *job);


/* quota.c */

int sb_quota_take(sb_call_t *c);
long long sb_quota_remaining(const sb_quota_t *q);
double sb_quota_wait(const sb_call_t *c);


/* source.c, cdn.c */

int sb_route_source(sb_call_t *c);
void sb_serve_search(sb_call_t *c);
void sb_serve_download(sb_call_t *c);
void sb_serve_photo(sb_call_t *c);
void sb_cdn_free(void);


/* shop.c, shop_log.c, shop_control.c */

int sb_route_shop(sb_call_t *c);
void sb_serve_shop(sb_call_t *c);
void sb_serve_shop_photo(sb_call_t *c);
void sb_serve_robots(sb_call_t *c);
void sb_shop_left(sb_call_t *c);
void sb_shop_settle(const sb_provider_t *p, const sb_settings_t *s);
void sb_shop_reset(const sb_provider_t *p);
int sb_control_shop(sb_call_t *c);


/* files.c */

int sb_file_store(const char *provider, const sb_picture_t *p, char *url,
    size_t size);
int sb_file_load(const char *provider, const char *name, sb_buf_t *data,
    const char **type);
void sb_files_free(void);


/* predictions.c */

int sb_prediction_add(sb_prediction_t *p);
int sb_prediction_print(const char *provider, const char *id, sb_tell_e tell,
    sb_buf_t *out);
int sb_prediction_over(const char *provider, const char *id);
int sb_prediction_stop(const char *provider, const char *id);
void sb_predictions_free(void);


/* settings.c */

void sb_settings_default(sb_settings_t *s);
int sb_settings_parse(sb_settings_t *s, yajl_val v, char *member,
    char *message, size_t size);
void sb_settings_gen(const sb_settings_t *s, long long left, yajl_gen g);
const char *sb_mode_name(sb_mode_e mode);


/* server.c */

struct MHD_Daemon *sb_server_start(int listen_fd);
int sb_call_wait(sb_call_t *c, int64_t ms);
int sb_call_wait_fd(sb_call_t *c, int fd, int64_t ms);
const char *sb_call_header(sb_call_t *c, const char *name);


/* deliver.c */

enum MHD_Result sb_deliver(sb_call_t *c);


/* answer.c */

void sb_answer_header(sb_call_t *c, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void sb_answer_type(sb_call_t *c, const char *type);
void sb_answer_begin(sb_call_t *c, unsigned status, const char *type);
void sb_answer_json(sb_call_t *c, unsigned status, yajl_gen g);
void sb_answer_text(sb_call_t *c, unsigned status, const char *type,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void sb_refuse(sb_call_t *c, unsigned status, const char *code,
    const char *param, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
int sb_check_key(sb_call_t *c, const char **key);
int sb_media_type_is(sb_call_t *c, const char *type);


/* control.c, generate.c, faults.c */

void sb_control(sb_call_t *c);
void sb_control_error(sb_call_t *c, unsigned status, const char *member,
    const char *message);
int sb_drawing_init(void);
void sb_drawing_free(void);
int sb_drawing_take(sb_call_t *c);
void sb_drawing_give(void);
void sb_generate(sb_call_t *c);
void sb_serve_file(sb_call_t *c);
int sb_latency_sleep(sb_call_t *c);
int sb_fault_before(sb_call_t *c, sb_job_t *job);
int sb_fault_no_picture(sb_call_t *c, sb_job_t *job);
int sb_fault_pictures(sb_call_t *c, sb_job_t *job, sb_picture_t *p);
void sb_fault_after(sb_call_t *c, const sb_job_t *job);
void sb_fault_variant(sb_call_t *c);


/* replicate.c, polls.c */

int sb_replicate_key(sb_call_t *c);
int sb_replicate_method(sb_call_t *c, const char *method);
void sb_serve_poll(sb_call_t *c);
void sb_serve_cancel(sb_call_t *c);


/* The formats, a file each; file is in generate.c. */

extern const sb_api_t  sb_api_openai;
extern const sb_api_t  sb_api_stability;
extern const sb_api_t  sb_api_stability1;
extern const sb_api_t  sb_api_replicate;
extern const sb_api_t  sb_api_huggingface;
extern const sb_api_t  sb_api_file;
extern const sb_api_t  sb_api_pexels;
extern const sb_api_t  sb_api_unsplash;
extern const sb_api_t  sb_api_pixabay;
extern const sb_api_t  sb_api_flickr;
extern const sb_api_t  sb_api_wikimedia;
extern const sb_api_t  sb_api_rawpixel;
extern const sb_api_t  sb_api_openverse;
extern const sb_api_t  sb_api_shop;


/* picture.c */

int sb_picture_draw(sb_picture_t *p, const char *provider,
    const sb_job_t *job, uint64_t seed);
int sb_picture_paint(sb_picture_t *p, const char *provider,
    const sb_job_t *job, uint64_t chance);
int sb_picture_tiny(sb_picture_t *p);
int sb_picture_bomb(sb_picture_t *p);


/* quick.c: sb_quick_draw() where sb_quick_may(). */

void sb_quick_init(void);
void sb_quick_free(void);
int sb_quick_may(const sb_job_t *job);
int sb_quick_draw(sb_picture_t *p, const char *provider, const sb_job_t *job,
    uint64_t chance);


#endif /* SANDBOX_H */
