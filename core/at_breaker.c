/*
 * The circuit breaker (see at_breaker.h).
 *
 * Calls that a race called off are most of what a provider is seen of if it
 * seldom wins, so they have to count; but one that was called off early says
 * nothing.  It counts as good if it had run for longer than failures of this
 * provider mostly take to show: by then it would have failed.
 */

#include <string.h>

#include "at_breaker.h"


static void at_breaker_good(at_breaker_t *b, const at_breaker_rules_t *rules,
    at_breaker_ms_t now);
static void at_breaker_failed(at_breaker_t *b,
    const at_breaker_rules_t *rules, at_breaker_ms_t now,
    at_breaker_ms_t age);
static void at_breaker_probed(at_breaker_t *b,
    const at_breaker_rules_t *rules, at_breaker_ms_t now,
    at_breaker_outcome_e outcome);
static void at_breaker_lapse(at_breaker_t *b, const at_breaker_rules_t *rules,
    at_breaker_ms_t now);
static int at_breaker_outlived(const at_breaker_t *b, at_breaker_ms_t age);


static inline intptr_t
at_breaker_left(at_breaker_ms_t until, at_breaker_ms_t now)
{
    return (intptr_t) (until - now);
}


at_breaker_state_e
at_breaker_state(const at_breaker_t *b, at_breaker_ms_t now)
{
    if (!b->open) {
        return AT_BREAKER_CLOSED;
    }

    return (at_breaker_left(b->until, now) > 0) ? AT_BREAKER_OPEN
                                                : AT_BREAKER_HALF_OPEN;
}


at_breaker_ms_t
at_breaker_wait(const at_breaker_t *b, at_breaker_ms_t now)
{
    intptr_t  left;

    if (!b->open) {
        return 0;
    }

    left = at_breaker_left(b->until, now);

    if (left <= 0 && b->probing) {
        left = at_breaker_left(b->lease, now);
    }

    return (left > 0) ? (at_breaker_ms_t) left : 0;
}


unsigned
at_breaker_ask(at_breaker_t *b, at_breaker_ms_t now, at_breaker_ms_t lease)
{
    if (!b->open) {
        return 0;
    }

    b->probing = 1;
    b->lease = now + lease;
    b->probe++;

    if (b->probe == 0) {
        b->probe = 1;
    }

    return b->probe;
}


void
at_breaker_settle(at_breaker_t *b, const at_breaker_rules_t *rules,
    at_breaker_ms_t now, unsigned probe, at_breaker_outcome_e outcome,
    at_breaker_ms_t age)
{
    if (b->open) {

        /* calls made before it opened, and lost probes, change nothing */

        if (b->probing && probe == b->probe) {
            b->probing = 0;
            at_breaker_probed(b, rules, now, outcome);
        }

        return;
    }

    switch (outcome) {

    case AT_BREAKER_CALLED_OFF:
        if (!at_breaker_outlived(b, age)) {
            return;
        }

        /* fall through */

    case AT_BREAKER_GOOD:
    case AT_BREAKER_ANSWERING:
        at_breaker_good(b, rules, now);
        return;

    case AT_BREAKER_FAILED:
        at_breaker_failed(b, rules, now, age);
        return;

    case AT_BREAKER_UNKNOWN:
        return;
    }
}


/* Only a good answer to its end closes it, and only a failure opens it anew. */

static void
at_breaker_probed(at_breaker_t *b, const at_breaker_rules_t *rules,
    at_breaker_ms_t now, at_breaker_outcome_e outcome)
{
    unsigned         probe;
    at_breaker_ms_t  longest;

    if (outcome == AT_BREAKER_GOOD) {
        probe = b->probe;
        memset(b, 0, sizeof(at_breaker_t));
        b->probe = probe;
        return;
    }

    if (outcome == AT_BREAKER_FAILED) {
        longest = rules->fail_timeout * AT_BREAKER_PAUSES;
        b->pause = (b->pause < longest / 2) ? b->pause * 2 : longest;
        b->until = now + b->pause;
    }
}


static void
at_breaker_good(at_breaker_t *b, const at_breaker_rules_t *rules,
    at_breaker_ms_t now)
{
    at_breaker_lapse(b, rules, now);

    /* workers' clocks differ by some ms: it must not go back */

    if (b->credit == 0 || at_breaker_left(now, b->good) > 0) {
        b->good = now;
    }

    if (b->fails) {
        b->fails--;

    } else if (b->credit / AT_BREAKER_CREDIT < rules->max_fails) {
        b->credit++;
    }
}


static void
at_breaker_failed(at_breaker_t *b, const at_breaker_rules_t *rules,
    at_breaker_ms_t now, at_breaker_ms_t age)
{
    b->ages[b->nages % AT_BREAKER_AGES] = age;
    b->nages++;

    if (b->nages == 2 * AT_BREAKER_AGES) {
        b->nages = AT_BREAKER_AGES;
    }

    if (rules->max_fails == 0) {
        return;
    }

    at_breaker_lapse(b, rules, now);

    if (b->credit) {
        b->credit--;
        return;
    }

    b->fails++;

    if (b->fails >= rules->max_fails) {
        b->open = 1;
        b->probing = 0;
        b->pause = rules->fail_timeout;
        b->until = now + b->pause;
    }
}


/* What was good long ago does not speak for it now. */

static void
at_breaker_lapse(at_breaker_t *b, const at_breaker_rules_t *rules,
    at_breaker_ms_t now)
{
    if (at_breaker_left(now, b->good) >= (intptr_t) rules->fail_timeout) {
        b->credit = 0;
    }
}


/* Whether a call of this age is older than the median of the failed ones. */

static int
at_breaker_outlived(const at_breaker_t *b, at_breaker_ms_t age)
{
    unsigned  i, n, younger;

    n = (b->nages < AT_BREAKER_AGES) ? b->nages : AT_BREAKER_AGES;
    younger = 0;

    for (i = 0; i < n; i++) {
        younger += (b->ages[i] <= age);
    }

    return younger > n / 2 || n == 0;
}
