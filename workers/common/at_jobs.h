/*
 * Jobs on a stream of Redis, none of which is lost by the death of a worker.
 *
 * All processes are consumers of one group.  A job belongs to the one it was
 * given to until that says done; one that has been silent for claim_after is
 * given to another, and one that was tried too often goes to a second stream,
 * STREAM:dead, with the reason.  So a job may be begun twice, and what it does
 * must stand that; but it is ended once: every end looks first whether the
 * job still is ours.
 *
 * One thread uses one at_jobs_t.
 */

#ifndef AT_JOBS_H
#define AT_JOBS_H


#include "at_redis.h"


#define AT_JOBS_ID_MAX    48
#define AT_JOBS_NAME_MAX  128
#define AT_JOBS_DEAD_MAX  "10000"       /* entries kept of STREAM:dead */


typedef struct {
    const char  *stream;
    const char  *group;
    int64_t      claim_after;           /* ms */
    int64_t      attempts;
    unsigned     keep:1;                /* others read the stream, too: its
                                           entries stay */
} at_jobs_settings_t;


typedef struct {
    char         id[AT_JOBS_ID_MAX];
    int64_t      attempt;               /* 1: the first */
    redisReply  *reply;                 /* holds the fields */
    redisReply  *fields;
} at_job_t;


typedef struct at_jobs_s  at_jobs_t;


/* settings and redis must outlive it. */
at_jobs_t *at_jobs_create(const at_jobs_settings_t *settings,
    at_redis_t *redis);

/* Its consumer is taken out of the group, unless jobs are left with it. */
void at_jobs_free(at_jobs_t *jobs);

/*
 * 1: *job is ours, and ends by one of the functions below; 0: there was none
 * for so many ms; AT_ERROR: Redis is away.
 */
int at_jobs_next(at_jobs_t *jobs, int64_t ms, at_job_t *job);

/* Empty: there is no such field. */
at_str_t at_job_get(const at_job_t *job, const char *name);

/* Still at it: nobody else gets it for another claim_after. */
int at_jobs_keep(at_jobs_t *jobs, at_job_t *job);

/*
 * The ends of a job, which free it.  1: it was ours; 0: it had been given to
 * another one, who will end it; AT_ERROR: Redis is away, and somebody will
 * get it again.
 */
int at_jobs_done(at_jobs_t *jobs, at_job_t *job);
int at_jobs_dead(at_jobs_t *jobs, at_job_t *job, const char *reason);

/*
 * Again, by anybody, after so many ms, which grow with each attempt; after
 * the last one it is dead for this reason.
 */
int at_jobs_retry(at_jobs_t *jobs, at_job_t *job, int64_t ms,
    const char *reason);

/* We stop: anybody may have it at once, and this attempt does not count. */
int at_jobs_release(at_jobs_t *jobs, at_job_t *job);

/* Jobs that were trimmed off the stream before they were done. */
int64_t at_jobs_trimmed(const at_jobs_t *jobs);


#endif /* AT_JOBS_H */
