/*
 * How often a host may be asked, for all workers together.
 *
 * Redis has the truth, one hash and one sorted set for each host, changed by
 * one script under Redis' clock: when the next request may go, who has been
 * let go, how large the gap is now, and whether the host has put up a wall.
 * The gap counts from when a request is really out: at_pace_sent() is called
 * when its connection is there, at_pace_went() when its bytes are gone, however
 * long the process had to wait for a CPU in between, and nobody else is let go
 * before that.
 *
 * A host that refuses (429, 503) is asked half as often at once; good answers
 * bring the rate back to just below what was refused, then very slowly past
 * it.  A wall closes the host, for a time that doubles with each new one;
 * after it one request at a time tries until an answer is good.
 *
 * With Redis away each process goes on by what it knew last, one request at a
 * time, and only in its turn: each process has one of so many, which Redis gave
 * it while it was there, and they are more than a gap apart.  What was let go
 * by Redis is not sent then, and a connection that comes too late for the turn
 * is not used.  When Redis is back, nobody goes until all must have seen it.
 *
 * Of the requests of a day some kinds may have only a share each, so that there
 * is always something left for all others.
 *
 * One thread uses one at_pace_t.  Times are microseconds.
 */

#ifndef AT_PACE_H
#define AT_PACE_H


#include "at_redis.h"


#define AT_PACE_HOST_MAX  255
#define AT_PACE_LEAST     100000        /* a gap that a refusal can double */
#define AT_PACE_MOST      600000000
#define AT_PACE_KINDS     2             /* beside that without a share, 0 */


typedef struct {
    int64_t   gap;
    int64_t   mark;             /* the gap that was refused; 0: none yet */
    int64_t   well;             /* good answers since */
    int64_t   cut;              /* when that was */
} at_pace_rate_t;


typedef struct {
    int64_t   until;
    int64_t   pause;            /* how long it is closed; 0: it is not */
    int64_t   opened;           /* when that began */
} at_pace_wall_t;


/* How a host is to be treated. */
typedef struct {
    int64_t   gap;
    unsigned  limit;            /* in flight */
    int64_t   daily;            /* requests in a day of UTC; 0: any number */
    unsigned  kind;             /* of this one, to AT_PACE_KINDS */
    int64_t   share;            /* of daily, for this kind unless it is 0 */
} at_pace_rule_t;


/* What this process knows of a host; all zero at first. */
typedef struct {
    at_pace_rate_t  rate;
    at_pace_wall_t  wall;
    int64_t         next;       /* no request before */
    int64_t         sent;       /* the last one of this process */
    int64_t         count;      /* requests of the day */
    int64_t         day;        /* since 1970 */
    uint64_t        connection; /* to Redis, when it last answered */
    int64_t         unasked;    /* ... a try that hung is not repeated in a
                                   turn before that */
    int64_t         alone_count;    /* ... that Redis does not know of */
    int64_t         kinds[AT_PACE_KINDS + 1];
    int64_t         alone_kinds[AT_PACE_KINDS + 1];
    unsigned        flight;     /* of this process */
    unsigned        alone:1;    /* Redis was away */
    unsigned        dirty:1;    /* Redis does not know all of it */
} at_pace_host_t;


/* A request that was let go. */
typedef struct {
    char      token[40];
    int64_t   sent;             /* 0: not yet */
    int64_t   stamp;            /* the same by Redis' clock; 0: without it */
    int64_t   went;             /* its bytes are gone; 0: not yet */
    int64_t   until;            /* ... not after that; 0: no bound */
    unsigned  local:1;          /* Redis does not know of it */
    unsigned  told:1;           /* ... knows that it went */
} at_pace_ticket_t;


typedef struct {
    const at_redis_settings_t  *redis;      /* or NULL: this process alone */
    unsigned                    share;      /* processes there may be */
    int64_t                     connect;    /* from being let go to sending */
    int64_t                     flight;     /* ... to the end, at most */
    int64_t                     window;     /* of a turn without Redis, beside
                                               a quarter of the gap */
    int64_t                     wall_least;
    int64_t                     wall_most;
} at_pace_settings_t;


typedef enum {
    AT_PACE_GO,
    AT_PACE_WAIT,               /* for so long */
    AT_PACE_BUSY,               /* others are at it: ask again soon */
    AT_PACE_WALL,               /* closed for so long */
    AT_PACE_SPENT,              /* no more on this day, which lasts so long */
    AT_PACE_SHARE               /* ... of this kind */
} at_pace_e;


typedef enum {
    AT_PACE_NOTHING,            /* says nothing about the host */
    AT_PACE_GOOD,
    AT_PACE_REFUSED,
    AT_PACE_WALLED
} at_pace_event_e;


typedef struct at_pace_s  at_pace_t;


/* settings must outlive it.  NULL: no memory. */
at_pace_t *at_pace_create(const at_pace_settings_t *settings);
void at_pace_free(at_pace_t *p);

at_pace_e at_pace_take(at_pace_t *p, at_str_t name, at_pace_host_t *h,
    const at_pace_rule_t *rule, at_pace_ticket_t *ticket, int64_t *wait);

/* AT_ERROR: too late, somebody else may have been let go: do not send. */
int at_pace_sent(at_pace_t *p, at_str_t name, at_pace_host_t *h,
    const at_pace_rule_t *rule, at_pace_ticket_t *ticket);

/*
 * It is with the kernel, since then by at_time_micro(), or since now if that is
 * 0: the next one goes a gap after that moment.
 */
void at_pace_went(at_pace_t *p, at_str_t name, at_pace_host_t *h,
    const at_pace_rule_t *rule, at_pace_ticket_t *ticket, int64_t since);

/* The request is over; the host wants none for so long (0: says nothing). */
void at_pace_done(at_pace_t *p, at_str_t name, at_pace_host_t *h,
    const at_pace_rule_t *rule, const at_pace_ticket_t *ticket,
    at_pace_event_e event, int64_t later);

/* 1: Redis answered last time. */
int at_pace_shared(const at_pace_t *p);


/* The arithmetic, which the script has too. */
void at_pace_good(at_pace_rate_t *r, int64_t base);
void at_pace_refused(at_pace_rate_t *r, int64_t now, int64_t sent);
void at_pace_walled(at_pace_wall_t *w, int64_t now, int64_t sent,
    int64_t least, int64_t most);

/*
 * ms to wait before try n (from 1) is repeated: by chance up to first ms, then
 * twice as many, ... (full jitter).
 */
int64_t at_pace_backoff(unsigned n, int64_t first, uint32_t random);


#endif /* AT_PACE_H */
