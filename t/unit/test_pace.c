/*
 * The pace of hosts: the arithmetic, that the script in Redis does the same,
 * that processes which share a Redis keep the gap by its clock, and what they
 * do while it is away.
 */

#include "at_test_pace.h"

#include <sys/mman.h>


static void
test_backoff(void **state)
{
    unsigned  n;
    int64_t   most;

    (void) state;

    most = 1000;

    for (n = 1; n < 40; n++) {
        assert_int_equal(at_pace_backoff(n, 1000, 0), 0);
        assert_int_equal(at_pace_backoff(n, 1000, UINT32_MAX), most - 1);
        assert_int_equal(at_pace_backoff(n, 1000, 1u << 31), most / 2);
        most = (most * 2 < 30000) ? most * 2 : 30000;
    }
}


static void
test_rate(void **state)
{
    int             i;
    at_pace_rate_t  r = { .gap = 2 * SECOND };

    (void) state;

    /* half as often at once, and of those sent before that only once */

    at_pace_refused(&r, 100, 90);
    assert_int_equal(r.gap, 4 * SECOND);
    at_pace_refused(&r, 101, 99);
    assert_int_equal(r.gap, 4 * SECOND);

    /* back to just below what was refused ... */

    for (i = 0; i < 40; i++) {
        at_pace_good(&r, SECOND);
    }

    assert_true(r.gap > 2 * SECOND && r.gap < 22 * SECOND / 10);

    /* ... slowly past it, and to the gap of the settings in the end */

    for (i = 0; i < 200; i++) {
        at_pace_good(&r, SECOND);
    }

    assert_true(r.gap > 19 * SECOND / 10 && r.gap < 2 * SECOND);

    for (i = 0; i < 4000; i++) {
        at_pace_good(&r, SECOND);
    }

    assert_int_equal(r.gap, SECOND);

    /* never slower than the bound, and without a gap there is one then */

    for (i = 0; i < 64; i++) {
        at_pace_refused(&r, 1000 + i, 1000 + i);
    }

    assert_int_equal(r.gap, AT_PACE_MOST);

    r = (at_pace_rate_t) { .gap = 0 };
    at_pace_refused(&r, 2, 1);
    assert_int_equal(r.gap, 2 * AT_PACE_LEAST);
}


static void
test_wall(void **state)
{
    int             i;
    at_pace_wall_t  w = { .pause = 0 };

    (void) state;

    at_pace_walled(&w, 100, 50, 900, 86400);
    assert_int_equal(w.until, 1000);

    at_pace_walled(&w, 200, 99, 900, 86400);
    assert_int_equal(w.until, 1000);

    at_pace_walled(&w, 1100, 1050, 900, 86400);
    assert_int_equal(w.until, 1100 + 1800);

    for (i = 0; i < 20; i++) {
        at_pace_walled(&w, 2000 + i, 2000 + i, 900, 86400);
    }

    assert_int_equal(w.pause, 86400);
}


/*
 * A host that allows so much, in a bucket of so many: how many of the last
 * thousand requests were refused, and the mean gap of those.
 */

static void
simulate(int64_t allowed, int64_t bucket, double *refused, double *gap)
{
    int             i;
    double          tokens;
    int64_t         t, next, begun;
    at_pace_rate_t  r = { .gap = SECOND / 20 };

    t = 1;
    next = t;
    begun = 0;
    tokens = (double) bucket;
    *refused = 0;

    for (i = 0; i < 6000; i++) {
        tokens += (double) (next - t) / (double) allowed;
        tokens = (tokens > (double) bucket) ? (double) bucket : tokens;
        t = next;

        if (i == 3000) {
            begun = t;
        }

        if (tokens >= 1) {
            tokens--;
            at_pace_good(&r, SECOND / 20);

        } else {
            at_pace_refused(&r, t, t);
            *refused += (i >= 3000);
        }

        next = t + r.gap;
    }

    *refused /= 3000;
    *gap = (double) (t - begun) / 2999;
}


static void
test_settles(void **state)
{
    size_t                i;
    double                refused, gap;
    static const int64_t  hosts[][2] = {
        { SECOND / 10, 1 }, { SECOND / 3, 1 }, { SECOND, 1 },
        { 7 * SECOND, 1 }, { SECOND / 10, 20 }, { SECOND, 60 },
        { 3 * SECOND, 10 }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(hosts); i++) {
        simulate(hosts[i][0], hosts[i][1], &refused, &gap);
        at_test_true(refused < 0.01 && gap < 1.1 * (double) hosts[i][0],
                     "host %zu: %.4f refused, a gap of %.0f for %lld", i,
                     refused, gap, (long long) hosts[i][0]);
    }
}


/* The same events for the script and for the arithmetic here. */

static void
test_script(void **state)
{
    int                  i;
    int64_t              wait;
    uint32_t             random;
    at_pace_t           *p;
    at_pace_rate_t       r;
    at_pace_host_t       h;
    at_pace_event_e      event;
    at_pace_settings_t   s = settings(1);
    at_pace_ticket_t     ticket;

    (void) state;
    flush();

    p = at_pace_create(&s);
    memset(&h, 0, sizeof(h));
    memset(&r, 0, sizeof(r));
    random = 7;
    r.gap = SECOND;

    for (i = 0; i < 3000; i++) {
        event = (at_test_random(&random) % 40 == 0) ? AT_PACE_REFUSED
                                                    : AT_PACE_GOOD;
        memset(&ticket, 0, sizeof(ticket));
        h.flight = 1;
        at_pace_done(p, NAME, &h, rule(SECOND, 4), &ticket, event, 0);

        if (event == AT_PACE_GOOD) {
            at_pace_good(&r, SECOND);

        } else {
            at_pace_refused(&r, i + 1, i + 1);
        }

        at_test_true(h.rate.gap == r.gap && h.rate.mark == r.mark
                     && h.rate.well == r.well,
                     "event %d: gap %lld and %lld, mark %lld and %lld", i,
                     (long long) h.rate.gap, (long long) r.gap,
                     (long long) h.rate.mark, (long long) r.mark);
    }

    /* a wall is there for everybody, and one at a time tries after it */

    flush();
    memset(&h, 0, sizeof(h));
    assert_int_equal(at_pace_take(p, NAME, &h, rule(0, 4), &ticket, &wait),
                     AT_PACE_GO);
    assert_int_equal(at_pace_sent(p, NAME, &h, rule(0, 9), &ticket), AT_OK);
    at_pace_done(p, NAME, &h, rule(0, 9), &ticket, AT_PACE_WALLED, 0);

    memset(&h, 0, sizeof(h));
    assert_int_equal(at_pace_take(p, NAME, &h, rule(0, 4), &ticket, &wait),
                     AT_PACE_WALL);
    assert_true(wait > 890 * SECOND && wait <= 900 * SECOND);

    at_pace_free(p);
}


static void
test_flight(void **state)
{
    int64_t             wait;
    at_pace_t          *p, *q;
    at_pace_host_t      h, g;
    at_pace_settings_t  s = settings(1);
    at_pace_ticket_t    one, two, three;

    (void) state;
    flush();

    s.connect = SECOND / 20;
    p = at_pace_create(&s);
    q = at_pace_create(&s);
    memset(&h, 0, sizeof(h));
    memset(&g, 0, sizeof(g));

    /* nobody is let go while another one is still on its way */

    assert_int_equal(at_pace_take(p, NAME, &h, rule(0, 2), &one, &wait),
                     AT_PACE_GO);

    if (at_pace_take(q, NAME, &g, rule(0, 2), &two, &wait) == AT_PACE_BUSY) {
        assert_int_equal(at_pace_sent(p, NAME, &h, rule(0, 9), &one), AT_OK);

        /* ... nor before it is out */

        assert_int_equal(at_pace_take(q, NAME, &g, rule(0, 2), &two, &wait),
                         AT_PACE_BUSY);
        at_pace_went(p, NAME, &h, rule(0, 9), &one, 0);
    }

    while (at_pace_take(q, NAME, &g, rule(0, 2), &two, &wait) != AT_PACE_GO) {
        /* void */
    }

    /* one that took too long is told so, and must not be sent */

    while (at_pace_take(p, NAME, &h, rule(0, 3), &three, &wait) != AT_PACE_GO) {
        /* void */
    }

    assert_int_equal(at_pace_sent(q, NAME, &g, rule(0, 9), &two), AT_ERROR);
    assert_int_equal(at_pace_sent(p, NAME, &h, rule(0, 9), &three), AT_OK);
    at_pace_went(p, NAME, &h, rule(0, 9), &three, 0);

    /* three are in flight, and no more may be */

    assert_int_equal(at_pace_take(q, NAME, &g, rule(0, 3), &two, &wait),
                     AT_PACE_BUSY);
    at_pace_done(p, NAME, &h, rule(0, 9), &one, AT_PACE_GOOD, 0);
    assert_int_equal(at_pace_take(q, NAME, &g, rule(0, 3), &two, &wait),
                     AT_PACE_GO);

    /* so long the host wants nobody */

    at_pace_done(p, NAME, &h, rule(0, 9), &three, AT_PACE_REFUSED, 60 * SECOND);
    assert_int_equal(at_pace_take(p, NAME, &h, rule(0, 9), &one, &wait),
                     AT_PACE_WAIT);
    assert_true(wait > 50 * SECOND && wait <= 60 * SECOND);

    at_pace_free(p);
    at_pace_free(q);
}


static void
test_daily(void **state)
{
    int                 i;
    int64_t             wait;
    at_pace_t          *p;
    at_pace_rule_t      r = { .limit = 1, .daily = 8 };
    at_pace_host_t      h, g;
    at_pace_settings_t  s = settings(1);
    at_pace_ticket_t    t;

    (void) state;
    flush();

    p = at_pace_create(&s);
    memset(&h, 0, sizeof(h));
    memset(&g, 0, sizeof(g));

    for (i = 0; i < 8; i++) {
        assert_int_equal(at_pace_take(p, NAME, &h, &r, &t, &wait),
                         AT_PACE_GO);
        assert_int_equal(at_pace_sent(p, NAME, &h, &r, &t), AT_OK);
        at_pace_done(p, NAME, &h, &r, &t, AT_PACE_GOOD, 0);
    }

    assert_int_equal(at_pace_take(p, NAME, &g, &r, &t, &wait),
                     AT_PACE_SPENT);
    assert_true(wait > 0 && wait <= 86400 * SECOND);

    /* what is left without Redis is a share of what was */

    r.daily = 24;
    assert_int_equal(at_pace_take(p, NAME, &g, &r, &t, &wait), AT_PACE_GO);
    at_pace_done(p, NAME, &g, &r, &t, AT_PACE_NOTHING, 0);
    at_test_redis_kill(&server);

    for (i = 0; i < 5; i++) {
        while (at_pace_take(p, NAME, &g, &r, &t, &wait) == AT_PACE_WAIT) {
            (void) usleep((useconds_t) wait);
        }

        if (!t.local || g.flight == 0) {
            break;
        }

        /* this machine may be too slow for its turn */

        i -= (at_pace_sent(p, NAME, &g, &r, &t) != AT_OK);
        at_pace_done(p, NAME, &g, &r, &t, AT_PACE_GOOD, 0);
    }

    assert_int_equal(i, 4);
    assert_int_equal(at_pace_take(p, NAME, &g, &r, &t, &wait),
                     AT_PACE_SPENT);

    at_pace_free(p);
    assert_int_equal(at_test_redis_run(&server), AT_OK);
}


static unsigned
goes(at_pace_t *p, at_pace_host_t *h, const at_pace_rule_t *r,
    at_pace_e *answer)
{
    int64_t           wait;
    unsigned          n;
    at_pace_ticket_t  t;

    for (n = 0; n < 100; n++) {
        *answer = at_pace_take(p, NAME, h, r, &t, &wait);

        if (*answer == AT_PACE_WAIT) {
            (void) usleep((useconds_t) wait);
            n--;
            continue;
        }

        if (*answer != AT_PACE_GO) {
            break;
        }

        assert_int_equal(at_pace_sent(p, NAME, h, r, &t), AT_OK);
        at_pace_done(p, NAME, h, r, &t, AT_PACE_GOOD, 0);
    }

    return n;
}


/* Kinds have their shares; the rest of the day is for all others. */

static void
test_share(void **state)
{
    int                 alone;
    at_pace_t          *p;
    at_pace_e           answer;
    at_pace_host_t      h, g;
    at_pace_rule_t      first = { .limit = 1, .daily = 9, .kind = 1,
                                  .share = 3 };
    at_pace_rule_t      second = { .limit = 1, .daily = 9, .kind = 2,
                                   .share = 2 };
    at_pace_rule_t      any = { .limit = 1, .daily = 9 };
    at_pace_settings_t  s = settings(1);

    (void) state;

    for (alone = 0; alone < 2; alone++) {
        flush();
        s.redis = alone ? NULL : s.redis;
        p = at_pace_create(&s);
        memset(&h, 0, sizeof(h));
        memset(&g, 0, sizeof(g));

        assert_int_equal(goes(p, &h, &first, &answer), 3);
        assert_int_equal(answer, AT_PACE_SHARE);
        assert_int_equal(goes(p, &h, &second, &answer), 2);
        assert_int_equal(answer, AT_PACE_SHARE);

        /* all processes together */

        if (!alone) {
            assert_int_equal(goes(p, &g, &first, &answer), 0);
            assert_int_equal(answer, AT_PACE_SHARE);
        }

        assert_int_equal(goes(p, &h, &any, &answer), 4);
        assert_int_equal(answer, AT_PACE_SPENT);

        /* the next day */

        if (alone) {
            h.day--;
            assert_int_equal(goes(p, &h, &first, &answer), 3);
        }

        at_pace_free(p);
    }

    /* what it does not know Redis is told when it is back */

    s = settings(1);
    p = at_pace_create(&s);
    flush();
    memset(&h, 0, sizeof(h));
    assert_int_equal(goes(p, &h, &second, &answer), 2);
    flush();
    h.dirty = 1;
    assert_int_equal(goes(p, &h, &first, &answer), 3);
    assert_int_equal(goes(p, &g, &second, &answer), 0);
    at_pace_free(p);
}


/* Without Redis each has a turn of its own, and they are a gap apart. */

static void
test_turns(void **state)
{
    int                 i, j;
    int64_t             wait, due[4], apart, round;
    at_pace_t          *p[4];
    at_pace_host_t      h[4];
    at_pace_settings_t  s = settings(1);
    at_pace_ticket_t    t;

    (void) state;
    flush();
    memset(h, 0, sizeof(h));

    for (i = 0; i < 4; i++) {
        p[i] = at_pace_create(&s);
        (void) at_pace_take(p[i], NAME, &h[i], rule(60 * SECOND, 9), &t,
                            &wait);
        h[i].flight = 0;
    }

    at_test_redis_kill(&server);

    /* a gap, a quarter of it and the window of the settings */

    round = 4 * (75 * SECOND + s.window);

    for (i = 0; i < 4; i++) {
        assert_int_equal(at_pace_take(p[i], NAME, &h[i],
                                      rule(60 * SECOND, 9), &t, &wait),
                         AT_PACE_WAIT);
        assert_true(wait > 59 * SECOND && wait < round + 61 * SECOND);
        due[i] = at_time_micro() + wait;
    }

    for (i = 0; i < 4; i++) {
        for (j = 0; j < i; j++) {
            apart = llabs(due[i] - due[j]) % round;
            assert_true(apart > 61 * SECOND && apart < round - 61 * SECOND);
        }

        at_pace_free(p[i]);
    }

    assert_int_equal(at_test_redis_run(&server), AT_OK);
}


/* What a process that shares the pace does: sends, and notes when. */

static void
run(int64_t *times, volatile int *n, int most, int64_t gap)
{
    int                 i;
    int64_t             wait;
    at_pace_t          *p;
    at_pace_host_t      h;
    at_pace_settings_t  s = settings(1);
    at_pace_ticket_t    t;

    p = at_pace_create(&s);
    memset(&h, 0, sizeof(h));

    while (*n < most) {
        switch (at_pace_take(p, NAME, &h, rule(gap, 2), &t, &wait)) {

        case AT_PACE_GO:
            if (at_pace_sent(p, NAME, &h, rule(gap, 9), &t) == AT_OK) {

                i = __sync_fetch_and_add(n, 1);

                if (i < most) {
                    times[i] = t.stamp;
                }
            }

            at_pace_done(p, NAME, &h, rule(gap, 9), &t, AT_PACE_GOOD, 0);
            break;

        case AT_PACE_WAIT:
            (void) usleep((useconds_t) wait);
            break;

        default:
            (void) usleep(1000);
            break;
        }
    }

    at_pace_free(p);
}


static int
compare(const void *a, const void *b)
{
    int64_t  x = *(const int64_t *) a, y = *(const int64_t *) b;

    return (x > y) - (x < y);
}


/* The stamps are those of the script, so a busy machine does not matter. */

static void
test_processes(void **state)
{
    int       i, *n;
    pid_t     pids[4];
    int64_t  *times, least, gap;

    (void) state;
    flush();

    gap = SECOND / 50;
    n = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(n != MAP_FAILED);
    times = (int64_t *) (void *) ((char *) n + 64);

    for (i = 0; i < 4; i++) {
        pids[i] = fork();

        if (pids[i] == 0) {
            run(times, n, 100, gap);
            _exit(0);
        }
    }

    for (i = 0; i < 4; i++) {
        assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
    }

    qsort(times, 100, sizeof(int64_t), compare);
    least = INT64_MAX;

    for (i = 1; i < 100; i++) {
        if (times[i] - times[i - 1] < least) {
            least = times[i] - times[i - 1];
        }
    }

    print_message("least gap %lld of %lld us, mean %lld\n",
                  (long long) least, (long long) gap,
                  (long long) (times[99] - times[0]) / 99);
    assert_true(least >= gap - gap / 100);
    (void) munmap(n, 8192);
}


static void
test_away(void **state)
{
    int64_t             wait, from;
    at_pace_t          *p;
    at_pace_host_t      h;
    at_pace_settings_t  s = settings(1);
    at_pace_ticket_t    t, u;

    (void) state;
    flush();

    p = at_pace_create(&s);
    memset(&h, 0, sizeof(h));

    assert_int_equal(at_pace_take(p, NAME, &h, rule(SECOND / 10, 8), &t, &wait),
                     AT_PACE_GO);
    assert_int_equal(at_pace_sent(p, NAME, &h, rule(SECOND / 10, 9), &t),
                     AT_OK);
    at_pace_done(p, NAME, &h, rule(SECOND / 10, 9), &t, AT_PACE_GOOD, 0);
    from = at_time_micro();
    at_test_redis_kill(&server);

    /* in its own turn of four, and one at a time */

    for ( ;; ) {
        if (at_pace_take(p, NAME, &h, rule(SECOND / 10, 8), &t, &wait)
            == AT_PACE_GO)
        {
            if (at_pace_sent(p, NAME, &h, rule(SECOND / 10, 9), &t) == AT_OK) {
                break;
            }

            at_pace_done(p, NAME, &h, rule(SECOND / 10, 9), &t,
                         AT_PACE_NOTHING, 0);
            continue;
        }

        assert_true(wait > 0 && wait <= SECOND);
        (void) usleep((useconds_t) wait);
    }

    assert_true(at_time_micro() - from >= SECOND / 10);
    assert_false(at_pace_shared(p));

    do {
        assert_int_not_equal(at_pace_take(p, NAME, &h, rule(SECOND / 10, 8), &u,
                                          &wait), AT_PACE_GO);
        (void) usleep(100000);
    } while (at_time_micro() < t.sent + SECOND);

    /* what was seen meanwhile is told to a Redis that knows nothing */

    at_pace_done(p, NAME, &h, rule(SECOND / 10, 9), &t, AT_PACE_WALLED, 0);
    assert_int_equal(at_test_redis_run(&server), AT_OK);

    do {
        assert_int_equal(at_pace_take(p, NAME, &h, rule(SECOND / 10, 8), &t,
                                      &wait), AT_PACE_WALL);
        (void) usleep(20000);
    } while (!at_pace_shared(p));

    memset(&h, 0, sizeof(h));
    assert_int_equal(at_pace_take(p, NAME, &h, rule(SECOND / 10, 8), &t, &wait),
                     AT_PACE_WALL);
    assert_true(wait > 880 * SECOND);

    at_pace_free(p);
}


static void
test_alone(void **state)
{
    int64_t             wait;
    at_pace_t          *p;
    at_pace_host_t      h;
    at_pace_settings_t  s = settings(0);
    at_pace_ticket_t    t, u;

    (void) state;

    p = at_pace_create(&s);
    memset(&h, 0, sizeof(h));

    assert_int_equal(at_pace_take(p, NAME, &h, rule(50 * SECOND, 2), &t, &wait),
                     AT_PACE_GO);
    assert_int_equal(at_pace_sent(p, NAME, &h, rule(50 * SECOND, 9), &t),
                     AT_OK);
    assert_int_equal(at_pace_take(p, NAME, &h, rule(50 * SECOND, 2), &u, &wait),
                     AT_PACE_WAIT);
    assert_true(wait > 40 * SECOND && wait <= 50 * SECOND);
    at_pace_done(p, NAME, &h, rule(50 * SECOND, 9), &t, AT_PACE_GOOD, 0);

    at_pace_free(p);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_wall),
        cmocka_unit_test(test_settles),
        cmocka_unit_test(test_script),
        cmocka_unit_test(test_flight),
        cmocka_unit_test(test_daily),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_processes),
        cmocka_unit_test(test_away),
        cmocka_unit_test(test_alone)
    };

    return cmocka_run_group_tests(tests, begin, end);
}
