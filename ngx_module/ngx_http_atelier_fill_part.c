/*
 * The parts of a fill (see ngx_http_atelier_fill.h): one source each, from
 * leave to ask it to what is known of it afterwards.
 *
 * A part takes a permit, then a call from the limits, then a lane; each is
 * given back by ngx_http_atelier_part_ended(), which is the only way out.  A
 * source whose answers have to be kept is first looked for in Redis.
 */

#include "ngx_http_atelier_fill.h"
#include "ngx_http_atelier_quota.h"


/* A source below this share of its limit is not asked ahead, in percent. */
#define NGX_HTTP_ATELIER_SPARE  25

/* What is read of a kept answer in a turn. */
#define NGX_HTTP_ATELIER_SLICE  (16 * 1024)

#define NGX_HTTP_ATELIER_RAW_KEY                                              \
    (sizeof("atelier:raw:") + AT_DESIGN_NATIVE_MAX + AT_HASH_HEX)


static ngx_int_t ngx_http_atelier_part_call(ngx_http_atelier_part_t *part);
static ngx_uint_t ngx_http_atelier_part_look(ngx_http_atelier_part_t *part);
static void ngx_http_atelier_part_found(void *data, redisReply *reply);
static ngx_int_t ngx_http_atelier_part_reuse(ngx_http_atelier_part_t *part,
    const uint8_t *p, size_t len);
static void ngx_http_atelier_part_turn(ngx_event_t *ev);
static void ngx_http_atelier_part_anew(ngx_http_atelier_part_t *part);
static void ngx_http_atelier_part_forget(ngx_http_atelier_part_t *part);
static void ngx_http_atelier_part_keep(ngx_http_atelier_part_t *part);
static ngx_str_t ngx_http_atelier_part_raw_key(ngx_http_atelier_part_t *part,
    u_char *text);
static void ngx_http_atelier_part_ask(ngx_http_atelier_part_t *part);
static void ngx_http_atelier_part_refused(ngx_http_atelier_part_t *part);
static void ngx_http_atelier_part_answered(ngx_http_atelier_part_t *part,
    at_feed_outcome_e outcome);
static void ngx_http_atelier_part_ended(ngx_http_atelier_part_t *part,
    at_feed_outcome_e outcome, ngx_msec_t retry);
static void ngx_http_atelier_part_words(ngx_http_atelier_part_t *part);

static ngx_int_t ngx_http_atelier_part_lane_call(
    ngx_http_atelier_lane_t *lane, ngx_http_atelier_call_t *call);
static void ngx_http_atelier_part_lane_begin(ngx_http_atelier_lane_t *lane,
    ngx_uint_t status, ngx_list_t *headers);
static ngx_int_t ngx_http_atelier_part_lane_data(
    ngx_http_atelier_lane_t *lane, u_char *p, size_t len);
static ngx_http_atelier_step_e ngx_http_atelier_part_lane_end(
    ngx_http_atelier_lane_t *lane, ngx_uint_t complete, ngx_msec_t *wait);
static void ngx_http_atelier_part_lane_ended(ngx_http_atelier_lane_t *lane);
static void ngx_http_atelier_part_log(ngx_http_atelier_part_t *part,
    at_feed_outcome_e outcome);
static at_breaker_outcome_e ngx_http_atelier_part_health(
    ngx_http_atelier_part_t *part);


static const ngx_http_atelier_lane_ops_t  ngx_http_atelier_part_ops = {
    ngx_http_atelier_part_lane_call,
    ngx_http_atelier_part_lane_begin,
    ngx_http_atelier_part_lane_data,
    ngx_http_atelier_part_lane_end,
    ngx_http_atelier_part_lane_ended
};


ngx_int_t
ngx_http_atelier_fill_ask(ngx_http_atelier_fill_t *fill)
{
    ngx_uint_t                  i, n;
    ngx_http_atelier_part_t    *part;
    ngx_http_atelier_cursor_t  *c;
    ngx_http_atelier_source_t  *source;

    /* what is not asked at all is no part, and keeps its cursor */

    for (i = 0, n = 0; i < fill->begin.ncursors; i++) {
        c = &fill->begin.cursors[i];
        source = fill->conf->sources[c->source->index];

        if (source == NULL
            || (fill->ahead
                && ngx_http_atelier_quota_left(fill->conf->zone,
                                               &source->party)
                   < NGX_HTTP_ATELIER_SPARE))
        {
            continue;
        }

        fill->begin.cursors[n++] = *c;
    }

    fill->begin.ncursors = n;

    for (i = 0; i < n; i++) {
        part = &fill->parts[fill->nparts];
        c = &fill->begin.cursors[i];

        part->fill = fill;
        part->cursor = c;
        part->source = fill->conf->sources[c->source->index];
        part->started = ngx_current_msec;

        if (ngx_http_atelier_part_call(part) != NGX_OK) {
            return NGX_ERROR;
        }

        fill->nparts++;

        if (part->state == NGX_HTTP_ATELIER_PART_NEW
            && !ngx_http_atelier_part_look(part))
        {
            ngx_http_atelier_part_ask(part);
        }
    }

    return NGX_OK;
}


/* NGX_ERROR: no memory.  A page that the source does not have ends it. */

static ngx_int_t
ngx_http_atelier_part_call(ngx_http_atelier_part_t *part)
{
    ngx_int_t                 rc;
    ngx_http_atelier_fill_t  *fill;

    fill = part->fill;

    rc = at_feed_call(part->source->feed, &fill->feed.args.query,
                      part->cursor->page,
                      fill->sources & ~(1u << part->source->feed->index),
                      &part->call);

    if (rc == AT_ERROR) {
        part->cursor->done = 1;
        ngx_http_atelier_part_ended(part, AT_FEED_OK, 0);
        return NGX_OK;
    }

    return (rc == AT_OK) ? NGX_OK : NGX_ERROR;
}


/* 1: an answer of this source may be kept, and is being looked for. */

static ngx_uint_t
ngx_http_atelier_part_look(ngx_http_atelier_part_t *part)
{
    u_char     text[NGX_HTTP_ATELIER_RAW_KEY];
    ngx_str_t  argv[2];

    if (part->source->feed->keep == 0) {
        return 0;
    }

    ngx_str_set(&argv[0], "GET");
    argv[1] = ngx_http_atelier_part_raw_key(part, text);

    part->op = ngx_http_atelier_redis_command(2, argv,
                                              ngx_http_atelier_part_found,
                                              part);
    if (part->op == NULL) {
        return 0;
    }

    part->state = NGX_HTTP_ATELIER_PART_KEPT;

    return 1;
}


static void
ngx_http_atelier_part_found(void *data, redisReply *reply)
{
    ngx_http_atelier_part_t *part = data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = part->fill->http;
    c = r->connection;
    part->op = NULL;

    ngx_http_set_log_request(c->log, r);

    if (reply == NULL || reply->type != REDIS_REPLY_STRING
        || ngx_http_atelier_part_reuse(part, (uint8_t *) reply->str,
                                       reply->len)
           != NGX_OK)
    {
        ngx_http_atelier_part_anew(part);
    }

    ngx_http_atelier_fill_resume(r);
    ngx_http_run_posted_requests(c);
}


/* NGX_OK: what was kept is being read, a slice in a turn of the event loop. */

static ngx_int_t
ngx_http_atelier_part_reuse(ngx_http_atelier_part_t *part, const uint8_t *p,
    size_t len)
{
    part->answer = at_feed_answer_create(part->source->feed,
                                         &part->fill->feed.args.query,
                                         part->cursor->page,
                                         part->cursor->rank, 200, ngx_time());
    part->raw.max = AT_FEED_ANSWER_MAX;

    if (part->answer == NULL || at_buf_append(&part->raw, p, len) != AT_OK) {
        return NGX_ERROR;
    }

    part->turn.handler = ngx_http_atelier_part_turn;
    part->turn.data = part->fill->http->connection;
    part->turn.log = part->fill->http->connection->log;

    ngx_add_timer(&part->turn, 0);

    return NGX_OK;
}


static void
ngx_http_atelier_part_turn(ngx_event_t *ev)
{
    int                       rc;
    size_t                    len;
    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_http_atelier_part_t  *part;

    part = ngx_queue_data(ev, ngx_http_atelier_part_t, turn);
    r = part->fill->http;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    len = ngx_min(part->raw.len - part->read, NGX_HTTP_ATELIER_SLICE);
    rc = at_feed_answer_data(part->answer, part->raw.data + part->read, len);
    part->read += len;

    if (rc == AT_OK && part->read < part->raw.len) {
        ngx_add_timer(&part->turn, 0);
        return;
    }

    if (at_feed_answer_end(part->answer, 1) == AT_FEED_OK) {
        ngx_http_atelier_count(&part->source->party.slot->kept, 1);
        ngx_http_atelier_part_answered(part, AT_FEED_OK);

    } else {
        ngx_http_atelier_part_anew(part);
    }

    ngx_http_atelier_fill_resume(r);
    ngx_http_run_posted_requests(c);
}


/* Nothing was kept, or it is of no use: the source itself is asked. */

static void
ngx_http_atelier_part_anew(ngx_http_atelier_part_t *part)
{
    ngx_http_atelier_part_forget(part);

    part->state = NGX_HTTP_ATELIER_PART_NEW;
    ngx_http_atelier_part_ask(part);
}


/* Half of an answer is none. */

static void
ngx_http_atelier_part_forget(ngx_http_atelier_part_t *part)
{
    at_feed_answer_free(part->answer);
    part->answer = NULL;
    at_buf_free(&part->raw);
}


static ngx_str_t
ngx_http_atelier_part_raw_key(ngx_http_atelier_part_t *part, u_char *text)
{
    u_char    *p;
    uint8_t    hash[AT_HASH_BYTES];

    at_hash128(part->call.args.data, part->call.args.len, hash);

    p = ngx_sprintf(text, "atelier:raw:%V:", &part->source->party.name);
    at_hash_hex(hash, (char *) p);

    return (ngx_str_t) { p + AT_HASH_HEX - text, text };
}


static void
ngx_http_atelier_part_keep(ngx_http_atelier_part_t *part)
{
    u_char     text[NGX_HTTP_ATELIER_RAW_KEY], seconds[NGX_INT_T_LEN];
    ngx_str_t  argv[5];

    ngx_str_set(&argv[0], "SET");
    argv[1] = ngx_http_atelier_part_raw_key(part, text);
    argv[2].data = part->raw.data;
    argv[2].len = part->raw.len;
    ngx_str_set(&argv[3], "EX");
    argv[4].data = seconds;
    argv[4].len = ngx_sprintf(seconds, "%ud", part->source->feed->keep)
                  - seconds;

    (void) ngx_http_atelier_redis_command(5, argv, NULL, NULL);
}


static void
ngx_http_atelier_part_ask(ngx_http_atelier_part_t *part)
{
    ngx_msec_t                  left;
    ngx_http_atelier_fill_t    *fill;
    ngx_http_atelier_party_t   *party;

    fill = part->fill;
    party = &part->source->party;

    if ((ngx_msec_int_t) (fill->until - ngx_current_msec) <= 0) {
        ngx_http_atelier_part_ended(part, AT_FEED_TIMEOUT,
                                    NGX_HTTP_ATELIER_RETRY);
        return;
    }

    left = fill->until - ngx_current_msec;

    if (part->source->max_in_flight) {
        if (ngx_http_atelier_permit_take(fill->conf->zone, party,
                                         part->source->max_in_flight,
                                         left + NGX_HTTP_ATELIER_FILL_GRACE,
                                         &part->permit)
            != NGX_OK)
        {
            part->state = NGX_HTTP_ATELIER_PART_WAITING;
            return;
        }

        part->permitted = 1;
    }

    if (ngx_http_atelier_limit_take(fill->conf->zone, party,
                                    &part->reservation)
        != NGX_OK)
    {
        ngx_http_atelier_part_refused(part);
        return;
    }

    part->lane = ngx_http_atelier_fanout_add(fill->fanout,
                                             &ngx_http_atelier_part_ops, part,
                                             &party->name,
                                             ngx_min(party->timeout, left));
    if (part->lane == NULL) {
        ngx_http_atelier_limit_settle(fill->conf->zone, party,
                                      &part->reservation, AT_BREAKER_UNKNOWN,
                                      0);
        ngx_http_atelier_part_ended(part, AT_FEED_ERROR,
                                    NGX_HTTP_ATELIER_RETRY);
        return;
    }

    part->state = NGX_HTTP_ATELIER_PART_ASKED;

    /* if it fails, the lane has ended, and the part with it */

    (void) ngx_http_atelier_lane_launch(part->lane);
}


/* Its limits do not let it be asked now. */

static void
ngx_http_atelier_part_refused(ngx_http_atelier_part_t *part)
{
    if (part->reservation.wait == NGX_MAX_INT_T_VALUE) {
        part->cursor->done = 1;
        ngx_http_atelier_part_ended(part, AT_FEED_DISABLED, 0);
        return;
    }

    ngx_http_atelier_part_ended(part,
                                part->reservation.open ? AT_FEED_ERROR
                                                       : AT_FEED_RATE_LIMITED,
                                part->reservation.wait);
}


ngx_uint_t
ngx_http_atelier_fill_waiting(ngx_http_atelier_fill_t *fill)
{
    ngx_uint_t                i, waiting;
    ngx_http_atelier_part_t  *part;

    waiting = 0;

    for (i = 0; i < fill->nparts; i++) {
        part = &fill->parts[i];

        if (part->state == NGX_HTTP_ATELIER_PART_WAITING) {
            ngx_http_atelier_part_ask(part);
        }

        waiting |= (part->state == NGX_HTTP_ATELIER_PART_WAITING
                    || part->state == NGX_HTTP_ATELIER_PART_KEPT);
    }

    return waiting;
}


void
ngx_http_atelier_fill_late(ngx_http_atelier_fill_t *fill)
{
    ngx_uint_t                i;
    ngx_http_atelier_part_t  *part;

    (void) ngx_http_atelier_fanout_finish(fill->fanout);

    for (i = 0; i < fill->nparts; i++) {
        part = &fill->parts[i];

        if (part->state != NGX_HTTP_ATELIER_PART_ENDED) {
            ngx_http_atelier_part_ended(part, AT_FEED_TIMEOUT,
                                        NGX_HTTP_ATELIER_RETRY);
        }
    }
}


void
ngx_http_atelier_fill_free(ngx_http_atelier_fill_t *fill)
{
    ngx_uint_t                i;
    ngx_http_atelier_part_t  *part;

    for (i = 0; i < fill->nparts; i++) {
        part = &fill->parts[i];

        if (part->op) {
            ngx_http_atelier_redis_forget(part->op);
        }

        if (part->turn.timer_set) {
            ngx_del_timer(&part->turn);
        }

        if (part->permitted) {
            ngx_http_atelier_permit_give(fill->conf->zone,
                                         &part->source->party, part->permit);
        }

        at_feed_call_free(&part->call);
        at_feed_answer_free(part->answer);
        at_buf_free(&part->raw);
    }
}


static void
ngx_http_atelier_part_answered(ngx_http_atelier_part_t *part,
    at_feed_outcome_e outcome)
{
    ngx_msec_t         retry;
    at_feed_answer_t  *a;

    a = part->answer;
    retry = 0;

    if (outcome == AT_FEED_OK) {
        part->cursor->page++;
        part->cursor->rank += a->ndesigns;
        part->cursor->count = a->ndesigns;
        part->cursor->done = !a->more;

        ngx_http_atelier_part_words(part);

    } else {
        retry = NGX_HTTP_ATELIER_RETRY;

        if (a && a->retry_after_ms > NGX_HTTP_ATELIER_RETRY) {
            retry = a->retry_after_ms;
        }

        part->cursor->done = (outcome == AT_FEED_AUTH);
    }

    ngx_http_atelier_part_ended(part, outcome, retry);
}


static void
ngx_http_atelier_part_words(ngx_http_atelier_part_t *part)
{
    size_t                    i;
    ngx_http_atelier_fill_t  *fill;

    fill = part->fill;

    for (i = 0; fill->local == NULL && i < part->answer->ndesigns; i++) {
        if (ngx_http_atelier_snapshot_design(&fill->designs,
                                             &part->answer->designs[i],
                                             fill->http->pool)
            != NGX_OK)
        {
            return;
        }
    }
}


static void
ngx_http_atelier_part_ended(ngx_http_atelier_part_t *part,
    at_feed_outcome_e outcome, ngx_msec_t retry)
{
    if (part->op) {
        ngx_http_atelier_redis_forget(part->op);
        part->op = NULL;
    }

    if (part->turn.timer_set) {
        ngx_del_timer(&part->turn);
        ngx_http_atelier_part_forget(part);
    }

    if (part->permitted) {
        ngx_http_atelier_permit_give(part->fill->conf->zone,
                                     &part->source->party, part->permit);
        part->permitted = 0;
    }

    part->state = NGX_HTTP_ATELIER_PART_ENDED;

    part->cursor->outcome = outcome;
    part->cursor->retry = retry;
    part->cursor->ms = ngx_current_msec - part->started;

    ngx_http_atelier_count(&part->source->party.slot->feed[outcome], 1);
}


static ngx_int_t
ngx_http_atelier_part_lane_call(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_call_t *call)
{
    ngx_http_atelier_part_t *part = lane->data;

    return ngx_http_atelier_source_call(lane->fanout->request, part->source,
                                        &part->call, call);
}


static void
ngx_http_atelier_part_lane_begin(ngx_http_atelier_lane_t *lane,
    ngx_uint_t status, ngx_list_t *headers)
{
    ngx_http_atelier_part_t *part = lane->data;

    ngx_uint_t        i;
    ngx_list_part_t  *list;
    ngx_table_elt_t  *h;

    part->answer = at_feed_answer_create(part->source->feed,
                                         &part->fill->feed.args.query,
                                         part->cursor->page,
                                         part->cursor->rank, status,
                                         ngx_time());
    part->raw.max = AT_FEED_ANSWER_MAX;

    if (part->answer == NULL) {
        return;
    }

    for (list = &headers->part; list; list = list->next) {
        h = list->elts;

        for (i = 0; i < list->nelts; i++) {
            if (h[i].hash) {
                at_feed_answer_header(part->answer,
                                      ngx_http_atelier_str(&h[i].key),
                                      ngx_http_atelier_str(&h[i].value));
            }
        }
    }
}


static ngx_int_t
ngx_http_atelier_part_lane_data(ngx_http_atelier_lane_t *lane, u_char *p,
    size_t len)
{
    ngx_http_atelier_part_t *part = lane->data;

    if (part->answer == NULL) {
        return NGX_ERROR;
    }

    /* one that could not be remembered whole is not kept */

    if (part->source->feed->keep
        && at_buf_append(&part->raw, p, len) != AT_OK)
    {
        at_buf_free(&part->raw);
        part->raw.max = 1;
    }

    return (at_feed_answer_data(part->answer, p, len) == AT_OK) ? NGX_OK
                                                                : NGX_ERROR;
}


static ngx_http_atelier_step_e
ngx_http_atelier_part_lane_end(ngx_http_atelier_lane_t *lane,
    ngx_uint_t complete, ngx_msec_t *wait)
{
    ngx_http_atelier_part_t *part = lane->data;

    at_feed_outcome_e  outcome;

    if (part->answer == NULL) {
        part->cursor->outcome = AT_FEED_ERROR;
        return NGX_HTTP_ATELIER_STEP_FAILED;
    }

    outcome = at_feed_answer_end(part->answer, complete);
    part->cursor->outcome = outcome;

    if (outcome == AT_FEED_OK && part->raw.len) {
        ngx_http_atelier_part_keep(part);
    }

    return (outcome == AT_FEED_OK) ? NGX_HTTP_ATELIER_STEP_DONE
                                   : NGX_HTTP_ATELIER_STEP_FAILED;
}


/* What the call showed of the source holds for every worker at once. */

static void
ngx_http_atelier_part_lane_ended(ngx_http_atelier_lane_t *lane)
{
    ngx_http_atelier_part_t *part = lane->data;

    at_feed_outcome_e          outcome;
    at_feed_answer_t          *a;
    ngx_http_atelier_zone_t   *zone;
    ngx_http_atelier_party_t  *party;

    a = part->answer;
    zone = part->fill->conf->zone;
    party = &part->source->party;

    switch (lane->state) {

    case NGX_HTTP_ATELIER_LANE_DONE:
        outcome = AT_FEED_OK;
        ngx_http_atelier_observe(&party->slot->latency,
                                 lane->ended - lane->started);
        break;

    case NGX_HTTP_ATELIER_LANE_FAILED:
        outcome = lane->calls ? part->cursor->outcome : AT_FEED_ERROR;
        break;

    default: /* out of time */
        outcome = AT_FEED_TIMEOUT;
        break;
    }

    part->cursor->outcome = outcome;

    ngx_http_atelier_limit_settle(zone, party, &part->reservation,
                                  ngx_http_atelier_part_health(part),
                                  lane->sent);

    if (a && outcome != AT_FEED_TIMEOUT) {
        ngx_http_atelier_quota_learn(zone, party, &a->quota);
    }

    if (outcome == AT_FEED_RATE_LIMITED) {
        ngx_http_atelier_limit_pause(zone, party,
                                     (a && a->retry_after_ms > 0)
                                     ? (ngx_msec_t) a->retry_after_ms
                                     : NGX_HTTP_ATELIER_RETRY);
    }

    if (outcome == AT_FEED_AUTH) {
        ngx_http_atelier_limit_disable(zone, party);
    }

    ngx_http_atelier_part_log(part, outcome);

    ngx_http_atelier_part_answered(part, outcome);
}


static void
ngx_http_atelier_part_log(ngx_http_atelier_part_t *part,
    at_feed_outcome_e outcome)
{
    ngx_uint_t         level;
    const char        *reason, *mend;
    at_feed_answer_t  *a;

    if (outcome == AT_FEED_OK) {
        return;
    }

    a = part->answer;
    reason = (a && a->reason[0]) ? a->reason : "no answer";
    level = NGX_LOG_WARN;
    mend = "";

    if (outcome == AT_FEED_AUTH) {
        level = NGX_LOG_ERR;
        mend = "; mend its key and reload nginx, it is not asked before";
    }

    ngx_log_error(level, part->fill->http->connection->log, 0,
                  "atelier: source \"%V\" failed, %s: %s%s, request %V",
                  &part->source->party.name, at_feed_outcome_name(outcome),
                  reason, mend,
                  ngx_http_atelier_request_id(part->fill->http));
}


/*
 * Refusals of a rate or a key are no sign of bad health; nor is the deadline
 * of the fill, to a call that had to wait for leave until shortly before it.
 */

static at_breaker_outcome_e
ngx_http_atelier_part_health(ngx_http_atelier_part_t *part)
{
    ngx_msec_t  ran;

    switch (part->cursor->outcome) {

    case AT_FEED_OK:
        return AT_BREAKER_GOOD;

    case AT_FEED_RATE_LIMITED:
    case AT_FEED_AUTH:
        return AT_BREAKER_UNKNOWN;

    case AT_FEED_TIMEOUT:
        ran = part->lane->ended - part->lane->started;

        if (part->lane->state != NGX_HTTP_ATELIER_LANE_FAILED
            && ran < ngx_min(part->source->party.timeout,
                             NGX_HTTP_ATELIER_FILL_DEADLINE) / 2)
        {
            return AT_BREAKER_UNKNOWN;
        }

        return AT_BREAKER_FAILED;

    default:
        return AT_BREAKER_FAILED;
    }
}
