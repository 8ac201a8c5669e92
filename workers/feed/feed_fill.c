/*
 * Fills (see feed.h): a worker speaks to no image source, it asks this nginx
 * by its egress socket, where limits and adapters are.
 */

#include "feed.h"
#include "at_json.h"
#include "feed/at_feed_query.h"

#include <stdio.h>


/* How long a fill that somebody else is at may take, in ms. */
#define FEED_FILL_BUSY   2000
#define FEED_FILL_AGAIN  1000


/* What an answer says. */
typedef struct {
    feed_fill_t  *fill;
    unsigned      filled:1;
} feed_fill_answer_t;


static int feed_fill_url(feed_fill_t *fill, at_buf_t *url);
static int feed_fill_check(feed_fill_t *fill);
static int feed_fill_escape(at_buf_t *b, at_str_t text);
static feed_result_e feed_fill_answer(feed_fill_t *fill,
    const at_fetch_call_t *call);
static int feed_fill_read(feed_fill_t *fill, const at_fetch_call_t *call);
static int feed_fill_value(void *data, const char *path,
    at_json_type_e type, at_str_t text);


feed_result_e
feed_fill(feed_run_t *run, at_fetch_t *fetch, feed_fill_t *fill)
{
    at_buf_t         url = { .max = AT_FETCH_URL_MAX };
    feed_result_e    result;
    at_fetch_call_t  call;

    fill->why[0] = '\0';
    fill->snapshot[0] = '\0';
    fill->wait = FEED_FILL_AGAIN;

    if (feed_fill_url(fill, &url) != AT_OK) {
        at_buf_free(&url);
        return FEED_DEAD;
    }

    memset(&call, 0, sizeof(at_fetch_call_t));
    call.url = at_buf_str(&url);
    call.socket = run->settings.egress_socket;
    call.request_id = fill->request_id;
    call.post = 1;

    /* not ended by a stop: it is short, and would only be asked for again */

    at_fetch_run(fetch, &call, 1, NULL);
    result = feed_fill_answer(fill, &call);

    at_fetch_clear(&call);
    at_buf_free(&url);

    return result;
}


static int
feed_fill_url(feed_fill_t *fill, at_buf_t *url)
{
    int  rc;

    rc = at_buf_append_str(url, AT_STR("http://atelier/fill?"));

    if (fill->args.len > 0) {
        if (feed_fill_check(fill) != AT_OK) {
            return AT_ERROR;
        }

        rc |= at_buf_append_str(url, fill->args);

    } else {
        rc |= at_buf_append_str(url, AT_STR("query="));
        rc |= feed_fill_escape(url, fill->query);
    }

    if (fill->ahead > 0) {
        rc |= at_buf_printf(url, "&ahead=%lld", (long long) fill->ahead);
    }

    if (rc != AT_OK) {
        (void) snprintf(fill->why, sizeof(fill->why),
                        "longer than %d bytes as a URL", AT_FETCH_URL_MAX);
        return AT_ERROR;
    }

    return AT_OK;
}


/* What nginx would refuse is refused here, where there is a reason kept. */

static int
feed_fill_check(feed_fill_t *fill)
{
    size_t                i;
    at_feed_args_t        args;
    at_args_error_t  error;

    for (i = 0; i < fill->args.len; i++) {
        if ((unsigned char) fill->args.data[i] <= ' '
            || (unsigned char) fill->args.data[i] >= 0x7f
            || fill->args.data[i] == '#')
        {
            (void) snprintf(fill->why, sizeof(fill->why),
                            "args holds a byte that a URL cannot have");
            return AT_ERROR;
        }
    }

    if (at_feed_args_parse(fill->args, &args, &error) != AT_OK) {
        (void) snprintf(fill->why, sizeof(fill->why), "%s: %s", error.name,
                        error.message);
        return AT_ERROR;
    }

    if (args.snapshot.len == FEED_SNAPSHOT_LEN) {
        memcpy(fill->snapshot, args.snapshot.data, FEED_SNAPSHOT_LEN);
        fill->snapshot[FEED_SNAPSHOT_LEN] = '\0';
    }

    return AT_OK;
}


static int
feed_fill_escape(at_buf_t *b, at_str_t text)
{
    int     rc;
    size_t  i;

    rc = AT_OK;

    for (i = 0; i < text.len && rc == AT_OK; i++) {
        rc = at_buf_printf(b, "%%%02X", (unsigned char) text.data[i]);
    }

    return rc;
}


static feed_result_e
feed_fill_answer(feed_fill_t *fill, const at_fetch_call_t *call)
{
    if (call->outcome == AT_FETCH_OK) {
        feed_count(feed_fill_read(fill, call) ? FEED_FILLS_FILLED
                                              : FEED_FILLS_ENOUGH, 1);
        return FEED_DONE;
    }

    (void) snprintf(fill->why, sizeof(fill->why), "/fill: %s", call->why);

    if (call->outcome == AT_FETCH_STATUS && call->status == 409) {
        feed_count(FEED_FILLS_BUSY, 1);
        fill->wait = FEED_FILL_BUSY;
        return FEED_RETRY;
    }

    feed_count(FEED_FILLS_FAILED, 1);

    if (call->outcome == AT_FETCH_STATUS && call->status == 400) {
        return FEED_DEAD;
    }

    if (call->retry_after > 0) {
        fill->wait = call->retry_after;
    }

    return FEED_RETRY;
}


/* 1: filled, and the answer's snapshot is where it went. */

static int
feed_fill_read(feed_fill_t *fill, const at_fetch_call_t *call)
{
    at_json_handler_t   handler = { .value = feed_fill_value };
    feed_fill_answer_t  answer = { .fill = fill };

    (void) at_json_read(at_buf_str(&call->body), &handler, &answer, NULL,
                        NULL);

    return answer.filled;
}


static int
feed_fill_value(void *data, const char *path, at_json_type_e type,
    at_str_t text)
{
    feed_fill_answer_t *answer = data;

    if (type != AT_JSON_STRING) {
        return AT_OK;
    }

    /* "status" comes first; of an answer "enough" the id says nothing */

    if (strcmp(path, "status") == 0) {
        answer->filled = at_str_is(text, "filled");

    } else if (strcmp(path, "snapshot") == 0 && answer->filled
               && feed_snapshot_id(text))
    {
        memcpy(answer->fill->snapshot, text.data, FEED_SNAPSHOT_LEN);
        answer->fill->snapshot[FEED_SNAPSHOT_LEN] = '\0';
    }

    return AT_OK;
}


int
feed_snapshot_id(at_str_t id)
{
    size_t  i;

    for (i = 0; i < id.len; i++) {
        if ((id.data[i] < '0' || id.data[i] > '9')
            && (id.data[i] < 'a' || id.data[i] > 'f'))
        {
            return 0;
        }
    }

    return id.len == FEED_SNAPSHOT_LEN;
}
