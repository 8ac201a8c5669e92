/*
 * Leases in Redis: of any number of processes one does a thing.
 *
 * A lease ends by itself after its time, so one that died blocks nobody; who
 * works longer renews it, and stops when that fails, since somebody else may
 * have it then.  What is done under a lease must stand two at once for a
 * moment all the same: a process may be stopped between looking and doing.
 */

#ifndef AT_LEASE_H
#define AT_LEASE_H


#include "at_redis.h"


#define AT_LEASE_KEY_MAX  128


typedef struct {
    char     key[AT_LEASE_KEY_MAX];
    char     token[33];
    int64_t  ms;
} at_lease_t;


/* 1: it is ours; 0: somebody has it; AT_ERROR: Redis is away. */
int at_lease_take(at_redis_t *r, at_lease_t *lease, const char *key,
    int64_t ms);

/* 1: still ours, for its whole time from now; 0 and AT_ERROR as above. */
int at_lease_renew(at_redis_t *r, at_lease_t *lease);

void at_lease_release(at_redis_t *r, at_lease_t *lease);


/* 32 hex digits that nobody else has. */
void at_lease_random(char out[33]);


#endif /* AT_LEASE_H */
