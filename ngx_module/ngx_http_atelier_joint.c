/*
 * Windows that nodes share, as one node sees them (see
 * ngx_http_atelier_joint.h).  Everything here is under the zone's mutex and
 * asks nobody.
 *
 * For the lease that follows Redis's last answer a node spends its promises.
 * Then it is alone.  For one window, calls of the last known picture leave the
 * window one by one: no other node can know of more of them than there were,
 * so each may take its part of those.  After that window all that Redis
 * granted is over, and a node has its part of the limit.
 */

#include "ngx_http_atelier_joint.h"


static ngx_msec_t ngx_http_atelier_joint_alone(
    ngx_http_atelier_zone_t *zone, ngx_http_atelier_joint_t *share,
    ngx_uint_t calls, ngx_msec_t now);
static ngx_uint_t ngx_http_atelier_joint_freed(
    ngx_http_atelier_joint_t *share, ngx_msec_t from, ngx_msec_t to,
    ngx_msec_t *next);
static void ngx_http_atelier_joint_add(ngx_http_atelier_joint_t *share,
    ngx_msec_t at);
static void ngx_http_atelier_joint_remember(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_slot_t *slot, ngx_http_atelier_joint_t *share,
    ngx_http_atelier_rate_t *rate, ngx_http_atelier_joint_t *old);


ngx_http_atelier_joint_t *
ngx_http_atelier_joint_current(ngx_http_atelier_party_t *party, ngx_uint_t n)
{
    ngx_http_atelier_joint_t  *share;

    share = party->shares[n];

    while (share->moved) {
        share = share->moved;
    }

    return share;
}


ngx_http_atelier_joint_call_t *
ngx_http_atelier_joint_call(ngx_http_atelier_joint_t *share, ngx_uint_t n)
{
    n += share->first;

    return &share->calls[(n < share->capacity) ? n : n - share->capacity];
}


void
ngx_http_atelier_joint_prune(ngx_http_atelier_joint_t *share, ngx_msec_t now)
{
    ngx_msec_int_t                  span;
    ngx_http_atelier_joint_call_t  *call;

    span = (ngx_msec_int_t) ngx_http_atelier_joint_span(share->period);

    while (share->count) {
        call = ngx_http_atelier_joint_call(share, 0);

        if ((ngx_msec_int_t) (now - call->at) < span) {
            break;
        }

        share->first = (share->first + 1 == share->capacity)
                       ? 0 : share->first + 1;
        share->count--;
    }
}


ngx_msec_t
ngx_http_atelier_joint_wait(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_uint_t n, ngx_msec_t now)
{
    ngx_msec_int_t             left;
    ngx_http_atelier_joint_t  *share;

    share = ngx_http_atelier_joint_current(party, n);

    ngx_http_atelier_joint_prune(share, now);

    if (!ngx_http_atelier_joint_linked(zone, now)) {
        return ngx_http_atelier_joint_alone(zone, share,
                                            party->rates[n].calls, now);
    }

    if (share->promised) {
        return 0;
    }

    left = (ngx_msec_int_t) (share->next_at - now);

    return (share->left || left <= 0) ? 1 : left;
}


ngx_uint_t
ngx_http_atelier_joint_linked(ngx_http_atelier_zone_t *zone, ngx_msec_t now)
{
    ngx_http_atelier_joint_node_t  *node;

    node = &zone->sh->share;

    return node->known
           && (ngx_msec_int_t) (now - node->answered)
              < (ngx_msec_int_t) zone->conf->limits->lease;
}


/* The window of a node that Redis does not answer. */

static ngx_msec_t
ngx_http_atelier_joint_alone(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_joint_t *share, ngx_uint_t calls, ngx_msec_t now)
{
    ngx_uint_t                      nodes;
    ngx_msec_t                      alone, span, next;
    ngx_msec_int_t                  since;
    ngx_http_atelier_joint_node_t  *node;

    node = &zone->sh->share;
    nodes = zone->conf->limits->nodes;
    alone = node->answered + zone->conf->limits->lease;
    span = ngx_http_atelier_joint_span(share->period);
    since = (ngx_msec_int_t) (now - alone);

    if (since < 0) {
        return -since;
    }

    /* the others may be about to stop holding anything for us */

    if (node->locked && (ngx_msec_int_t) (node->locked - now) > 0) {
        return 1;
    }

    if (!node->known || since >= (ngx_msec_int_t) span) {
        share->promised = 0;

        if (share->count < calls / nodes) {
            return 0;
        }

        if (share->count == 0) {
            return span;
        }

        next = ngx_http_atelier_joint_call(share, 0)->at + span;

    } else {
        next = alone + span;

        if (share->promised
            || share->extra
               < ngx_http_atelier_joint_freed(share, alone, now, &next)
                 / nodes)
        {
            return 0;
        }
    }

    return ((ngx_msec_int_t) (next - now) > 0) ? next - now : 1;
}


/*
 * At least how many of the calls that were in the window have left it in that
 * time, by the marks; next is when more will have.
 */

static ngx_uint_t
ngx_http_atelier_joint_freed(ngx_http_atelier_joint_t *share, ngx_msec_t from,
    ngx_msec_t to, ngx_msec_t *next)
{
    ngx_uint_t  i, rank, before, gone;

    before = 0;
    gone = 0;

    for (i = 0; i < NGX_HTTP_ATELIER_JOINT_MARKS; i++) {
        rank = share->counted * (i + 1) / NGX_HTTP_ATELIER_JOINT_MARKS;

        if (rank == 0 || share->marks[i] == 0) {
            continue;
        }

        if ((ngx_msec_int_t) (share->marks[i] - from) > 0 && before == 0) {

            /* of those up to this mark any may have gone before */

            before = rank;
        }

        if ((ngx_msec_int_t) (share->marks[i] - to) > 0) {
            *next = share->marks[i];
            break;
        }

        gone = rank;
    }

    return (before && gone >= before) ? gone - before + 1 : 0;
}


ngx_uint_t
ngx_http_atelier_joint_push(ngx_http_atelier_party_t *party, ngx_uint_t n,
    ngx_msec_t now, ngx_http_atelier_joint_ticket_t *ticket)
{
    ngx_uint_t                 promised;
    ngx_http_atelier_joint_t  *share;

    share = ngx_http_atelier_joint_current(party, n);
    promised = (share->promised != 0);

    ngx_http_atelier_joint_add(share, now);

    ticket->id = share->id;
    ticket->promised = promised;

    share->made++;

    if (!promised) {
        share->extra++;
        return 0;
    }

    share->promised--;

    return share->promised <= share->low && share->left;
}


static void
ngx_http_atelier_joint_add(ngx_http_atelier_joint_t *share, ngx_msec_t at)
{
    ngx_http_atelier_joint_call_t  *call;

    /* a worker whose clock is behind must not free its slot too early */

    if (share->count) {
        call = ngx_http_atelier_joint_call(share, share->count - 1);

        if ((ngx_msec_int_t) (call->at - at) > 0) {
            at = call->at;
        }
    }

    if (share->count == share->capacity) {
        share->first = (share->first + 1 == share->capacity)
                       ? 0 : share->first + 1;
        share->count--;
    }

    call = ngx_http_atelier_joint_call(share, share->count);
    share->count++;

    call->at = at;
    call->id = ++share->id;
}


ngx_uint_t
ngx_http_atelier_joint_pop(ngx_http_atelier_party_t *party, ngx_uint_t n,
    ngx_http_atelier_joint_ticket_t *ticket)
{
    ngx_uint_t                      i;
    ngx_http_atelier_joint_t       *share;
    ngx_http_atelier_joint_call_t  *call;

    share = ngx_http_atelier_joint_current(party, n);

    for (i = share->count; i; i--) {
        if (ngx_http_atelier_joint_call(share, i - 1)->id == ticket->id) {
            break;
        }
    }

    if (i == 0) {
        return 0;
    }

    for ( /* void */ ; i < share->count; i++) {
        call = ngx_http_atelier_joint_call(share, i);
        *ngx_http_atelier_joint_call(share, i - 1) = *call;
    }

    share->count--;

    if ((int32_t) (ticket->id - share->sent) <= 0) {
        return 1;
    }

    /* what Redis holds for this node stays the same */

    if (ticket->promised) {
        share->promised++;

    } else if (share->extra) {
        share->extra--;
    }

    return 0;
}


ngx_uint_t
ngx_http_atelier_joint_want(ngx_http_atelier_party_t *party, ngx_msec_t now)
{
    ngx_uint_t                 i, lacks;
    ngx_http_atelier_joint_t  *share;

    lacks = 0;

    for (i = 0; i < party->nrates; i++) {
        share = ngx_http_atelier_joint_current(party, i);

        if (share->promised) {
            continue;
        }

        if (share->left == 0
            && (ngx_msec_int_t) (share->next_at - now) > 0)
        {
            return 0;
        }

        share->want = ngx_min(share->want + 1, party->rates[i].calls);
        lacks = 1;
    }

    return lacks;
}


ngx_uint_t
ngx_http_atelier_joint_left(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_uint_t n, ngx_msec_t now)
{
    ngx_uint_t                 part;
    ngx_http_atelier_joint_t  *share;

    share = ngx_http_atelier_joint_current(party, n);

    if (ngx_http_atelier_joint_linked(zone, now)) {
        return share->promised + share->left;
    }

    if (ngx_http_atelier_joint_wait(zone, party, n, now)) {
        return 0;
    }

    if (share->promised) {
        return share->promised;
    }

    part = party->rates[n].calls / zone->conf->limits->nodes;

    return (part > share->count) ? part - share->count : 1;
}


/*
 * A name of 64 random bits.  It is as old as the zone: what Redis holds for it
 * is true of what stands here.
 */

void
ngx_http_atelier_joint_begin(ngx_http_atelier_zone_t *zone)
{
    ngx_uint_t                      i;
    uint32_t                        word[2];
    ngx_http_atelier_joint_node_t  *node;

    node = &zone->sh->share;

    if (node->name[0]) {
        return;
    }

    for (i = 0; i < 2; i++) {
        word[i] = (uint32_t) ngx_random() ^ ((uint32_t) ngx_random() << 16);
    }

    word[0] ^= (uint32_t) ngx_pid;
    word[1] ^= (uint32_t) ngx_time();

    ngx_hex_dump(node->name, (u_char *) word, sizeof(word));
    node->answered = ngx_current_msec;
}


/*
 * The window of this period goes on over a reload, as those of a single node
 * do (ngx_http_atelier_zone.c).
 */

ngx_http_atelier_joint_t *
ngx_http_atelier_joint_window(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_slot_t *slot, ngx_http_atelier_rate_t *rate)
{
    ngx_uint_t                 capacity, live;
    ngx_http_atelier_joint_t  *share, *old;

    for (old = slot->shares; old; old = old->next) {
        if (old->period == rate->period && old->moved == NULL) {
            break;
        }
    }

    live = old && old->epoch + 1 >= slot->epoch;

    if (live && old->capacity >= rate->calls) {
        old->epoch = slot->epoch;
        return old;
    }

    for (capacity = 8; capacity < rate->calls; capacity *= 2) { /* void */ }

    share = ngx_slab_calloc(zone->pool, sizeof(ngx_http_atelier_joint_t)
                            + capacity
                              * sizeof(ngx_http_atelier_joint_call_t));
    if (share == NULL) {
        return NULL;
    }

    share->period = rate->period;
    share->capacity = capacity;
    share->epoch = slot->epoch;

    ngx_shmtx_lock(&zone->pool->mutex);

    ngx_http_atelier_joint_remember(zone, slot, share, rate,
                                    live ? old : NULL);
    if (old) {
        old->moved = share;
    }

    share->next = slot->shares;
    slot->shares = share;

    ngx_shmtx_unlock(&zone->pool->mutex);

    return share;
}


/*
 * What a window starts with: all that the one it replaces knew; for a new
 * period the calls of the provider's longest; with no past, half of this
 * node's part, as if just called.  Redis is told of those.
 */

static void
ngx_http_atelier_joint_remember(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_slot_t *slot, ngx_http_atelier_joint_t *share,
    ngx_http_atelier_rate_t *rate, ngx_http_atelier_joint_t *old)
{
    size_t                          head;
    ngx_uint_t                      i;
    ngx_http_atelier_joint_t       *next;
    ngx_http_atelier_joint_call_t  *call;

    if (old) {
        head = offsetof(ngx_http_atelier_joint_t, id);

        ngx_memcpy((u_char *) share + head, (u_char *) old + head,
                   offsetof(ngx_http_atelier_joint_t, capacity) - head);

        share->count = ngx_min(old->count, share->capacity);

        for (i = 0; i < share->count; i++) {
            share->calls[i] = *ngx_http_atelier_joint_call(old,
                                              old->count - share->count + i);
        }

        return;
    }

    for (next = slot->shares; next; next = next->next) {
        if (next->moved == NULL && next->epoch + 1 >= slot->epoch
            && (old == NULL || next->period > old->period))
        {
            old = next;
        }
    }

    if (old == NULL) {
        for (i = 0; i < rate->calls / 2 / zone->conf->limits->nodes; i++) {
            ngx_http_atelier_joint_add(share, ngx_current_msec);
        }

        return;
    }

    for (i = 0; i < old->count; i++) {
        call = ngx_http_atelier_joint_call(old, i);
        ngx_http_atelier_joint_add(share, call->at);
    }
}
