/*
 * Places in the queue (see queue_place.h).
 */

#include "queue_place.h"

#include <stdio.h>
#include <stdlib.h>


#define QUEUE_PLACE_PREFIX  "atelier:live:generate:"
#define QUEUE_PLACE_MAX     (sizeof(QUEUE_PLACE_PREFIX) + QUEUE_ID_LEN)
#define QUEUE_PLACE_ETA     2           /* s */


/* ARGV: a channel and a message each.  Channels are no keys. */

static const at_redis_script_t  queue_place_script = {
    "for i = 1, #ARGV, 2 do\n"
    "  redis.call('PUBLISH', ARGV[i], ARGV[i + 1])\n"
    "end\n"
    "return #ARGV / 2\n",
    QUEUE_SCRIPT_TELL
};


static int queue_place_order(const void *a, const void *b);
static queue_place_t *queue_place_find(const queue_places_t *places,
    const queue_place_t *place);
static int queue_place_moved(const queue_place_t *now,
    const queue_place_t *was, int down);
static redisReply *queue_place_watched(at_redis_t *redis,
    const queue_place_t *list, size_t n);
static int64_t queue_place_publish(at_redis_t *redis,
    const queue_place_t *list, size_t n, const redisReply *watched);
static int queue_place_message(at_buf_t *b, const queue_place_t *place,
    at_str_t *word);


int
queue_places_add(queue_places_t *places, PGresult *rows)
{
    int             i, n;
    size_t          len;
    queue_place_t  *list, *place;

    n = PQntuples(rows);

    list = realloc(places->list,
                   (places->n + (size_t) n + 1) * sizeof(queue_place_t));
    if (list == NULL) {
        return AT_ERROR;
    }

    places->list = list;

    for (i = 0; i < n; i++) {
        len = (size_t) PQgetlength(rows, i, 0);

        if (len == QUEUE_ID_LEN) {
            place = &list[places->n++];
            memcpy(place->id, PQgetvalue(rows, i, 0), len + 1);
            place->place = strtoll(PQgetvalue(rows, i, 1), NULL, 10);
            place->eta = strtoll(PQgetvalue(rows, i, 2), NULL, 10);
        }
    }

    return AT_OK;
}


void
queue_places_free(queue_places_t *places)
{
    free(places->list);
    places->list = NULL;
    places->n = 0;
}


int64_t
queue_places_changed(queue_places_t *places, queue_places_t *told,
    queue_places_t *other, int down)
{
    size_t          i, n;
    queue_place_t  *now, *was, *kept;
    queue_places_t  next;

    next.n = places->n;
    next.list = malloc((next.n + 1) * sizeof(queue_place_t));

    if (next.list == NULL) {
        return AT_ERROR;
    }

    memcpy(next.list, places->list, next.n * sizeof(queue_place_t));
    qsort(next.list, next.n, sizeof(queue_place_t), queue_place_order);

    n = 0;

    for (i = 0; i < places->n; i++) {
        now = &places->list[i];
        was = queue_place_find(told, now);

        if (was == NULL) {
            was = queue_place_find(other, now);
        }

        if (was == NULL || queue_place_moved(now, was, down)) {
            if (was) {
                *was = *now;
            }

            places->list[n++] = *now;
            continue;
        }

        /* small steps add up, so it is what was told that counts */

        kept = queue_place_find(&next, now);
        kept->place = was->place;
        kept->eta = was->eta;
    }

    queue_places_free(told);
    *told = next;

    return (int64_t) n;
}


static queue_place_t *
queue_place_find(const queue_places_t *places, const queue_place_t *place)
{
    return places->n ? bsearch(place, places->list, places->n,
                               sizeof(queue_place_t), queue_place_order)
                     : NULL;
}


static int
queue_place_order(const void *a, const void *b)
{
    return memcmp(((const queue_place_t *) a)->id,
                  ((const queue_place_t *) b)->id, QUEUE_ID_LEN);
}


static int
queue_place_moved(const queue_place_t *now, const queue_place_t *was,
    int down)
{
    int64_t  by;

    if (down) {
        return now->place < was->place;
    }

    by = now->eta - was->eta;
    by = (by < 0) ? -by : by;

    return now->place != was->place
           || (by >= QUEUE_PLACE_ETA && by * 10 >= was->eta);
}


size_t
queue_places_without(queue_place_t *list, size_t n,
    const queue_places_t *told)
{
    size_t  i, left;

    left = 0;

    for (i = 0; i < n; i++) {
        if (told == NULL || queue_place_find(told, &list[i]) == NULL) {
            list[left++] = list[i];
        }
    }

    return left;
}


int64_t
queue_places_tell(at_redis_t *redis, const queue_place_t *list, size_t n)
{
    int64_t      told;
    redisReply  *watched;

    if (n == 0) {
        return 0;
    }

    watched = queue_place_watched(redis, list, n);
    if (watched == NULL) {
        return AT_ERROR;
    }

    told = queue_place_publish(redis, list, n, watched);
    freeReplyObject(watched);

    return told;
}


/* [channel, number of subscriptions, ...] in the order of the list. */

static redisReply *
queue_place_watched(at_redis_t *redis, const queue_place_t *list, size_t n)
{
    char        (*names)[QUEUE_PLACE_MAX];
    size_t        i;
    at_str_t     *words;
    redisReply   *reply;

    names = calloc(n, sizeof(*names));
    words = calloc(n + 2, sizeof(at_str_t));
    reply = NULL;

    if (names && words) {
        words[0] = AT_STR("PUBSUB");
        words[1] = AT_STR("NUMSUB");

        for (i = 0; i < n; i++) {
            (void) snprintf(names[i], sizeof(*names), "%s%s",
                            QUEUE_PLACE_PREFIX, list[i].id);
            words[i + 2] = (at_str_t) { strlen(names[i]), names[i] };
        }

        reply = at_redis_argv(redis, n + 2, words);
    }

    free(names);
    free(words);

    return reply;
}


static int64_t
queue_place_publish(at_redis_t *redis, const queue_place_t *list, size_t n,
    const redisReply *watched)
{
    int          rc;
    size_t       i, told;
    at_buf_t     text = { .max = 0 };
    at_str_t    *words;
    redisReply  *reply;

    told = 0;
    rc = AT_OK;
    words = calloc(2 * n, sizeof(at_str_t));

    /* all the room there can be, so that nothing moves */

    if (words == NULL || at_buf_reserve(&text, n * 192) != AT_OK) {
        rc = AT_ERROR;
    }

    for (i = 0; i < n && rc == AT_OK; i++) {
        if (at_redis_int(at_redis_at(watched, 2 * i + 1)) > 0) {
            words[2 * told] = at_redis_str(at_redis_at(watched, 2 * i));
            rc = queue_place_message(&text, &list[i], &words[2 * told + 1]);
            told++;
        }
    }

    if (rc == AT_OK && told > 0) {
        reply = at_redis_eval(redis, &queue_place_script, 0, 2 * told, words);
        rc = reply ? AT_OK : AT_ERROR;
        freeReplyObject(reply);
    }

    at_buf_free(&text);
    free(words);

    return (rc == AT_OK) ? (int64_t) told : AT_ERROR;
}


/* As generation_show() of db/005_generation.sql. */

static int
queue_place_message(at_buf_t *b, const queue_place_t *place, at_str_t *word)
{
    int     rc;
    size_t  start;

    start = b->len;

    rc = at_buf_printf(b, "{\"id\":\"%s\",\"status\":\"queued\","
                          "\"position\":%lld,\"etaSeconds\":%lld,"
                          "\"channel\":\"generate:%s\"}",
                       place->id, (long long) place->place,
                       (long long) place->eta, place->id);

    *word = (at_str_t) { b->len - start, (const char *) b->data + start };

    return rc;
}
