/*
 * The pace of hosts counts from when a request is out, however late that is
 * and whatever becomes of Redis meanwhile.  Redis' clock decides: how slow this
 * machine is does not matter.
 */

#include "at_test_pace.h"


#define GAP  (SECOND / 2)


static int64_t
redis_now(at_redis_t *r)
{
    int64_t      at;
    redisReply  *reply;

    reply = at_redis_call(r, "TIME");
    at = at_redis_int(at_redis_at(reply, 0)) * SECOND
         + at_redis_int(at_redis_at(reply, 1));
    freeReplyObject(reply);

    return at;
}


static int64_t
redis_client(at_redis_t *r)
{
    int64_t      id;
    redisReply  *reply;

    reply = at_redis_call(r, "CLIENT ID");
    id = at_redis_int(reply);
    freeReplyObject(reply);

    return id;
}


/* As when a connection breaks off. */

static void
cut(at_redis_t *r, int64_t client)
{
    freeReplyObject(at_redis_call(r, "CLIENT KILL ID %lld",
                                  (long long) client));
}


/* When, by Redis' clock, the next request of another process is sent. */

static int64_t
next(const at_pace_settings_t *s, const at_pace_rule_t *r)
{
    int64_t           wait;
    at_pace_t        *p;
    at_pace_host_t    h;
    at_pace_ticket_t  t;

    p = at_pace_create(s);
    memset(&h, 0, sizeof(h));

    while (at_pace_take(p, NAME, &h, r, &t, &wait) != AT_PACE_GO) {
        (void) usleep(2000);
    }

    assert_int_equal(at_pace_sent(p, NAME, &h, r, &t), AT_OK);
    at_pace_went(p, NAME, &h, r, &t, 0);
    at_pace_done(p, NAME, &h, r, &t, AT_PACE_GOOD, 0);
    at_pace_free(p);

    return t.stamp;
}


/* A process that has leave to send has to wait for a CPU. */

static void
test_late(void **state)
{
    int64_t                wait, went;
    at_pace_t             *p, *q;
    at_redis_t            *r;
    at_pace_host_t         h, g;
    at_pace_ticket_t       t, u;
    at_pace_settings_t     s = settings(1);
    const at_pace_rule_t   gap = { .gap = GAP, .limit = 4 };

    (void) state;
    flush();

    r = at_redis_create(&server.settings);
    p = at_pace_create(&s);
    q = at_pace_create(&s);
    memset(&h, 0, sizeof(h));
    memset(&g, 0, sizeof(g));

    assert_int_equal(at_pace_take(p, NAME, &h, &gap, &t, &wait), AT_PACE_GO);
    assert_int_equal(at_pace_sent(p, NAME, &h, &gap, &t), AT_OK);

    /* nobody goes before it is out, though a gap is over by then */

    while (redis_now(r) < t.stamp + GAP + SECOND) {
        assert_int_not_equal(at_pace_take(q, NAME, &g, &gap, &u, &wait),
                             AT_PACE_GO);
        (void) usleep(20000);
    }

    went = redis_now(r);
    at_pace_went(p, NAME, &h, &gap, &t, 0);
    at_pace_done(p, NAME, &h, &gap, &t, AT_PACE_GOOD, 0);

    assert_true(next(&s, &gap) >= went + GAP);

    at_pace_free(p);
    at_pace_free(q);
    at_redis_free(r);
}


/* The time until that is told is not lost. */

static void
test_since(void **state)
{
    int64_t                wait;
    at_pace_t             *p;
    at_redis_t            *r;
    redisReply            *reply;
    at_pace_host_t         h;
    at_pace_ticket_t       t;
    at_pace_settings_t     s = settings(1);
    const at_pace_rule_t   gap = { .gap = GAP, .limit = 4 };

    (void) state;
    flush();

    r = at_redis_create(&server.settings);
    p = at_pace_create(&s);
    memset(&h, 0, sizeof(h));

    assert_int_equal(at_pace_take(p, NAME, &h, &gap, &t, &wait), AT_PACE_GO);
    assert_int_equal(at_pace_sent(p, NAME, &h, &gap, &t), AT_OK);

    /* no sooner than it had leave to */

    at_pace_went(p, NAME, &h, &gap, &t, at_time_micro() - 60 * SECOND);
    reply = at_redis_call(r, "HGET atelier:pace:%s next", "shop.test");
    assert_int_equal(at_redis_int(reply), t.stamp + GAP);
    freeReplyObject(reply);

    at_pace_free(p);
    at_redis_free(r);
}


/* That it is out could not be told then; its end tells it. */

static void
test_untold(void **state)
{
    int64_t                wait, went;
    at_pace_t             *p;
    at_redis_t            *r;
    at_pace_host_t         h;
    at_pace_ticket_t       t;
    at_pace_settings_t     s = settings(1);
    const at_pace_rule_t   gap = { .gap = 4 * GAP, .limit = 4 };

    (void) state;
    flush();

    /* its connection is the first after this one */

    r = at_redis_create(&server.settings);
    wait = redis_client(r);
    p = at_pace_create(&s);
    memset(&h, 0, sizeof(h));

    assert_int_equal(at_pace_take(p, NAME, &h, &gap, &t, &wait), AT_PACE_GO);
    assert_int_equal(at_pace_sent(p, NAME, &h, &gap, &t), AT_OK);

    while (redis_now(r) < t.stamp + 2 * GAP) {
        (void) usleep(20000);
    }

    cut(r, redis_client(r) + 1);
    went = redis_now(r);
    at_pace_went(p, NAME, &h, &gap, &t, 0);
    assert_false(t.told);

    while (!at_pace_shared(p)) {
        at_pace_done(p, NAME, &h, &gap, &t, AT_PACE_GOOD, 0);
        (void) usleep(20000);
    }

    assert_true(next(&s, &gap) >= went + 4 * GAP);

    /* and itself it does not know what others did meanwhile */

    assert_int_equal(at_pace_take(p, NAME, &h, &gap, &t, &wait),
                     AT_PACE_WAIT);
    assert_true(wait > 5 * SECOND);

    at_pace_free(p);
    at_redis_free(r);
}


/* What Redis let go is not sent when it has gone since. */

static void
test_lost(void **state)
{
    int64_t                wait;
    at_pace_t             *p;
    at_pace_host_t         h;
    at_pace_ticket_t       t;
    at_pace_settings_t     s = settings(1);
    const at_pace_rule_t   gap = { .gap = GAP, .limit = 4 };

    (void) state;
    flush();

    p = at_pace_create(&s);
    memset(&h, 0, sizeof(h));

    assert_int_equal(at_pace_take(p, NAME, &h, &gap, &t, &wait), AT_PACE_GO);
    at_test_redis_kill(&server);
    assert_int_equal(at_pace_sent(p, NAME, &h, &gap, &t), AT_ERROR);
    at_pace_done(p, NAME, &h, &gap, &t, AT_PACE_NOTHING, 0);

    /* nor when a connection comes after its turn without Redis */

    while (at_pace_take(p, NAME, &h, &gap, &t, &wait) != AT_PACE_GO) {
        (void) usleep((useconds_t) wait);
    }

    assert_true(t.local);
    assert_true(t.until > 0);

    while (at_time_micro() <= t.until) {
        (void) usleep(20000);
    }

    assert_int_equal(at_pace_sent(p, NAME, &h, &gap, &t), AT_ERROR);
    at_pace_done(p, NAME, &h, &gap, &t, AT_PACE_NOTHING, 0);

    at_pace_free(p);
    assert_int_equal(at_test_redis_run(&server), AT_OK);
}


/* A host that wants nobody for a while is not forgotten by one on its way. */

static void
test_later(void **state)
{
    int64_t                wait;
    at_pace_t             *p;
    at_pace_host_t         h;
    at_pace_ticket_t       t, u;
    at_pace_settings_t     s = settings(1);
    const at_pace_rule_t   gap = { .gap = 1000, .limit = 4 };

    (void) state;
    flush();

    p = at_pace_create(&s);
    memset(&h, 0, sizeof(h));

    assert_int_equal(at_pace_take(p, NAME, &h, &gap, &t, &wait), AT_PACE_GO);
    assert_int_equal(at_pace_sent(p, NAME, &h, &gap, &t), AT_OK);
    at_pace_went(p, NAME, &h, &gap, &t, 0);

    while (at_pace_take(p, NAME, &h, &gap, &u, &wait) != AT_PACE_GO) {
        (void) usleep(1000);
    }

    at_pace_done(p, NAME, &h, &gap, &t, AT_PACE_NOTHING, 60 * SECOND);
    assert_int_equal(at_pace_sent(p, NAME, &h, &gap, &u), AT_OK);
    at_pace_went(p, NAME, &h, &gap, &u, 0);
    at_pace_done(p, NAME, &h, &gap, &u, AT_PACE_GOOD, 0);

    assert_int_equal(at_pace_take(p, NAME, &h, &gap, &t, &wait),
                     AT_PACE_WAIT);
    assert_true(wait > 30 * SECOND);

    at_pace_free(p);
}


/* One that knows of a larger gap keeps it after one that does not. */

static void
test_larger(void **state)
{
    int64_t                sent;
    at_pace_settings_t     s = settings(1);
    const at_pace_rule_t   small = { .gap = 1000, .limit = 4 };
    const at_pace_rule_t   large = { .gap = GAP, .limit = 4 };

    (void) state;
    flush();

    sent = next(&s, &small);
    assert_true(next(&s, &large) >= sent + GAP);
}


static int64_t
redis_field(at_redis_t *r, const char *field)
{
    int64_t      n;
    redisReply  *reply;

    reply = at_redis_call(r, "HGET atelier:pace:shop.test %s", field);
    n = (reply && reply->type == REDIS_REPLY_STRING)
        ? strtoll(reply->str, NULL, 10) : -1;
    freeReplyObject(reply);

    return n;
}


/* A request that the host refuses: its gap is twice as long after it. */

static void
refused(at_pace_t *p, at_pace_host_t *h)
{
    int64_t           wait;
    at_pace_ticket_t  t;

    while (at_pace_take(p, NAME, h, rule(1000, 9), &t, &wait) != AT_PACE_GO) {
        (void) usleep(1000);
    }

    assert_int_equal(at_pace_sent(p, NAME, h, rule(1000, 9), &t), AT_OK);
    at_pace_went(p, NAME, h, rule(1000, 9), &t, 0);
    at_pace_done(p, NAME, h, rule(1000, 9), &t, AT_PACE_REFUSED, 0);
}


/* A new connection is no reason to believe an old pace. */

static void
test_stale(void **state)
{
    int64_t             wait;
    at_pace_t          *p;
    at_redis_t         *r;
    at_pace_host_t      h, other;
    at_pace_settings_t  s = settings(1);
    at_pace_ticket_t    t;

    (void) state;
    flush();

    r = at_redis_create(&server.settings);
    p = at_pace_create(&s);
    memset(&h, 0, sizeof(h));
    memset(&other, 0, sizeof(other));

    refused(p, &h);
    assert_true(redis_field(r, "gap") > 2000);

    freeReplyObject(at_redis_call(r, "HSET atelier:pace:shop.test gap 1500"));
    freeReplyObject(at_redis_call(r, "CLIENT KILL TYPE normal SKIPME yes"));

    do {
        (void) at_pace_take(p, AT_STR("other.test"), &other, rule(1000, 9), &t,
                            &wait);
        (void) usleep(10000);
    } while (!at_pace_shared(p));

    (void) at_pace_take(p, NAME, &h, rule(1000, 9), &t, &wait);
    assert_int_equal(redis_field(r, "gap"), 1500);

    at_pace_free(p);
    at_redis_free(r);
}


/* A Redis that lost its data is told, and does not tell. */

static void
test_emptied(void **state)
{
    int64_t             wait, gap;
    at_pace_t          *p;
    at_redis_t         *r;
    at_pace_host_t      h;
    at_pace_settings_t  s = settings(1);
    at_pace_ticket_t    t;

    (void) state;
    flush();

    r = at_redis_create(&server.settings);
    p = at_pace_create(&s);
    memset(&h, 0, sizeof(h));

    refused(p, &h);
    gap = h.rate.gap;
    assert_true(gap > 2000);

    flush();
    memset(&t, 0, sizeof(t));
    h.flight = 1;
    at_pace_done(p, NAME, &h, rule(1000, 9), &t, AT_PACE_NOTHING, 0);
    assert_int_equal(h.rate.gap, gap);
    assert_int_equal(redis_field(r, "gap"), -1);

    (void) at_pace_take(p, NAME, &h, rule(1000, 9), &t, &wait);
    assert_int_equal(redis_field(r, "gap"), gap);

    at_pace_free(p);
    at_redis_free(r);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_since),
        cmocka_unit_test(test_untold),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_later),
        cmocka_unit_test(test_larger),
        cmocka_unit_test(test_stale),
        cmocka_unit_test(test_emptied)
    };

    return cmocka_run_group_tests(tests, begin, end);
}
