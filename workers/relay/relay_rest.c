/*
 * When the thread that relays looks by itself, and when it sleeps until it is
 * woken.
 *
 * NOTIFY makes all commits of a database wait for each other, with their
 * writes to the disk.  So under load the relay says by a lock (3) that it
 * looks all the time, and live_publish() does without.  Who relies on that
 * has a lock of his own (4) until he has committed: before the relay sleeps,
 * it takes its word back, sees that nobody is left, and looks once more.
 */

#include "relay.h"


#define RELAY_NAP    1          /* ms between looks */
#define RELAY_CLOSE  20         /* ms: rows so close together ... */
#define RELAY_RUSH   10         /* ... so often are load */
#define RELAY_QUIET  100        /* ms without rows are its end */
#define RELAY_LATE   50         /* ms between looks for who takes long */


static const at_postgres_statement_t  relay_rest_look = {
    "atelier_relay_look",
    "SELECT pg_try_advisory_lock(1096041804, 3)",
    0
};

static const at_postgres_statement_t  relay_rest_end = {
    "atelier_relay_end",
    "SELECT pg_advisory_unlock(1096041804, 3)",
    0
};

static const at_postgres_statement_t  relay_rest_alone = {
    "atelier_relay_alone",
    "SELECT CASE WHEN pg_try_advisory_lock(1096041804, 4)"
    " THEN pg_advisory_unlock(1096041804, 4) ELSE false END",
    0
};


static int relay_rest_yes(relay_t *t,
    const at_postgres_statement_t *statement);


/* The one before may have given its word, too. */

void
relay_rest_begin(relay_t *t)
{
    t->looks = 0;
    t->settles = 1;
    t->rush = 0;
    t->nap = RELAY_NAP;
}


void
relay_rest(relay_t *t)
{
    if (t->looks && at_time_mono() - t->last > RELAY_QUIET
        && relay_rest_yes(t, &relay_rest_end))
    {
        relay_rest_begin(t);
    }

    if (t->settles && !t->looks) {
        if (relay_rest_yes(t, &relay_rest_alone)) {
            t->settles = 0;

        } else {
            t->nap = (t->nap * 2 < RELAY_LATE) ? t->nap * 2 : RELAY_LATE;
        }
    }
}


void
relay_rest_seen(relay_t *t)
{
    int64_t  now;

    now = at_time_mono();
    t->rush = (now - t->last <= RELAY_CLOSE) ? t->rush + 1 : 0;
    t->last = now;

    if (!t->looks && t->rush >= RELAY_RUSH) {
        t->looks = relay_rest_yes(t, &relay_rest_look);
    }
}


int64_t
relay_rest_wait(const relay_t *t)
{
    if (t->looks) {
        return RELAY_NAP;
    }

    return t->settles ? t->nap : t->run->settings.poll;
}


static int
relay_rest_yes(relay_t *t, const at_postgres_statement_t *statement)
{
    int        yes;
    PGresult  *result;

    result = relay_ask(t, statement, NULL);
    yes = (result && PQgetvalue(result, 0, 0)[0] == 't');
    PQclear(result);

    return yes;
}
