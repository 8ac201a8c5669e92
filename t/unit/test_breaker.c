/*
 * The circuit breaker: when it opens, and when it does not.
 */

#include "at_test.h"
#include "at_breaker.h"


#define MAX_FAILS  5
#define TIMEOUT    10000
#define LEASE      3000


typedef struct {
    at_breaker_t        b;
    at_breaker_rules_t  rules;
    at_breaker_ms_t     now;
} test_breaker_t;


static void
test_begin(test_breaker_t *t)
{
    memset(t, 0, sizeof(test_breaker_t));
    t->rules.max_fails = MAX_FAILS;
    t->rules.fail_timeout = TIMEOUT;
    t->now = 1000000;
}


/* A call that nobody else's stand in the way of. */
static void
test_call(test_breaker_t *t, at_breaker_outcome_e outcome,
    at_breaker_ms_t age)
{
    unsigned  probe;

    assert_int_equal(at_breaker_wait(&t->b, t->now), 0);

    probe = at_breaker_ask(&t->b, t->now, LEASE);
    t->now += age;
    at_breaker_settle(&t->b, &t->rules, t->now, probe, outcome, age);
}


static unsigned
test_fail_until_open(test_breaker_t *t)
{
    unsigned  n;

    for (n = 0; n < 1000; n++) {
        if (at_breaker_state(&t->b, t->now) == AT_BREAKER_OPEN) {
            break;
        }

        test_call(t, AT_BREAKER_FAILED, 10);
    }

    return n;
}


static void
test_opens_after_max_fails(void **state)
{
    test_breaker_t  t;

    (void) state;

    test_begin(&t);
    assert_int_equal(test_fail_until_open(&t), MAX_FAILS);
    assert_int_equal(at_breaker_wait(&t.b, t.now), TIMEOUT);
    assert_int_equal(at_breaker_wait(&t.b, t.now + TIMEOUT - 1), 1);
    assert_int_equal(at_breaker_state(&t.b, t.now + TIMEOUT - 1),
                     AT_BREAKER_OPEN);
    assert_int_equal(at_breaker_state(&t.b, t.now + TIMEOUT),
                     AT_BREAKER_HALF_OPEN);
}


/* Deadlines can be longer than fail_timeout: failures do not grow old. */

static void
test_opens_at_a_slow_rate(void **state)
{
    unsigned        i;
    test_breaker_t  t;

    (void) state;

    test_begin(&t);

    for (i = 0; i < MAX_FAILS; i++) {
        assert_int_equal(at_breaker_state(&t.b, t.now), AT_BREAKER_CLOSED);
        test_call(&t, AT_BREAKER_FAILED, 3 * TIMEOUT);
    }

    assert_int_equal(at_breaker_state(&t.b, t.now), AT_BREAKER_OPEN);
}


/* However well it was until now, four times as many are enough. */

static void
test_goodwill_is_bounded(void **state)
{
    unsigned        i;
    test_breaker_t  t;

    (void) state;

    test_begin(&t);

    for (i = 0; i < 1000; i++) {
        test_call(&t, AT_BREAKER_GOOD, 1);
    }

    assert_int_equal(test_fail_until_open(&t), 4 * MAX_FAILS);
}


static void
test_goodwill_lapses(void **state)
{
    unsigned        i;
    test_breaker_t  t;

    (void) state;

    test_begin(&t);

    for (i = 0; i < 1000; i++) {
        test_call(&t, AT_BREAKER_GOOD, 1);
    }

    /* the last good answer is just young enough, then not */

    t.now += TIMEOUT - 2;
    test_call(&t, AT_BREAKER_FAILED, 1);
    assert_int_equal(t.b.fails, 0);
    test_call(&t, AT_BREAKER_FAILED, 1);
    assert_int_equal(t.b.fails, 1);
    assert_int_equal(test_fail_until_open(&t), MAX_FAILS - 1);

    /* one good answer does not wake what lapsed */

    test_begin(&t);

    for (i = 0; i < 1000; i++) {
        test_call(&t, AT_BREAKER_GOOD, 1);
    }

    t.now += TIMEOUT;
    test_call(&t, AT_BREAKER_GOOD, 1);
    assert_int_equal(test_fail_until_open(&t), MAX_FAILS + 1);
}


static void
test_half_is_too_much(void **state)
{
    unsigned        i, opened;
    test_breaker_t  t;

    (void) state;

    /* two of five fail: never */

    test_begin(&t);

    for (i = 0; i < 5000; i++) {
        test_call(&t, (i % 5 < 2) ? AT_BREAKER_FAILED : AT_BREAKER_GOOD, 20);
        assert_int_equal(at_breaker_state(&t.b, t.now), AT_BREAKER_CLOSED);
    }

    /* three of five: soon */

    test_begin(&t);
    opened = 0;

    for (i = 0; i < 200 && !opened; i++) {
        test_call(&t, (i % 5 < 3) ? AT_BREAKER_FAILED : AT_BREAKER_GOOD, 20);
        opened = (at_breaker_state(&t.b, t.now) == AT_BREAKER_OPEN);
    }

    assert_true(opened);
}


/*
 * It fails at once in 30 % of its calls and is slower than others in the rest:
 * all that is seen of it are its failures and calls that were called off.
 */

static void
test_healthy_and_never_winning(void **state)
{
    unsigned              i;
    uint32_t              random;
    test_breaker_t        t;
    at_breaker_outcome_e  outcome;

    (void) state;

    test_begin(&t);
    random = 1;

    for (i = 0; i < 5000; i++) {
        outcome = (at_test_random(&random) % 100 < 30)
                  ? AT_BREAKER_FAILED : AT_BREAKER_CALLED_OFF;
        test_call(&t, outcome, outcome == AT_BREAKER_FAILED ? 5 : 20);
        assert_int_equal(at_breaker_state(&t.b, t.now), AT_BREAKER_CLOSED);
    }
}


/* It always fails, at a moment when others have mostly won. */

static void
test_dead_and_slow_to_show_it(void **state)
{
    unsigned        i;
    test_breaker_t  t;

    (void) state;

    test_begin(&t);

    for (i = 0; i < 1000; i++) {
        if (at_breaker_state(&t.b, t.now) == AT_BREAKER_OPEN) {
            break;
        }

        test_call(&t, AT_BREAKER_CALLED_OFF, 20);
        test_call(&t, AT_BREAKER_CALLED_OFF, 22);
        test_call(&t, AT_BREAKER_FAILED, 30);
    }

    /* those called off count as good until a failure has shown how long */

    assert_int_equal(i, MAX_FAILS + 2);
}


static void
test_answering_is_good(void **state)
{
    test_breaker_t  t;

    (void) state;

    test_begin(&t);
    test_call(&t, AT_BREAKER_FAILED, 100);
    assert_int_equal(t.b.fails, 1);
    test_call(&t, AT_BREAKER_CALLED_OFF, 99);
    assert_int_equal(t.b.fails, 1);
    test_call(&t, AT_BREAKER_UNKNOWN, 1000);
    assert_int_equal(t.b.fails, 1);
    test_call(&t, AT_BREAKER_ANSWERING, 10);
    assert_int_equal(t.b.fails, 0);
}


/* The age that counts is the median of the last five failures. */

static void
test_one_odd_failure(void **state)
{
    unsigned        i;
    test_breaker_t  t;

    (void) state;

    test_begin(&t);

    for (i = 0; i < 50; i++) {
        test_call(&t, AT_BREAKER_GOOD, 20);
        test_call(&t, AT_BREAKER_FAILED, i % 5 < 2 ? 5000 : 10);
    }

    test_call(&t, AT_BREAKER_FAILED, 10);
    test_call(&t, AT_BREAKER_GOOD, 20);
    i = t.b.credit;
    assert_int_equal(t.b.fails, 0);
    test_call(&t, AT_BREAKER_CALLED_OFF, 9);
    assert_int_equal(t.b.credit, i);
    test_call(&t, AT_BREAKER_CALLED_OFF, 10);
    assert_int_equal(t.b.credit, i + 1);
}


static void
test_one_probe(void **state)
{
    unsigned        probe, late;
    test_breaker_t  t;

    (void) state;

    test_begin(&t);
    late = at_breaker_ask(&t.b, t.now, LEASE);
    assert_int_equal(late, 0);
    (void) test_fail_until_open(&t);

    /* what was asked before it opened neither closes nor prolongs it */

    at_breaker_settle(&t.b, &t.rules, t.now, late, AT_BREAKER_GOOD, 10);
    assert_int_equal(at_breaker_wait(&t.b, t.now), TIMEOUT);
    at_breaker_settle(&t.b, &t.rules, t.now + 5, late, AT_BREAKER_FAILED, 10);
    assert_int_equal(at_breaker_wait(&t.b, t.now), TIMEOUT);

    t.now += TIMEOUT;
    assert_int_equal(at_breaker_wait(&t.b, t.now), 0);
    probe = at_breaker_ask(&t.b, t.now, LEASE);
    assert_int_not_equal(probe, 0);
    assert_int_equal(at_breaker_wait(&t.b, t.now), LEASE);

    /* called off, even while it answered, it shows nothing: the next */

    at_breaker_settle(&t.b, &t.rules, t.now, probe, AT_BREAKER_ANSWERING,
                      10);
    assert_int_equal(at_breaker_state(&t.b, t.now), AT_BREAKER_HALF_OPEN);
    assert_int_equal(at_breaker_wait(&t.b, t.now), 0);

    /* it fails: closed for twice the time, and so on, to a bound */

    for (late = 2; late <= 64; late *= 2) {
        test_call(&t, AT_BREAKER_FAILED, 10);
        assert_int_equal(at_breaker_wait(&t.b, t.now),
                         (late < 32 ? late : 32) * TIMEOUT);
        t.now += 32 * TIMEOUT;
    }

    test_call(&t, AT_BREAKER_GOOD, 10);
    assert_int_equal(at_breaker_state(&t.b, t.now), AT_BREAKER_CLOSED);
    assert_int_equal(test_fail_until_open(&t), MAX_FAILS);
    assert_int_equal(at_breaker_wait(&t.b, t.now), TIMEOUT);
}


/* The worker of a probe died; if it did not, what it brings is too late. */

static void
test_lost_probe(void **state)
{
    unsigned        lost, probe;
    test_breaker_t  t;

    (void) state;

    test_begin(&t);
    (void) test_fail_until_open(&t);
    t.now += TIMEOUT;

    lost = at_breaker_ask(&t.b, t.now, LEASE);
    assert_int_equal(at_breaker_wait(&t.b, t.now + LEASE - 1), 1);
    t.now += LEASE;
    assert_int_equal(at_breaker_wait(&t.b, t.now), 0);

    probe = at_breaker_ask(&t.b, t.now, LEASE);
    at_breaker_settle(&t.b, &t.rules, t.now, lost, AT_BREAKER_GOOD, LEASE);
    assert_int_equal(at_breaker_wait(&t.b, t.now), LEASE);
    assert_int_equal(at_breaker_state(&t.b, t.now), AT_BREAKER_HALF_OPEN);

    at_breaker_settle(&t.b, &t.rules, t.now, probe, AT_BREAKER_GOOD, 1);
    assert_int_equal(at_breaker_state(&t.b, t.now), AT_BREAKER_CLOSED);
}


static void
test_never_with_zero(void **state)
{
    unsigned        i;
    test_breaker_t  t;

    (void) state;

    test_begin(&t);
    t.rules.max_fails = 0;

    for (i = 0; i < 1000; i++) {
        test_call(&t, i % 7 ? AT_BREAKER_FAILED : AT_BREAKER_GOOD, 10);
        assert_int_equal(at_breaker_state(&t.b, t.now), AT_BREAKER_CLOSED);
    }
}


/* A reload gave it other rules: those of today count. */

static void
test_other_rules(void **state)
{
    test_breaker_t  t;

    (void) state;

    test_begin(&t);
    t.rules.max_fails = 100;
    test_call(&t, AT_BREAKER_FAILED, 10);
    test_call(&t, AT_BREAKER_FAILED, 10);
    t.rules.max_fails = 3;
    assert_int_equal(test_fail_until_open(&t), 1);

    t.rules.fail_timeout = 7;
    t.now += TIMEOUT;
    test_call(&t, AT_BREAKER_FAILED, 10);
    assert_int_equal(at_breaker_wait(&t.b, t.now), 7 * 32);
}


static void
test_clock_wraps(void **state)
{
    unsigned        i;
    test_breaker_t  t;

    (void) state;

    test_begin(&t);
    t.now = (at_breaker_ms_t) 0 - 60;

    for (i = 0; i < 30; i++) {
        test_call(&t, AT_BREAKER_GOOD, 1);
    }

    assert_int_equal(test_fail_until_open(&t), 4 * MAX_FAILS);
    assert_int_equal(at_breaker_wait(&t.b, t.now), TIMEOUT);

    test_begin(&t);
    t.now = (at_breaker_ms_t) 0 - TIMEOUT / 2;
    (void) test_fail_until_open(&t);
    assert_int_equal(at_breaker_wait(&t.b, t.now), TIMEOUT);
    t.now += TIMEOUT;
    test_call(&t, AT_BREAKER_GOOD, 1);
    assert_int_equal(at_breaker_state(&t.b, t.now), AT_BREAKER_CLOSED);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_opens_after_max_fails),
        cmocka_unit_test(test_opens_at_a_slow_rate),
        cmocka_unit_test(test_goodwill_is_bounded),
        cmocka_unit_test(test_goodwill_lapses),
        cmocka_unit_test(test_half_is_too_much),
        cmocka_unit_test(test_healthy_and_never_winning),
        cmocka_unit_test(test_dead_and_slow_to_show_it),
        cmocka_unit_test(test_answering_is_good),
        cmocka_unit_test(test_one_odd_failure),
        cmocka_unit_test(test_one_probe),
        cmocka_unit_test(test_lost_probe),
        cmocka_unit_test(test_never_with_zero),
        cmocka_unit_test(test_other_rules),
        cmocka_unit_test(test_clock_wraps)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
