/*
 * AI image providers as state machines.
 *
 * A lane is one provider's part in one generation.  It owns no connection:
 * whoever drives it (the fan-out in nginx, a test, a fuzzer) takes the call
 * it wants made, makes it, and feeds back status, headers and body bytes as
 * they arrive.  At the end of each answer the lane says what comes next:
 * done, another call, another call after a wait, or failed with a class.
 *
 * The driver creates and frees the lane; the lane owns all it hands out.  The
 * provider and the request must outlive it.  A format is one file here and
 * one row in at_ai.c.
 */

#ifndef AT_AI_H
#define AT_AI_H


#include "../at.h"
#include "../at_generate.h"
#include "../at_image.h"


#define AT_AI_PICTURE_MAX  (20 * 1024 * 1024)   /* bytes, decoded */
#define AT_AI_ANSWER_MAX   (28 * 1024 * 1024)   /* bytes on the wire */
#define AT_AI_ERROR_MAX    (64 * 1024)          /* bytes of a non-2xx body */
#define AT_AI_JSON_DEPTH   64
#define AT_AI_JSON_VALUES  65536
#define AT_AI_JSON_PLAIN   (1024 * 1024)        /* bytes beside pictures */
#define AT_AI_URL_MAX      4096
#define AT_AI_CALLS_MAX    64                   /* calls of one lane */
#define AT_AI_HEADERS_MAX  8
#define AT_AI_JOB_MAX      128                  /* bytes of a job id */


typedef enum {
    AT_AI_DONE,                 /* picture, image, seed are filled */
    AT_AI_NEXT,                 /* make at_ai_lane_call() now */
    AT_AI_WAIT,                 /* the same after wait_ms */
    AT_AI_FAILED                /* class, reason, retry_after_ms */
} at_ai_step_e;


/* What a failure means for the race, the limits and, later, the queue. */
typedef enum {
    AT_AI_CLASS_NONE,
    AT_AI_RATE_LIMITED,         /* passing: ask again after retry_after_ms */
    AT_AI_MODERATED,            /* the provider refused the prompt */
    AT_AI_INVALID,              /* it refused the request as malformed */
    AT_AI_CREDENTIAL,           /* key, credit or permission */
    AT_AI_TRANSIENT,            /* passing: 5xx, cut, bad or empty picture */
    AT_AI_DEADLINE,             /* set by the driver */
    AT_AI_CANCELLED             /* set by the driver */
} at_ai_class_e;


typedef enum {
    AT_AI_TO_PROVIDER,          /* the provider's own location */
    AT_AI_TO_RESULT             /* its result location: url, no credential */
} at_ai_target_e;


typedef struct {
    at_str_t  name;
    at_str_t  value;
} at_ai_header_t;


typedef struct {
    at_ai_target_e  target;
    at_str_t        method;                     /* "GET", "POST" */

    /*
     * TO_RESULT: absolute.  TO_PROVIDER: a path to append to the provider's
     * location, or empty; of letters, digits and "/", "-", "_", "." only.
     */
    at_str_t        url;

    at_ai_header_t  headers[AT_AI_HEADERS_MAX]; /* Content-Type, Accept */
    size_t          nheaders;
    at_str_t        body;
} at_ai_call_t;


typedef struct at_ai_format_s    at_ai_format_t;
typedef struct at_ai_provider_s  at_ai_provider_t;
typedef struct at_ai_lane_s      at_ai_lane_t;


/* Read-only facts of a configured provider. */
struct at_ai_provider_s {
    at_str_t               name;
    const at_ai_format_t  *format;
    at_str_t               model;           /* may be empty */
    size_t                 prompt_max;      /* code points; 0: the format's;
                                               shortens the negative, too */
    int64_t                timeout_ms;      /* of a lane; 0: unknown */

    /*
     * Where its result URLs may point: origins "scheme://host[:port]", the
     * host may begin with "*." (any subdomain, not the name itself); see
     * at_ai_origin_valid().
     */
    const at_str_t        *result_hosts;
    size_t                 nresult_hosts;
};


/* A row of the table of formats; the functions are the format's own. */
struct at_ai_format_s {
    const char     *name;               /* as in the format= parameter */
    size_t          prompt_max;         /* default code points */
    size_t          negative_max;
    unsigned        negative:1;         /* has a negative field of its own */
    unsigned        seed:1;             /* has a seed field */
    unsigned        needs_model:1;
    unsigned        paths:1;            /* calls carry a path: the location
                                           of the provider ends in "/" */
    unsigned        cancels:1;          /* at_ai_cancel_call() works */

    /* NULL, or a sentence on what is wrong with the model.  Optional. */
    const char   *(*check)(const at_ai_provider_t *provider);

    /* Fills lane->call for the first call. */
    int           (*build)(at_ai_lane_t *lane);

    /* An answer begins.  Optional. */
    void          (*begin)(at_ai_lane_t *lane);

    /* Names come in any case.  Optional. */
    void          (*header)(at_ai_lane_t *lane, at_str_t name,
                            at_str_t value);

    /* AT_ERROR: enough is known, at_ai_lane_end() will say what. */
    int           (*data)(at_ai_lane_t *lane, const uint8_t *p, size_t len);

    /* The answer is over. */
    at_ai_step_e  (*end)(at_ai_lane_t *lane);

    /*
     * The answer's verdict is AT_AI_FAILED: the last word on it, as a job
     * that runs on can be asked again.  broke is 1 if it is so only because
     * the connection broke, and nothing else was said.  Optional.
     */
    at_ai_step_e  (*again)(at_ai_lane_t *lane, int broke);

    /*
     * Of formats with jobs: make lane->call a poll of lane->job, and fill
     * the call that cancels a job.  Optional.
     */
    int           (*poll)(at_ai_lane_t *lane);
    int           (*cancel)(at_str_t job, at_ai_call_t *call,
                            at_buf_t *text);

    /* Frees lane->state.  Optional. */
    void          (*cleanup)(at_ai_lane_t *lane);
};


struct at_ai_lane_s {
    const at_ai_provider_t  *provider;
    const at_generate_t     *request;

    /* Results: */
    at_buf_t                 picture;       /* max AT_AI_PICTURE_MAX */
    at_image_t               image;
    uint32_t                 seed;
    unsigned                 has_seed:1;    /* reported, or sent and taken */
    unsigned                 prompt_cut:1;  /* sent shorter than asked */
    unsigned                 unknown_url:1; /* no such API at its address:
                                               no call of it can work */
    at_ai_class_e            class;
    char                     reason[160];   /* printable, for logs and
                                               attempts; no secret */
    int64_t                  retry_after_ms;    /* -1: nothing said */
    int64_t                  wait_ms;       /* with AT_AI_WAIT */
    at_buf_t                 sent_prompt;   /* the enhancedPrompt */
    at_buf_t                 sent_negative; /* empty if inlined */

    /*
     * The provider's id of the work under way: empty until it is known, as
     * soon as its bytes are in, and again when the work has failed.
     */
    at_str_t                 job;
    unsigned                 job_over:1;    /* nothing left to cancel */

    /* The answer under way: */
    unsigned                 status;
    size_t                   received;      /* body bytes */
    unsigned                 content_encoded:1;
    unsigned                 skipped:1;     /* not all of it was read */

    /* For the formats: */
    at_ai_call_t             call;
    at_buf_t                 body;          /* backs call.body */
    at_buf_t                 text;          /* backs other call strings */
    int64_t                  now;           /* seconds, wall clock */
    unsigned                 calls;
    unsigned                 stopped:1;     /* the answer's verdict is in */
    void                    *state;
};


/* NULL: no such format. */
const at_ai_format_t *at_ai_format_find(at_str_t name);

/* Names of all formats, for error messages: "openai, stability, ...". */
const char *at_ai_format_names(void);

/* "rate_limited", "moderated", ... as in metrics and attempts. */
const char *at_ai_class_name(at_ai_class_e class);

/* 1 for classes that pass by themselves, so a later try can succeed. */
int at_ai_class_passing(at_ai_class_e class);


/*
 * NULL: the provider can be asked.  Otherwise a sentence for the operator on
 * what is wrong with its model, to be said when the configuration is read.
 */
const char *at_ai_provider_check(const at_ai_provider_t *provider);


/*
 * NULL: no memory, or no call can be made for such a model.  now (seconds
 * since 1970) is for HTTP dates in answers; it is renewed by
 * at_ai_lane_begin().
 */
at_ai_lane_t *at_ai_lane_create(const at_ai_provider_t *provider,
    const at_generate_t *request, int64_t now);
void at_ai_lane_free(at_ai_lane_t *lane);

/*
 * On a lane that has had no answer yet: its first call becomes a poll of a
 * job that an earlier lane of this provider and request has left behind.
 * AT_ERROR: no such id can be, the format has no jobs, or there is no memory.
 */
int at_ai_lane_adopt(at_ai_lane_t *lane, at_str_t job);

/* The call to make; valid until at_ai_lane_end() of its answer. */
const at_ai_call_t *at_ai_lane_call(const at_ai_lane_t *lane);

/* An answer: once begin, then its headers, then data, then end. */
void at_ai_lane_begin(at_ai_lane_t *lane, unsigned status, int64_t now);
void at_ai_lane_header(at_ai_lane_t *lane, at_str_t name, at_str_t value);

/*
 * AT_ERROR: more bytes cannot change the verdict (too many, not JSON); the
 * driver closes the connection and calls at_ai_lane_end() with complete 1.
 */
int at_ai_lane_data(at_ai_lane_t *lane, const uint8_t *p, size_t len);

/*
 * In place of at_ai_lane_data() when no picture is wanted any more: len bytes
 * are dropped unread, and the answer, if it gets whole, ends as AT_AI_DONE
 * without a picture.  AT_ERROR: they have to be read all the same, as they
 * are no picture's (an error, a job's state).
 */
int at_ai_lane_skip(at_ai_lane_t *lane, size_t len);

/*
 * complete is 0 when the connection broke before the answer was whole: then
 * no picture can be done.  A verdict that had been read, and the status of an
 * error answer, hold all the same; anything else is AT_AI_TRANSIENT, or
 * AT_AI_WAIT if a job is known that can still be asked for.
 */
at_ai_step_e at_ai_lane_end(at_ai_lane_t *lane, int complete);


/*
 * Fills the call that cancels a job; its url is in text, which the caller
 * frees.  Its answer matters to nobody.  AT_ERROR: no such id can be, the
 * format cannot cancel (format->cancels is 0), or there is no memory.
 */
int at_ai_cancel_call(const at_ai_provider_t *provider, at_str_t job,
    at_ai_call_t *call, at_buf_t *text);


/* 1 if a list of result hosts may hold it: nothing but an origin. */
int at_ai_origin_valid(at_str_t origin);

/* 1 if url is http(s), has no user part, and its origin is in hosts. */
int at_ai_url_allowed(at_str_t url, const at_str_t *hosts, size_t n);


#endif /* AT_AI_H */
