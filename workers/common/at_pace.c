/*
 * The pace of hosts (see at_pace.h).
 */

#include "at_pace_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>


#define AT_PACE_KEYS   "atelier:pace:"
#define AT_PACE_TURNS  "atelier:pace-turns"
#define AT_PACE_WORDS  28


/* The words of one call, and the memory of those that are numbers. */
typedef struct {
    at_str_t   words[AT_PACE_WORDS];
    size_t     n;
    char       digits[AT_PACE_WORDS][24];
    char       keys[3][sizeof(AT_PACE_KEYS) + AT_PACE_HOST_MAX + 16];
} at_pace_call_t;


static const char *const  at_pace_events[] = {
    "none", "good", "refused", "walled"
};


static void at_pace_begin(at_pace_call_t *c, at_str_t name, const char *what,
    const at_pace_ticket_t *ticket, const at_pace_rule_t *rule);
static void at_pace_text(at_pace_call_t *c, const char *text);
static void at_pace_number(at_pace_call_t *c, int64_t n);
static int at_pace_eval(at_pace_t *p, at_pace_call_t *c, at_pace_host_t *h,
    int64_t *wait);
static int64_t at_pace_left(int64_t at, int64_t now);


at_pace_t *
at_pace_create(const at_pace_settings_t *settings)
{
    at_pace_t  *p;

    p = calloc(1, sizeof(at_pace_t));
    if (p == NULL) {
        return NULL;
    }

    p->settings = settings;

    if (getrandom(&p->id, sizeof(p->id), 0) != (ssize_t) sizeof(p->id)) {
        p->id = (uint64_t) at_time_micro();
    }

    p->turn = -1;

    if (settings->redis) {
        p->redis = at_redis_create(settings->redis);

        if (p->redis == NULL) {
            free(p);
            return NULL;
        }
    }

    return p;
}


void
at_pace_free(at_pace_t *p)
{
    if (p) {
        at_redis_free(p->redis);
        free(p);
    }
}


int
at_pace_shared(const at_pace_t *p)
{
    return p->redis && at_redis_up(p->redis);
}


at_pace_e
at_pace_take(at_pace_t *p, at_str_t name, at_pace_host_t *h,
    const at_pace_rule_t *rule, at_pace_ticket_t *ticket, int64_t *wait)
{
    int             rc, back;
    char            id[20];
    int64_t         now, next, cost;
    at_pace_call_t  c;

    now = at_time_micro();
    *wait = 0;
    memset(ticket, 0, sizeof(at_pace_ticket_t));
    (void) snprintf(ticket->token, sizeof(ticket->token), "%016llx-%llx",
                    (unsigned long long) p->id, (unsigned long long) ++p->n);

    /* while it was away others may have gone by themselves, and still do */

    back = h->alone
           || (h->connection && p->redis
               && h->connection != at_redis_connection(p->redis));
    next = now + at_pace_back(p, h, rule);
    next = (back && next > h->next) ? next : h->next;

    memset(&c, 0, sizeof(at_pace_call_t));
    at_pace_begin(&c, name, "take", ticket, rule);
    at_pace_number(&c, rule->limit);
    at_pace_number(&c, p->settings->flight);
    at_pace_number(&c, p->settings->connect);
    at_pace_number(&c, h->dirty ? 1 : back ? 2 : 0);
    at_pace_number(&c, h->rate.gap);
    at_pace_number(&c, h->rate.mark);
    at_pace_number(&c, h->rate.well);
    at_pace_number(&c, at_pace_left(next, now));
    at_pace_number(&c, at_pace_left(h->wall.until, now));
    at_pace_number(&c, h->wall.pause);
    at_pace_number(&c, rule->daily);
    at_pace_number(&c, h->day);
    at_pace_number(&c, h->count);
    (void) snprintf(id, sizeof(id), "%016llx", (unsigned long long) p->id);
    at_pace_text(&c, id);
    at_pace_number(&c, p->settings->share);
    at_pace_number(&c, rule->kind);
    at_pace_number(&c, rule->share);
    at_pace_number(&c, h->kinds[1]);
    at_pace_number(&c, h->kinds[2]);

    /* a Redis that hangs would take the time of each turn */

    if (h->alone && now < h->unasked
        && at_pace_alone(p, h, rule, ticket, wait) == AT_PACE_GO)
    {
        ticket->local = 1;
        h->flight++;
        return AT_PACE_GO;
    }

    rc = at_pace_eval(p, &c, h, wait);
    cost = at_time_micro() - now;

    if (rc == AT_ERROR) {
        ticket->local = 1;
        rc = (int) at_pace_alone(p, h, rule, ticket, wait);

        if (cost > AT_PACE_LEAST) {
            h->unasked = now + 2 * cost + AT_PACE_TRIES;
        }

    } else {
        h->connection = at_redis_connection(p->redis);
        h->alone = 0;
        h->dirty = 0;
    }

    h->flight += (rc == AT_PACE_GO);

    return (at_pace_e) rc;
}


int
at_pace_sent(at_pace_t *p, at_str_t name, at_pace_host_t *h,
    const at_pace_rule_t *rule, at_pace_ticket_t *ticket)
{
    int64_t         stamp;
    at_pace_call_t  c;

    if (ticket->local) {
        return at_pace_apart(p, h, rule, ticket);
    }

    memset(&c, 0, sizeof(at_pace_call_t));
    at_pace_begin(&c, name, "sent", ticket, rule);
    at_pace_number(&c, rule->kind);

    /* with Redis just gone nobody knows whether it is its turn still */

    if (at_pace_eval(p, &c, h, &stamp) != 1) {
        return AT_ERROR;
    }

    ticket->stamp = stamp;
    ticket->sent = at_time_micro();
    h->sent = ticket->sent;

    return AT_OK;
}


void
at_pace_went(at_pace_t *p, at_str_t name, at_pace_host_t *h,
    const at_pace_rule_t *rule, at_pace_ticket_t *ticket, int64_t since)
{
    int64_t         wait;
    at_pace_call_t  c;

    ticket->went = since ? since : at_time_micro();

    if (!ticket->local) {
        memset(&c, 0, sizeof(at_pace_call_t));
        at_pace_begin(&c, name, "went", ticket, rule);
        at_pace_number(&c, at_time_micro() - ticket->went);

        if (at_pace_eval(p, &c, h, &wait) != AT_ERROR) {
            ticket->told = 1;
            return;
        }
    }

    at_pace_later(h, rule);
}


void
at_pace_done(at_pace_t *p, at_str_t name, at_pace_host_t *h,
    const at_pace_rule_t *rule, const at_pace_ticket_t *ticket,
    at_pace_event_e event, int64_t later)
{
    int64_t         wait;
    at_pace_call_t  c;

    h->flight--;

    memset(&c, 0, sizeof(at_pace_call_t));
    at_pace_begin(&c, name, "done", ticket, rule);
    at_pace_text(&c, at_pace_events[event]);
    at_pace_number(&c, ticket->sent ? at_time_micro() - ticket->sent : 0);
    at_pace_number(&c, later);
    at_pace_number(&c, p->settings->wall_least);
    at_pace_number(&c, p->settings->wall_most);
    at_pace_number(&c, ticket->went && !ticket->told
                       ? at_time_micro() - ticket->went : -1);

    if (at_pace_eval(p, &c, h, &wait) == AT_ERROR) {
        at_pace_end(p, h, rule, ticket, event, later);
    }
}


static void
at_pace_begin(at_pace_call_t *c, at_str_t name, const char *what,
    const at_pace_ticket_t *ticket, const at_pace_rule_t *rule)
{
    size_t  i;
    int     len;

    len = (int) (name.len < AT_PACE_HOST_MAX ? name.len : AT_PACE_HOST_MAX);

    (void) snprintf(c->keys[0], sizeof(c->keys[0]), AT_PACE_KEYS "%.*s", len,
                    name.data);
    (void) snprintf(c->keys[1], sizeof(c->keys[1]), AT_PACE_KEYS "%.*s:flight",
                    len, name.data);

    c->n = 0;

    (void) snprintf(c->keys[2], sizeof(c->keys[2]), AT_PACE_TURNS);

    for (i = 0; i < 3; i++) {
        at_pace_text(c, c->keys[i]);
    }

    at_pace_text(c, what);
    at_pace_text(c, ticket->token);
    at_pace_number(c, rule->gap);
}


static void
at_pace_text(at_pace_call_t *c, const char *text)
{
    c->words[c->n++] = (at_str_t) { strlen(text), text };
}


static void
at_pace_number(at_pace_call_t *c, int64_t n)
{
    (void) snprintf(c->digits[c->n], sizeof(c->digits[c->n]), "%lld",
                    (long long) n);
    at_pace_text(c, c->digits[c->n]);
}


/* The answer of the script, or AT_ERROR. */

static int
at_pace_eval(at_pace_t *p, at_pace_call_t *c, at_pace_host_t *h,
    int64_t *wait)
{
    int          rc;
    int64_t      now;
    redisReply  *reply;

    if (p->redis == NULL) {
        return AT_ERROR;
    }

    reply = at_redis_eval(p->redis, &at_pace_script, 3, c->n, c->words);

    if (at_redis_at(reply, 12) == NULL) {
        freeReplyObject(reply);
        return AT_ERROR;
    }

    rc = (int) at_redis_int(at_redis_at(reply, 0));
    *wait = at_redis_int(at_redis_at(reply, 1));

    /* kept for when Redis is away, unless it has to hear of it first */

    if (h->dirty && strcmp(c->words[3].data, "take") != 0) {
        freeReplyObject(reply);
        return rc;
    }

    if (strcmp(c->words[3].data, "take") == 0) {
        p->turn = at_redis_int(at_redis_at(reply, 10));
    }

    now = at_time_micro();
    h->rate.gap = at_redis_int(at_redis_at(reply, 2));
    h->rate.mark = at_redis_int(at_redis_at(reply, 3));
    h->rate.well = at_redis_int(at_redis_at(reply, 4));
    h->next = now + at_redis_int(at_redis_at(reply, 5));
    h->wall.until = now + at_redis_int(at_redis_at(reply, 6));
    h->wall.pause = at_redis_int(at_redis_at(reply, 7));
    h->day = at_redis_int(at_redis_at(reply, 8));
    h->count = at_redis_int(at_redis_at(reply, 9));
    h->alone_count = 0;
    h->kinds[1] = at_redis_int(at_redis_at(reply, 11));
    h->kinds[2] = at_redis_int(at_redis_at(reply, 12));
    memset(h->alone_kinds, 0, sizeof(h->alone_kinds));

    freeReplyObject(reply);

    return rc;
}


static int64_t
at_pace_left(int64_t at, int64_t now)
{
    return (at > now) ? at - now : 0;
}
