/*
 * The pace of hosts (see at_pace.h).
 */

#include "at_pace.h"
#include "at_script.h"
#include "at_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>


#define AT_PACE_KEYS      "atelier:pace:"
#define AT_PACE_TURNS     "atelier:pace-turns"
#define AT_PACE_WORDS     28
#define AT_PACE_BACK      6000000       /* until all know that Redis is */
#define AT_PACE_DAY       86400         /* s */


struct at_pace_s {
    const at_pace_settings_t  *settings;
    at_redis_t                *redis;
    uint64_t                   id;
    uint64_t                   n;       /* tickets */
    int64_t                    turn;    /* of this process; -1: none */
};


/* The words of one call, and the memory of those that are numbers. */
typedef struct {
    at_str_t   words[AT_PACE_WORDS];
    size_t     n;
    char       digits[AT_PACE_WORDS][24];
    char       keys[3][sizeof(AT_PACE_KEYS) + AT_PACE_HOST_MAX + 16];
} at_pace_call_t;


/*
 * KEYS: hash, set of those in flight, turns.  ARGV: what, ticket, base;
 *   take: limit, flight, connect, dirty, and gap, mark, well, next, wall and
 *         pause as the caller knows them, times as what is left of them; how
 *         many a day, day and count as the caller knows them; the process
 *         and how many there may be; the kind of the request, how many of it
 *         a day, and the counts of kinds as the caller knows them
 *   sent: kind
 *   done: event, age of the request, later, least and most of a wall
 *
 * Returns the answer, how long to wait or when it was sent, then gap, mark,
 * well, next, wall, pause, day and count, the turn of the process or -1, and
 * the counts of kinds.
 * %.0f: Lua writes only 14 digits by itself.
 */

static const at_redis_script_t  at_pace_script = {
    "local t = redis.call('TIME')\n"
    "local now = t[1] * 1000000 + t[2]\n"
    "local h = redis.call('HMGET', KEYS[1], 'gap', 'mark', 'well', 'cut',\n"
    "  'next', 'wall', 'pause', 'opened', 'sending', 'until', 'day',\n"
    "  'count', 'kind1', 'kind2')\n"
    "local function field(i) return tonumber(h[i] or '0') end\n"
    "local function arg(i) return tonumber(ARGV[i]) end\n"
    "local gap, mark, well, cut = field(1), field(2), field(3), field(4)\n"
    "local nxt, wall, pause = field(5), field(6), field(7)\n"
    "local opened, sending, till = field(8), h[9] or '', field(10)\n"
    "local what, ticket, base = ARGV[1], ARGV[2], arg(3)\n"
    "local answer, wait, turn = 0, 0, -1\n"
    "local day = math.floor(t[1] / 86400)\n"
    "local today = field(11) == day\n"
    "local count = today and field(12) or 0\n"
    "local kinds = { today and field(13) or 0, today and field(14) or 0 }\n"
    "local kind = what == 'take' and arg(19) or what == 'sent' and arg(4)\n"
    "  or 0\n"
    "local function based()\n"
    "  gap = mark > 0 and math.max(gap, base) or base\n"
    "end\n"

    "local function turns()\n"
    "  local all, taken = redis.call('HGETALL', KEYS[3]), {}\n"
    "  for i = 1, #all, 2 do\n"
    "    local id, at = string.match(all[i + 1], '^(%S+) (%d+)$')\n"
    "    if id == ARGV[17] then\n"
    "      turn = tonumber(all[i])\n"
    "    elseif id and tonumber(at) > now then\n"
    "      taken[tonumber(all[i])] = true\n"
    "    end\n"
    "  end\n"
    "  for i = 0, arg(18) - 1 do\n"
    "    if turn == -1 and not taken[i] then\n"
    "      turn = i\n"
    "    end\n"
    "  end\n"
    "  if turn >= 0 then\n"
    "    redis.call('HSET', KEYS[3], turn,\n"
    "               string.format('%s %.0f', ARGV[17], now + 600000000))\n"
    "    redis.call('PEXPIRE', KEYS[3], 600000)\n"
    "  end\n"
    "end\n"

    "local function take()\n"
    "  turns()\n"
    "  if not h[1] or ARGV[7] == '1' then\n"
    "    gap = math.max(gap, arg(8))\n"
    "    mark = math.max(mark, arg(9))\n"
    "    well = math.max(well, arg(10))\n"
    "    nxt = math.max(nxt, now + arg(11))\n"
    "    if arg(15) == day then\n"
    "      count = math.max(count, arg(16))\n"
    "      kinds[1] = math.max(kinds[1], arg(21))\n"
    "      kinds[2] = math.max(kinds[2], arg(22))\n"
    "    end\n"
    "    if arg(13) > 0 then\n"
    "      wall = math.max(wall, now + arg(12))\n"
    "      pause = math.max(pause, arg(13))\n"
    "    end\n"
    "  end\n"
    "  based()\n"
    "  if wall > now then\n"
    "    answer, wait = 3, wall - now\n"
    "    return\n"
    "  end\n"
    "  if arg(14) > 0 and count >= arg(14) then\n"
    "    answer, wait = 4, (day + 1) * 86400000000 - now\n"
    "    return\n"
    "  end\n"
    "  if kind > 0 and arg(14) > 0 and kinds[kind] >= arg(20) then\n"
    "    answer, wait = 5, (day + 1) * 86400000000 - now\n"
    "    return\n"
    "  end\n"
    "  if nxt > now then\n"
    "    answer, wait = 1, nxt - now\n"
    "    return\n"
    "  end\n"
    "  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf',\n"
    "             string.format('%.0f', now))\n"
    "  local limit = pause > 0 and 1 or arg(4)\n"
    "  if redis.call('ZCARD', KEYS[2]) >= limit\n"
    "     or sending ~= '' and till > now\n"
    "  then\n"
    "    answer = 2\n"
    "    return\n"
    "  end\n"
    "  redis.call('ZADD', KEYS[2], string.format('%.0f', now + arg(5)),\n"
    "             ticket)\n"
    "  redis.call('PEXPIRE', KEYS[2], math.ceil(arg(5) / 1000) + 1000)\n"
    "  sending, till, nxt = ticket, now + arg(6), now + gap\n"
    "end\n"

    "local function good(sent)\n"
    "  if pause > 0 and sent > opened then\n"
    "    pause, wall = 0, 0\n"
    "  end\n"
    "  well = well + 1\n"
    "  if gap <= base then\n"
    "    return\n"
    "  end\n"
    "  local aim = math.max(base, math.floor(mark * 20 / 19))\n"
    "  if gap > aim then\n"
    "    gap = math.max(aim, math.floor(gap * 32 * aim / (32 * aim + gap)))\n"
    "  else\n"
    "    gap = math.max(base, math.floor(gap - gap / 4096))\n"
    "  end\n"
    "end\n"

    "local function refused(sent)\n"
    "  if sent <= cut then\n"
    "    return\n"
    "  end\n"
    "  local old = mark\n"
    "  mark = math.max(gap, 100000)\n"
    "  if old > 0 and well < 128 then\n"
    "    mark = math.min(600000000, math.floor(mark * 23 / 20))\n"
    "  end\n"
    "  gap = math.min(600000000, mark * 2)\n"
    "  well, cut, nxt = 0, now, math.max(nxt, now + gap)\n"
    "end\n"

    "local function walled(sent)\n"
    "  if sent > opened then\n"
    "    pause = math.min(pause > 0 and pause * 2 or arg(7), arg(8))\n"
    "    wall, opened = now + pause, now\n"
    "  end\n"
    "end\n"

    "if what == 'take' then\n"
    "  take()\n"
    "elseif what == 'sent' then\n"
    "  based()\n"
    "  if sending == ticket then\n"
    "    nxt, answer, wait = now + gap, 1, now\n"
    "    till, count = nxt + 1000000, count + 1\n"
    "    if kind > 0 then\n"
    "      kinds[kind] = kinds[kind] + 1\n"
    "    end\n"
    "  end\n"
    "elseif what == 'went' then\n"
    "  based()\n"
    "  if sending == ticket then\n"
    "    sending, nxt = '', math.max(nxt, now + gap)\n"
    "  end\n"
    "else\n"
    "  redis.call('ZREM', KEYS[2], ticket)\n"
    "  if sending == ticket then\n"
    "    sending = ''\n"
    "  end\n"
    "  based()\n"
    "  local sent = now - arg(5)\n"
    "  if ARGV[4] == 'good' then\n"
    "    good(sent)\n"
    "  elseif ARGV[4] == 'refused' then\n"
    "    refused(sent)\n"
    "  elseif ARGV[4] == 'walled' then\n"
    "    walled(sent)\n"
    "  end\n"
    "  if arg(6) > 0 then\n"
    "    nxt = math.max(nxt, now + arg(6))\n"
    "  end\n"
    "end\n"

    "local set = { KEYS[1], 'sending', sending }\n"
    "for name, n in pairs({ gap = gap, mark = mark, well = well, cut = cut,\n"
    "    next = nxt, wall = wall, pause = pause, opened = opened,\n"
    "    ['until'] = till, day = day, count = count, kind1 = kinds[1],\n"
    "    kind2 = kinds[2] }) do\n"
    "  set[#set + 1] = name\n"
    "  set[#set + 1] = string.format('%.0f', n)\n"
    "end\n"
    "redis.call('HSET', unpack(set))\n"
    "redis.call('PEXPIRE', KEYS[1], 172800000)\n"
    "return { answer, wait, gap, mark, well, math.max(0, nxt - now),\n"
    "         math.max(0, wall - now), pause, day, count,\n"
    "         turn, kinds[1], kinds[2] }\n",
    AT_SCRIPT_PACE
};


static const char *const  at_pace_events[] = {
    "none", "good", "refused", "walled"
};


static at_pace_e at_pace_alone(at_pace_t *p, at_pace_host_t *h,
    const at_pace_rule_t *rule, int64_t *wait);
static int64_t at_pace_turn(const at_pace_t *p, int64_t now, int64_t due,
    int64_t gap);
static at_pace_e at_pace_spent(const at_pace_t *p, at_pace_host_t *h,
    const at_pace_rule_t *rule, int64_t *wait);
static int64_t at_pace_part(const at_pace_t *p, int64_t left);
static int at_pace_apart(at_pace_t *p, at_pace_host_t *h,
    const at_pace_rule_t *rule, at_pace_ticket_t *ticket);
static void at_pace_later(at_pace_host_t *h, const at_pace_rule_t *rule);
static void at_pace_end(at_pace_t *p, at_pace_host_t *h,
    const at_pace_rule_t *rule, const at_pace_ticket_t *ticket,
    at_pace_event_e event, int64_t later);
static void at_pace_begin(at_pace_call_t *c, at_str_t name, const char *what,
    const at_pace_ticket_t *ticket, const at_pace_rule_t *rule);
static void at_pace_text(at_pace_call_t *c, const char *text);
static void at_pace_number(at_pace_call_t *c, int64_t n);
static int at_pace_eval(at_pace_t *p, at_pace_call_t *c, at_pace_host_t *h,
    int64_t *wait);
static int64_t at_pace_gap(const at_pace_host_t *h, int64_t base);
static int64_t at_pace_left(int64_t at, int64_t now);
static int64_t at_pace_now(void);


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
        p->id = (uint64_t) at_pace_now();
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
    int             rc;
    char            id[20];
    int64_t         now;
    at_pace_call_t  c;

    now = at_pace_now();
    *wait = 0;
    memset(ticket, 0, sizeof(at_pace_ticket_t));
    (void) snprintf(ticket->token, sizeof(ticket->token), "%016llx-%llx",
                    (unsigned long long) p->id, (unsigned long long) ++p->n);

    memset(&c, 0, sizeof(at_pace_call_t));
    at_pace_begin(&c, name, "take", ticket, rule);
    at_pace_number(&c, rule->limit);
    at_pace_number(&c, p->settings->flight);
    at_pace_number(&c, p->settings->connect);
    at_pace_number(&c, h->dirty || h->alone);
    at_pace_number(&c, h->rate.gap);
    at_pace_number(&c, h->rate.mark);
    at_pace_number(&c, h->rate.well);
    at_pace_number(&c, at_pace_left(h->alone && h->next < now + AT_PACE_BACK
                                    ? now + AT_PACE_BACK : h->next, now));
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

    rc = at_pace_eval(p, &c, h, wait);

    if (rc == AT_ERROR) {
        ticket->local = 1;
        rc = (int) at_pace_alone(p, h, rule, wait);

    } else {
        h->alone = 0;
        h->dirty = 0;
    }

    h->flight += (rc == AT_PACE_GO);

    return (at_pace_e) rc;
}


/* What there is to go by without Redis. */

static at_pace_e
at_pace_alone(at_pace_t *p, at_pace_host_t *h, const at_pace_rule_t *rule,
    int64_t *wait)
{
    int64_t    now, gap, due;
    unsigned   limit;
    at_pace_e  answer;

    now = at_pace_now();
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
        due = at_pace_turn(p, now, due, gap);
    }

    if (due > now) {
        *wait = due - now;
        return AT_PACE_WAIT;
    }

    return (h->flight >= (h->wall.pause ? 1 : limit)) ? AT_PACE_BUSY
                                                      : AT_PACE_GO;
}


/*
 * When its turn is, not before due: now, if it has just begun.  All go by the
 * time of the day, whose seconds machines agree about.
 */

static int64_t
at_pace_turn(const at_pace_t *p, int64_t now, int64_t due, int64_t gap)
{
    int64_t          wall, turn, round, into;
    struct timespec  ts;

    round = gap * p->settings->share;
    turn = (p->turn >= 0) ? p->turn : (int64_t) (p->id % p->settings->share);

    if (due < now) {
        due = now;
    }

    (void) clock_gettime(CLOCK_REALTIME, &ts);
    wall = (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000 + due - now;
    into = (wall % round - turn * gap + round) % round;

    return (into < gap / 20) ? due : due + round - into;
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
at_pace_sent(at_pace_t *p, at_str_t name, at_pace_host_t *h,
    const at_pace_rule_t *rule, at_pace_ticket_t *ticket)
{
    int             rc;
    int64_t         stamp;
    at_pace_call_t  c;

    if (ticket->local) {
        return at_pace_apart(p, h, rule, ticket);
    }

    memset(&c, 0, sizeof(at_pace_call_t));
    at_pace_begin(&c, name, "sent", ticket, rule);
    at_pace_number(&c, rule->kind);
    rc = at_pace_eval(p, &c, h, &stamp);

    if (rc == AT_ERROR) {
        return at_pace_apart(p, h, rule, ticket);
    }

    if (rc != 1) {
        return AT_ERROR;
    }

    ticket->stamp = stamp;
    ticket->sent = at_pace_now();
    h->sent = ticket->sent;

    return AT_OK;
}


/* The next one goes a gap after this one, whatever Redis will say. */

static int
at_pace_apart(at_pace_t *p, at_pace_host_t *h, const at_pace_rule_t *rule,
    at_pace_ticket_t *ticket)
{
    h->count++;
    h->alone_count++;
    h->kinds[rule->kind]++;
    h->alone_kinds[rule->kind]++;

    ticket->sent = at_pace_now();
    ticket->local = 1;
    h->sent = ticket->sent;
    h->dirty = (p->redis != NULL);

    at_pace_later(h, rule);

    return AT_OK;
}


static void
at_pace_later(at_pace_host_t *h, const at_pace_rule_t *rule)
{
    int64_t  next;

    next = at_pace_now() + at_pace_gap(h, rule->gap);

    if (next > h->next) {
        h->next = next;
    }
}


void
at_pace_went(at_pace_t *p, at_str_t name, at_pace_host_t *h,
    const at_pace_rule_t *rule, at_pace_ticket_t *ticket)
{
    int64_t         wait;
    at_pace_call_t  c;

    if (!ticket->local) {
        memset(&c, 0, sizeof(at_pace_call_t));
        at_pace_begin(&c, name, "went", ticket, rule);

        if (at_pace_eval(p, &c, h, &wait) != AT_ERROR) {
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
    at_pace_number(&c, ticket->sent ? at_pace_now() - ticket->sent : 0);
    at_pace_number(&c, later);
    at_pace_number(&c, p->settings->wall_least);
    at_pace_number(&c, p->settings->wall_most);

    if (at_pace_eval(p, &c, h, &wait) == AT_ERROR) {
        at_pace_end(p, h, rule, ticket, event, later);
    }
}


static void
at_pace_end(at_pace_t *p, at_pace_host_t *h, const at_pace_rule_t *rule,
    const at_pace_ticket_t *ticket, at_pace_event_e event, int64_t later)
{
    int64_t  now, sent;

    now = at_pace_now();
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

    now = at_pace_now();
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


/* Only what was refused is a reason for a larger one. */

static int64_t
at_pace_gap(const at_pace_host_t *h, int64_t base)
{
    return (h->rate.mark && h->rate.gap > base) ? h->rate.gap : base;
}


static int64_t
at_pace_left(int64_t at, int64_t now)
{
    return (at > now) ? at - now : 0;
}


static int64_t
at_pace_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
