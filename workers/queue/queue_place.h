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


/* From rows of id, place, eta. */
int queue_places_read(queue_places_t *places, PGresult *rows);
void queue_places_free(queue_places_t *places);

/*
 * Moves those that differ from old to the front, where they are in no order,
 * and returns how many they are.  A place counts from above on; an eta counts
 * with it, and alone if etas is 1 and it has moved by a tenth and 2 s.  Then
 * old becomes what is there now.  AT_ERROR: no memory.
 */
int64_t queue_places_changed(queue_places_t *places, queue_places_t *old,
    int64_t above, int etas);

/*
 * Tells n of them to those who have subscribed.  How many were told, or
 * AT_ERROR: Redis is away.
 */
int64_t queue_places_tell(at_redis_t *redis, const queue_place_t *list,
    size_t n);


#endif /* QUEUE_PLACE_H */
