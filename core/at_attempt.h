/*
 * The body of POST /attempt, checked: a queued generation that is to be made
 * now, with the jobs that earlier attempts have left at providers.
 *
 * It comes from a worker of this service.  All the same nothing of it is
 * believed: it is bounded, and the request inside is checked as a client's.
 */

#ifndef AT_ATTEMPT_H
#define AT_ATTEMPT_H


#include "at_generate.h"


#define AT_ATTEMPT_ID        32     /* lower-case hexadecimal digits */
#define AT_ATTEMPT_JOBS_MAX  16
#define AT_ATTEMPT_NAME_MAX  32     /* bytes of a provider's name */
#define AT_ATTEMPT_JOB_MAX   128    /* ... of its id of a job */
#define AT_ATTEMPT_TRACE_MAX 128    /* ... of a request id */


typedef struct {
    at_str_t  provider;
    at_str_t  job;
} at_attempt_job_t;


typedef struct {
    at_str_t          id;
    uint64_t          fence;
    at_generate_t     request;
    at_attempt_job_t  jobs[AT_ATTEMPT_JOBS_MAX];
    size_t            njobs;
    at_str_t          request_id;   /* len 0: not given */
    at_buf_t          store;        /* owns the strings but the request's */
} at_attempt_t;


/*
 * Fills the attempt, which at_attempt_free() releases; after an error it owns
 * nothing.  Codes are those of at_generate_parse(), for what is in request
 * too.  null is as good as not given; what nobody knows is ignored; further
 * jobs than AT_ATTEMPT_JOBS_MAX are "too_long".
 */
int at_attempt_parse(at_str_t body, at_attempt_t *a,
    at_generate_error_t *err);
void at_attempt_free(at_attempt_t *a);


#endif /* AT_ATTEMPT_H */
