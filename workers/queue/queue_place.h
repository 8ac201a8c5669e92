/*
 * Places in the queue, and those who want to know them.
 *
 * A place is told on generate:{id} when it has changed and somebody has
 * subscribed; as a plain message without an id, since the next one makes it
 * worthless.
 */

#ifndef QUEUE_PLACE_H
#define QUEUE_PLACE_H


#include "queue.h"


typedef struct {
    char      id[QUEUE_ID_LEN + 1];
    int64_t   place;
    int64_t   eta;                  /* s */
} queue_place_t;


/* Zero-initialise it. */
typedef struct {
    queue_place_t  *list;           /* by place; of what is old, by id */
    size_t          n;
} queue_places_t;


/* Rows of id, place, eta. */
int queue_places_add(queue_places_t *places, PGresult *rows);
void queue_places_free(queue_places_t *places);

/*
 * Moves what is to be told to the front and returns how many it is.  What was
 * told before stands in told, which becomes what has been told after it, or
 * else in other.
 *
 * With down a place is told when it is new or nearer than before: one that
 * was taken and came back at once, since providers are at their limits, would
 * make all behind it go to and fro.  Without, it is told when it has changed,
 * or the eta has by a tenth and 2 s.  AT_ERROR: no memory.
 */
int64_t queue_places_changed(queue_places_t *places, queue_places_t *told,
    queue_places_t *other, int down);

/* Takes those out that stand in told, if any; returns how many are left. */
size_t queue_places_without(queue_place_t *list, size_t n,
    const queue_places_t *told);

/*
 * Tells n of them to those who have subscribed.  How many were told, or
 * AT_ERROR: Redis is away.
 */
int64_t queue_places_tell(at_redis_t *redis, const queue_place_t *list,
    size_t n);


#endif /* QUEUE_PLACE_H */
