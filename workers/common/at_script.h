/*
 * The numbers of scripts (at_redis_script_t.index), so that no two files take
 * the same one.
 */

#ifndef AT_SCRIPT_H
#define AT_SCRIPT_H


enum {
    AT_SCRIPT_LEASE_RENEW = 0,
    AT_SCRIPT_LEASE_RELEASE,
    AT_SCRIPT_JOB_DONE,
    AT_SCRIPT_JOB_DEAD,
    AT_SCRIPT_JOB_IDLE,
    AT_SCRIPT_JOB_LEAVE,
    AT_SCRIPT_JOB_SWEEP,
    AT_SCRIPT_PACE,
    AT_SCRIPT_WORKER            /* the first of a worker's own */
};


#endif /* AT_SCRIPT_H */
