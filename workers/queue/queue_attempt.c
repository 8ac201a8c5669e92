/*
 * Attempts (see queue_attempt.h): a worker speaks to no provider, it asks
 * this nginx by its egress socket, where limits and adapters are.
 */

#include "queue_attempt.h"


static const char *const  queue_attempt_lines[] = {
    "Content-Type: application/json", "Accept: application/json"
};


int
queue_attempt_begin(queue_run_t *run, at_fetch_t *fetch, queue_slot_t *slot)
{
    at_fetch_call_t  *call = &slot->call;

    memset(call, 0, sizeof(at_fetch_call_t));

    call->url = AT_STR("http://atelier/attempt");
    call->socket = run->settings.egress_socket;
    call->request_id = (at_str_t) { strlen(slot->request_id),
                                    slot->request_id };
    call->lines = queue_attempt_lines;
    call->nlines = sizeof(queue_attempt_lines) / sizeof(char *);
    call->post = 1;
    call->send = at_buf_str(&slot->body);
    call->head = &slot->head;
    call->data = slot;

    slot->state = QUEUE_CALLED;

    return at_fetch_begin(fetch, call);
}


void
queue_attempt_free(queue_slot_t *slot)
{
    at_buf_free(&slot->body);
    at_fetch_clear(&slot->call);
    slot->state = QUEUE_FREE;
}
