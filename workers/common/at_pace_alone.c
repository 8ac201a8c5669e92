/*
 * The pace of hosts without Redis: each process for itself, and in its turn if
 * there are others (see at_pace.h).
 */

#include "at_pace_own.h"

#include <string.h>
#include <time.h>


#define AT_PACE_DAY  86400              /* s */


static int64_t at_pace_turn(const at_pace_t *p, int64_t now, int64_t due,
    int64_t gap, int64_t *until);
static int64_t at_pace_window(const at_pace_t *p, int64_t gap);
static at_pace_e at_pace_spent(const at_pace_t *p, at_pace_host_t *h,
    const at_pace_rule_t *rule, int64_t *wait);
static int64_t at_pace_part(const at_pace_t *p, int64_t left);


at_pace_e
at_pace_alone(at_pace_t *p, at_pace_host_t *h, const at_pace_rule_t *rule,
    at_pace_ticket_t *ticket, int64_t *wait)
{
    int64_t    now, gap, due;
    unsigned   limit;
    at_pace_e  answer;

    now = at_time_micro();
    gap = at_pace_gap(h, rule->gap);
    limit = rule->limit;

    if (p->redis) {
        gap = (gap > AT_PACE_LEAST) ? gap : AT_PACE_LEAST;
        limit = 1;

        /* somebody may have been let go by Redis just now */

        if (!h->alone) {
            h->alone = 1;
            h->next = (now + gap > h->next) ? now + gap : h->next;
        }
    }

    if (h->wall.until > now) {
        *wait = h->wall.until - now;
        return AT_PACE_WALL;
    }

    answer = at_pace_spent(p, h, rule, wait);

    if (answer != AT_PACE_GO) {
        return answer;
    }

    due = (h->sent && h->sent + gap > h->next) ? h->sent + gap : h->next;

    if (p->redis) {
        due = at_pace_turn(p, now, due, gap, &ticket->until);
    }

    if (due > now) {
        *wait = due - now;
        return AT_PACE_WAIT;
    }

    return (h->flight >= (h->wall.pause ? 1 : limit)) ? AT_PACE_BUSY
                                                      : AT_PACE_GO;
}


/*
 * When its turn is, not before due: now, if it has begun; the request has to be
 * sent until then.  A window and a gap make a turn: half of the window is for
 * beginning, a quarter for connecting, the last one for a process that has to
 * wait for a CPU between asking here and its write().  All go by the time of
 * the day, whose seconds machines agree about.
 */

static int64_t
at_pace_turn(const at_pace_t *p, int64_t now, int64_t due, int64_t gap,
    int64_t *until)
{
    int64_t          wall, turn, window, round, into;
    struct timespec  ts;

    window = at_pace_window(p, gap);
    round = (gap + window) * p->settings->share;
    turn = (p->turn >= 0) ? p->turn : (int64_t) (p->id % p->settings->share);

    if (due < now) {
        due = now;
    }

    (void) clock_gettime(CLOCK_REALTIME, &ts);
    wall = (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000 + due - now;
    into = (wall % round - turn * (gap + window) + round) % round;

    if (into >= window / 2) {
        return due + round - into;
    }

    *until = due + window * 3 / 4 - into;

    return due;
}


static int64_t
at_pace_window(const at_pace_t *p, int64_t gap)
{
    return gap / 4 + p->settings->window;
}


int64_t
at_pace_back(const at_pace_t *p, const at_pace_host_t *h,
    const at_pace_rule_t *rule)
{
    int64_t  gap;

    gap = at_pace_gap(h, rule->gap);
    gap = (gap > AT_PACE_LEAST) ? gap : AT_PACE_LEAST;

    return AT_PACE_TRIES + (p->redis ? p->settings->redis->timeout * 2000 : 0)
           + gap + at_pace_window(p, gap);
}


/* What was left of the day when Redis went is shared, too. */

static at_pace_e
at_pace_spent(const at_pace_t *p, at_pace_host_t *h,
    const at_pace_rule_t *rule, int64_t *wait)
{
    int64_t  second;

    second = at_time_wall() / 1000;

    if (h->day != second / AT_PACE_DAY) {
        h->day = second / AT_PACE_DAY;
        h->count = 0;
        h->alone_count = 0;
        memset(h->kinds, 0, sizeof(h->kinds));
        memset(h->alone_kinds, 0, sizeof(h->alone_kinds));
    }

    if (rule->daily == 0) {
        return AT_PACE_GO;
    }

    *wait = (AT_PACE_DAY - second % AT_PACE_DAY) * 1000000;

    if (h->alone_count >= at_pace_part(p, rule->daily - (h->count
                                                         - h->alone_count)))
    {
        return AT_PACE_SPENT;
    }

    if (rule->kind > 0
        && h->alone_kinds[rule->kind]
           >= at_pace_part(p, rule->share - (h->kinds[rule->kind]
                                             - h->alone_kinds[rule->kind])))
    {
        return AT_PACE_SHARE;
    }

    *wait = 0;

    return AT_PACE_GO;
}


static int64_t
at_pace_part(const at_pace_t *p, int64_t left)
{
    return p->redis ? left / p->settings->share : left;
}


int
at_pace_apart(at_pace_t *p, at_pace_host_t *h, const at_pace_rule_t *rule,
    at_pace_ticket_t *ticket)
{
    int64_t  now;

    now = at_time_micro();

    if (ticket->until && now > ticket->until) {
        return AT_ERROR;
    }

    h->count++;
    h->alone_count++;
    h->kinds[rule->kind]++;
    h->alone_kinds[rule->kind]++;

    ticket->sent = now;
    h->sent = ticket->sent;
    h->dirty = (p->redis != NULL);

    at_pace_later(h, rule);

    return AT_OK;
}


void
at_pace_later(at_pace_host_t *h, const at_pace_rule_t *rule)
{
    int64_t  next;

    next = at_time_micro() + at_pace_gap(h, rule->gap);

    if (next > h->next) {
        h->next = next;
    }
}


void
at_pace_end(at_pace_t *p, at_pace_host_t *h, const at_pace_rule_t *rule,
    const at_pace_ticket_t *ticket, at_pace_event_e event, int64_t later)
{
    int64_t  now, sent;

    now = at_time_micro();
    sent = ticket->sent ? ticket->sent : now;

    h->rate.gap = at_pace_gap(h, rule->gap);

    switch (event) {

    case AT_PACE_GOOD:
        if (h->wall.pause && sent > h->wall.opened) {
            h->wall = (at_pace_wall_t) { .opened = h->wall.opened };
        }

        at_pace_good(&h->rate, rule->gap);
        break;

    case AT_PACE_REFUSED:
        at_pace_refused(&h->rate, now, sent);

        if (now + h->rate.gap > h->next) {
            h->next = now + h->rate.gap;
        }

        break;

    case AT_PACE_WALLED:
        at_pace_walled(&h->wall, now, sent, p->settings->wall_least,
                       p->settings->wall_most);
        break;

    case AT_PACE_NOTHING:
        break;
    }

    if (later > 0 && now + later > h->next) {
        h->next = now + later;
    }

    h->dirty = (p->redis != NULL);
}
