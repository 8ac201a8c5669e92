/*
 * Puts a finished answer on the wire, well or badly on purpose.
 *
 * A whole answer is handed to libmicrohttpd as one buffer that stays the
 * call's; the bad ways are content readers that stop, wait or break the
 * connection.  What we break ourselves is marked and not counted as the
 * client's abort.
 */

#include <string.h>
#include <sys/socket.h>

#include "sandbox.h"


#define SB_DRIP_MS      50
#define SB_ENDLESS_MAX  ((uint64_t) 4096 * 1024 * 1024)


/*
 * Dissolving the association makes the kernel send RST at once; closing with
 * SO_LINGER would come too late, behind the library's own shutdown().
 */

static void
sb_reset(sb_call_t *c)
{
    struct sockaddr  none;

    memset(&none, 0, sizeof(none));
    none.sa_family = AF_UNSPEC;

    c->broken = 1;
    (void) connect(c->fd, &none, sizeof(none));
}


static ssize_t
sb_read_copy(sb_call_t *c, uint64_t pos, char *buf, size_t max, size_t end)
{
    size_t  n;

    n = end - (size_t) pos;

    if (n > max) {
        n = max;
    }

    memcpy(buf, c->answer.body.data + pos, n);

    return (ssize_t) n;
}


static ssize_t
sb_read_half(void *cls, uint64_t pos, char *buf, size_t max)
{
    size_t      half;
    sb_call_t  *c = cls;

    half = c->answer.body.len / 2;

    if (pos < half) {
        return sb_read_copy(c, pos, buf, max, half);
    }

    if (c->answer.deliver == SB_DELIVER_STALL) {
        (void) sb_call_wait(c, -1);

    } else if (c->answer.deliver == SB_DELIVER_RESET_BODY) {
        sb_reset(c);
    }

    c->broken = 1;

    return MHD_CONTENT_READER_END_WITH_ERROR;
}


static ssize_t
sb_read_drip(void *cls, uint64_t pos, char *buf, size_t max)
{
    size_t      n;
    int64_t     ms;
    sb_call_t  *c = cls;

    if (pos >= c->answer.body.len) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }

    ms = SB_DRIP_MS;
    n = (size_t) (c->answer.bytes_per_second * ms / 1000);

    if (n == 0) {
        n = 1;
        ms = 1000 / c->answer.bytes_per_second;
    }

    if (sb_call_wait(c, ms) != SB_OK) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }

    return sb_read_copy(c, pos, buf, n < max ? n : max, c->answer.body.len);
}


/* The good answer's beginning, then filling that never completes it. */

static ssize_t
sb_read_endless(void *cls, uint64_t pos, char *buf, size_t max)
{
    size_t      start;
    sb_call_t  *c = cls;

    start = c->answer.body.len;

    if (pos < start) {
        return sb_read_copy(c, pos, buf, max, start);
    }

    if (pos >= SB_ENDLESS_MAX) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }

    memset(buf, 'A', max);

    return (ssize_t) max;
}


static struct MHD_Response *
sb_response(sb_call_t *c)
{
    size_t         len;
    sb_answer_t   *a;

    a = &c->answer;
    len = a->body.len;

    switch (a->deliver) {

    case SB_DELIVER_SHORT:
    case SB_DELIVER_STALL:
    case SB_DELIVER_RESET_BODY:
        return MHD_create_response_from_callback(len, 32 * 1024,
                                                 sb_read_half, c, NULL);

    case SB_DELIVER_DRIP:
        return MHD_create_response_from_callback(len, 32 * 1024,
                                                 sb_read_drip, c, NULL);

    case SB_DELIVER_ENDLESS:
        return MHD_create_response_from_callback(
                                        a->total ? a->total : MHD_SIZE_UNKNOWN,
                                        32 * 1024, sb_read_endless, c, NULL);

    default:
        return MHD_create_response_from_buffer(len, a->body.data,
                                               MHD_RESPMEM_PERSISTENT);
    }
}


enum MHD_Result
sb_deliver(sb_call_t *c)
{
    size_t                i;
    sb_answer_t          *a;
    enum MHD_Result       rc;
    struct MHD_Response  *r;

    a = &c->answer;

    switch (a->deliver) {

    case SB_DELIVER_HANG:
        (void) sb_call_wait(c, -1);
        c->broken = 1;
        return MHD_NO;

    case SB_DELIVER_RESET:
        sb_reset(c);
        return MHD_NO;

    case SB_DELIVER_CLOSE:
        c->broken = 1;
        return MHD_NO;

    default:
        break;
    }

    if (a->body.failed || sb_memory_take(a->body.len) != SB_OK) {
        c->broken = 1;
        return MHD_NO;
    }

    c->memory += a->body.len;

    r = sb_response(c);
    if (r == NULL) {
        c->broken = 1;
        return MHD_NO;
    }

    if (a->type[0]) {
        MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, a->type);
    }

    for (i = 0; i < a->nheaders; i++) {
        MHD_add_response_header(r, a->headers[i].name, a->headers[i].value);
    }

    /* Before the last byte leaves: who has the answer finds it counted. */

    if (sb_call_on(c) == SB_ON_CALL && c->decided && c->mode == SB_MODE_OK
        && !c->limited)
    {
        c->ok = 1;
        sb_count(c, SB_COUNT_OK, 1);
    }

    if (a->deliver == SB_DELIVER_WHOLE) {
        sb_busy_end(c);
    }

    rc = MHD_queue_response(c->connection, a->status, r);
    MHD_destroy_response(r);

    return rc;
}
