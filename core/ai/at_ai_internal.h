/*
 * What the files of core/ai/ share and nobody else includes.
 *
 * A lane is allocated as an at_ai_private_t, see at_ai_private().  at_ai.c
 * creates, resets (at each answer's begin) and frees all of it.
 *
 *     at_ai.c            the table of formats, the frame of every answer
 *     at_ai_answer.c     a 2xx body: bytes, base64 in JSON, or a URL in JSON
 *     at_ai_error.c      every other body: class, reason, wait
 *     at_ai_retry.c      waits that headers ask for
 *     at_ai_reason.c     text for logs: printable, bounded, free of secrets
 *     at_ai_url.c        result URLs and the call that fetches one
 *     at_ai_job.c        jobs: ids, polls, cancels, adoption
 *     at_ai_size.c       the nearest size or ratio a provider knows
 *     at_ai_multipart.c  bodies of multipart/form-data
 */

#ifndef AT_AI_INTERNAL_H
#define AT_AI_INTERNAL_H


#include "at_ai.h"
#include "../at_json.h"
#include "../at_text.h"


#define AT_AI_MESSAGE_MAX  512      /* bytes kept of a provider's message */
#define AT_AI_CODE_MAX     64
#define AT_AI_BUCKETS_MAX  8        /* limits one answer may report */
#define AT_AI_HEAD_MAX     128      /* of a data URL, up to its comma */
#define AT_AI_MB           (1024 * 1024)


/* One limit in "[x-]ratelimit-{remaining,reset}[-name]" headers. */
typedef struct {
    char             name[24];
    int64_t          remaining;     /* -1: not said */
    int64_t          reset_ms;      /* -1: not said */
} at_ai_bucket_t;


typedef struct {
    int64_t          after_ms;      /* Retry-After and its kin; -1: none */
    at_ai_bucket_t   buckets[AT_AI_BUCKETS_MAX];
    size_t           nbuckets;
} at_ai_retry_t;


/* What an error body said.  The body itself is not kept. */
typedef struct {
    at_json_t       *json;
    char             message[AT_AI_MESSAGE_MAX];
    char             code[AT_AI_CODE_MAX];
    char             plain[AT_AI_MESSAGE_MAX];  /* the body's first bytes */
    size_t           nplain;
    size_t           message_rank;  /* lower is better; see the tables */
    size_t           code_rank;
    int64_t          estimated_ms;  /* -1: none */
    unsigned         status;        /* 400 to 599 as the body says; or 0 */
    unsigned         closed:1;      /* not JSON, or broken: plain only */
    unsigned         moderated:1;
    unsigned         quota:1;
    unsigned         key:1;
    unsigned         rate:1;
    unsigned         unknown_url:1;
} at_ai_error_t;


/*
 * Where the JSON of a format carries its picture, and what else in it
 * matters.  A string at one of the paths is base64, a data URL or a URL.
 */
typedef struct {
    const char     **pictures;      /* paths, NULL-ended */

    /* A scalar at any other path; AT_ERROR after at_ai_fail().  Or NULL. */
    int            (*value)(at_ai_lane_t *lane, const char *path,
                            at_json_type_e type, at_str_t text);
} at_ai_shape_t;


typedef enum {
    AT_AI_BODY_UNKNOWN,
    AT_AI_BODY_BYTES,
    AT_AI_BODY_JSON,
    AT_AI_BODY_TEXT
} at_ai_body_e;


typedef enum {
    AT_AI_STRING_HEAD,              /* too short to say what it is */
    AT_AI_STRING_DATA,              /* in the head of a data URL */
    AT_AI_STRING_BASE64,
    AT_AI_STRING_URL,
    AT_AI_STRING_OTHER              /* another picture or URL: dropped */
} at_ai_string_e;


typedef struct {
    const at_ai_shape_t  *shape;
    at_json_t            *json;
    at_ai_body_e          body;
    char                  type[64];     /* media type, lower case */
    at_ai_string_e        string;
    char                  head[AT_AI_HEAD_MAX];
    size_t                nhead;
    at_base64_t           base64;
    at_buf_t              url;          /* max AT_AI_URL_MAX */
    unsigned              has_picture:1;
    unsigned              has_url:1;    /* url is whole */
} at_ai_answer_t;


typedef struct {
    at_ai_lane_t          lane;         /* first: see at_ai_private() */
    at_ai_answer_t        answer;
    at_ai_error_t         error;
    at_ai_retry_t         retry;
    char                  job[AT_AI_JOB_MAX];   /* backs lane->job */
    unsigned              seed_sent:1;
    unsigned              begun:1;      /* it has had an answer */
    unsigned              polling:1;    /* the call asks for a job */
} at_ai_private_t;


typedef struct {
    unsigned  width;
    unsigned  height;
} at_ai_size_t;


/*
 * What a provider that counts pixels takes.  The steps must be small enough
 * that a size one step above area_min is still below area_max.
 */
typedef struct {
    unsigned  step;                 /* sides are multiples of it, as are: */
    unsigned  side_min;
    unsigned  side_max;
    unsigned  area_min;
    unsigned  area_max;
} at_ai_range_t;


typedef struct {
    const char  *name;
    at_str_t     value;
} at_ai_field_t;


extern const at_ai_format_t  at_ai_openai;
extern const at_ai_format_t  at_ai_stability;
extern const at_ai_format_t  at_ai_stability_v1;
extern const at_ai_format_t  at_ai_replicate;
extern const at_ai_format_t  at_ai_huggingface;


static inline at_ai_private_t *
at_ai_private(at_ai_lane_t *lane)
{
    return (at_ai_private_t *) lane;
}


static inline int
at_ai_status_2xx(unsigned status)
{
    return status >= 200 && status <= 299;
}


/*
 * The verdict "failed": fills class and reason, marks the answer as stopped
 * and gives the picture's memory back.  Returns AT_AI_FAILED.
 */
at_ai_step_e at_ai_fail(at_ai_lane_t *lane, at_ai_class_e class,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Fills sent_prompt, sent_negative and prompt_cut; max: code points. */
int at_ai_prompt(at_ai_lane_t *lane, size_t max);

int at_ai_call_header(at_ai_lane_t *lane, at_str_t name, at_str_t value);

/* Makes the call a POST of lane->body; the two strings must last. */
int at_ai_call_post(at_ai_lane_t *lane, at_str_t type, at_str_t accept);


/* Into out[size]: printable UTF-8 on one line, secrets masked, NUL-ended. */
void at_ai_reason(char *out, size_t size, const char *text);


void at_ai_retry_reset(at_ai_retry_t *r);
void at_ai_retry_header(at_ai_retry_t *r, at_str_t name, at_str_t value,
    int64_t now);

/* How long the headers of an answer with this status ask to wait; -1. */
int64_t at_ai_retry_wait(const at_ai_retry_t *r, unsigned status);


void at_ai_error_reset(at_ai_error_t *e);
int at_ai_error_data(at_ai_lane_t *lane, const uint8_t *p, size_t len);
void at_ai_error_value(at_ai_error_t *e, const char *path,
    at_json_type_e type, at_str_t text);

/* The verdict on an answer that is no 2xx, and on a 2xx with an error in it. */
at_ai_step_e at_ai_error_end(at_ai_lane_t *lane);
int at_ai_error_said(const at_ai_error_t *e);

at_ai_step_e at_ai_error_in_success(at_ai_lane_t *lane);

/* 1 if the error in a 2xx is a refusal of the prompt. */
int at_ai_error_refusal(const at_ai_error_t *e);


/*
 * The body of a 2xx.  A format names its shape in build(), and uses these two
 * as its own functions or calls them from there.
 */
void at_ai_answer_reset(at_ai_answer_t *a);
void at_ai_answer_type(at_ai_answer_t *a, at_str_t value);
int at_ai_answer_data(at_ai_lane_t *lane, const uint8_t *p, size_t len);
at_ai_step_e at_ai_answer_end(at_ai_lane_t *lane);

/* AT_ERROR after at_ai_fail(): the body is empty, or not whole JSON. */
int at_ai_answer_whole(at_ai_lane_t *lane);


/* AT_AI_NEXT with the GET of url as the call, or AT_AI_FAILED. */
at_ai_step_e at_ai_call_result(at_ai_lane_t *lane, at_str_t url);

/* The verdict on a result host's answer that is no 200. */
at_ai_step_e at_ai_result_failed(at_ai_lane_t *lane);


/* Remembers a copy of id as lane->job; AT_ERROR if no such id can be. */
int at_ai_job_set(at_ai_lane_t *lane, at_str_t id);
void at_ai_job_forget(at_ai_lane_t *lane);

/* The call becomes method before + job + after, with text behind its url. */
int at_ai_job_call(at_ai_call_t *call, at_buf_t *text, at_str_t method,
    const char *before, at_str_t job, const char *after);


/* 0: the request asks for no size.  One given side stands for both. */
int at_ai_size_asked(const at_generate_t *g, at_ai_size_t *asked);

/* The index in list of the ratio nearest to asked; n is not 0. */
size_t at_ai_size_nearest(at_ai_size_t asked, const at_ai_size_t *list,
    size_t n);

/* The size in range that is nearest to asked, the ratio kept first. */
at_ai_size_t at_ai_size_fit(at_ai_size_t asked, const at_ai_range_t *range);


/* Appends the body of the fields, and its Content-Type. */
int at_ai_multipart(const at_ai_field_t *fields, size_t n, at_buf_t *body,
    at_buf_t *type);

/* The first boundary, counted from start, that is in none of the values. */
void at_ai_boundary(const at_ai_field_t *fields, size_t n, uint64_t start,
    char out[32]);


/* What both of Stability's APIs have in common. */
void at_ai_stability_header(at_ai_lane_t *lane, at_str_t name,
    at_str_t value);
int at_ai_stability_finish(at_ai_lane_t *lane, at_str_t reason);
void at_ai_stability_seed(at_ai_lane_t *lane, at_str_t text);


#endif /* AT_AI_INTERNAL_H */
