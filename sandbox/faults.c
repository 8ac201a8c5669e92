/*
 * Everything that goes wrong on purpose.
 *
 * generate.c asks three times: before anything is drawn (the answer may be
 * complete already), when the pictures exist and are not yet written, and
 * when the answer is whole.  A variant that has no meaning for the answer at
 * hand (base64 in raw bytes) is told as 501, never replaced by another: a
 * test that misses its aim shall see it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "source.h"


#define SB_DEEP       10000
#define SB_OVERSIZED  ((uint64_t) 64 * 1024 * 1024)
#define SB_PADDING    ((size_t) 10 * 1024 * 1024)


static const char  sb_html[] =
    "<!DOCTYPE html>\n<html><head><title>One moment</title></head>\n"
    "<body><h1>Checking your browser</h1><p>This is a page of the sandbox, "
    "not a picture.</p></body></html>\n";


static int
sb_is(const sb_call_t *c, const char *variant)
{
    return strcmp(c->settings.variant, variant) == 0;
}


void
sb_fault_variant(sb_call_t *c)
{
    sb_answer_text(c, 501, "text/plain", "sandbox: mode %s has no variant "
                   "\"%s\" for this answer of %s\n", sb_mode_name(c->mode),
                   c->settings.variant, c->api->name);
}


/* As Go prints durations: 1m30s, 7s, 7.66s, 120ms. */

static void
sb_go_duration(char *dst, size_t size, double seconds)
{
    long  ms, min;

    ms = (long) (seconds * 1000 + 0.5);
    min = ms / 60000;

    if (ms < 1000) {
        snprintf(dst, size, "%ldms", ms);

    } else if (min) {
        snprintf(dst, size, "%ldm%.5gs", min, (double) (ms % 60000) / 1000);

    } else {
        snprintf(dst, size, "%.5gs", (double) ms / 1000);
    }
}


static void
sb_rate_limit_text(sb_call_t *c, double after)
{
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));

    if (sb_is(c, "body_text")) {
        sb_answer_text(c, 429, "application/json", "{\"title\":\"Too Many "
                       "Requests\",\"detail\":\"Request was throttled. Your "
                       "rate limit resets in ~%.0fs.\",\"status\":429}",
                       after);
        return;
    }

    if (sb_is(c, "try_again")) {
        e.type = "requests";
        e.code = "rate_limit_exceeded";
        snprintf(e.message, sizeof(e.message), "Rate limit reached for images "
                 "per min. Limit: 5, Used: 5, Requested: 1. Please try again "
                 "in %.5gs.", after);
        c->api->error(c, 429, &e);
        return;
    }

    /* insufficient_quota: credit, not rate. */

    if (c->api->credit) {
        e.code = c->api->credit;
        snprintf(e.message, sizeof(e.message), "You lack sufficient credits "
                 "to make this request.");
        c->api->error(c, 402, &e);
        return;
    }

    e.type = "insufficient_quota";
    e.code = (c->api == &sb_api_stability1) ? "insufficient_balance"
                                            : "insufficient_quota";
    snprintf(e.message, sizeof(e.message), "You exceeded your current quota, "
             "please check your plan and billing details.");
    c->api->error(c, 429, &e);
}


/* A model that has to be brought into memory first. */

static void
sb_loading(sb_call_t *c, double after)
{
    if (c->api != &sb_api_huggingface) {
        sb_fault_variant(c);
        return;
    }

    sb_answer_text(c, sb_is(c, "loading") ? 503 : 200, "application/json",
                   "{\"error\":\"Model sandbox is currently loading\","
                   "\"estimated_time\":%.3f}", after);
}


static void
sb_rate_limit(sb_call_t *c)
{
    char    text[64];
    double  after;
    long    up;

    after = c->settings.retry_after;
    up = (long) after + (after > (double) (long) after);

    if (sb_is(c, "loading") || sb_is(c, "loading_200")) {
        sb_loading(c, after);
        return;
    }

    if (sb_is(c, "body_text") || sb_is(c, "try_again")
        || sb_is(c, "insufficient_quota"))
    {
        sb_rate_limit_text(c, after);
        return;
    }

    if (c->api->source && c->settings.variant[0] == '\0') {
        c->api->source->throttle(c, after);
        return;
    }

    c->api->failure(c, 429);

    if (sb_is(c, "http_date")) {
        sb_http_date(text, sizeof(text), (int64_t) time(NULL) + up);
        sb_answer_header(c, "Retry-After", "%s", text);

    } else if (sb_is(c, "fraction")) {
        sb_answer_header(c, "Retry-After", "%.3f", after);

    } else if (sb_is(c, "retry_after_ms")) {
        sb_answer_header(c, "retry-after-ms", "%.0f", after * 1000);

    } else if (sb_is(c, "x_ratelimit_reset")) {
        sb_go_duration(text, sizeof(text), after);
        sb_answer_header(c, "x-ratelimit-limit-requests", "5");
        sb_answer_header(c, "x-ratelimit-remaining-requests", "0");
        sb_answer_header(c, "x-ratelimit-reset-requests", "%s", text);

    } else if (sb_is(c, "ratelimit_reset")) {
        sb_answer_header(c, "ratelimit-remaining", "0");
        sb_answer_header(c, "ratelimit-reset", "%ld", up);

    } else if (!sb_is(c, "none")) {
        sb_answer_header(c, "Retry-After", "%ld", up);
    }
}


/* 1: the refusal is the answer; 0: it shows in the picture's answer. */

static int
sb_moderated(sb_call_t *c, sb_job_t *job)
{
    const char  *variant;

    variant = c->settings.variant[0] ? c->settings.variant
                                     : c->api->moderated;

    if (c->api->moderate == NULL
        || c->api->moderate(c, job, variant) != SB_OK)
    {
        sb_fault_variant(c);
        return 1;
    }

    return c->answer.status != 0;
}


/* The same for work that comes to nothing. */

static int
sb_failed(sb_call_t *c, sb_job_t *job)
{
    const char  *variant;

    variant = c->settings.variant[0] ? c->settings.variant : c->api->failed;

    if (c->api->fail == NULL || c->api->fail(c, job, variant) != SB_OK) {
        sb_fault_variant(c);
        return 1;
    }

    return c->answer.status != 0;
}


static void
sb_status(sb_call_t *c)
{
    unsigned    status;
    sb_error_t  e;

    status = c->settings.status;

    if (status == 204 || status == 304 || sb_is(c, "empty")) {
        sb_answer_begin(c, status, "");
        return;
    }

    if (sb_is(c, "html")) {
        sb_answer_text(c, status, "text/html; charset=utf-8", "<html><body>"
                       "<h1>%u</h1><p>cloudflare</p></body></html>\n",
                       status);
        return;
    }

    if (sb_is(c, "text")) {
        sb_answer_text(c, status, "text/plain", "upstream says %u\n", status);
        return;
    }

    if (status == 429 || status >= 500) {
        c->api->failure(c, status);
        return;
    }

    memset(&e, 0, sizeof(sb_error_t));
    e.code = "sandbox_status";
    snprintf(e.message, sizeof(e.message), "The sandbox was told to answer "
             "%u.", status);
    c->api->error(c, status, &e);
}


/* 0 for those variants that need the picture. */

static int
sb_empty(sb_call_t *c)
{
    if (sb_is(c, "no_content")) {
        sb_answer_begin(c, 204, "");
        return 1;
    }

    if (sb_is(c, "json")) {
        sb_answer_text(c, 200, "application/json", "{}");
        return 1;
    }

    return 0;
}


static int
sb_garbage(sb_call_t *c, sb_job_t *job)
{
    size_t      i;
    sb_buf_t   *b;

    if (sb_is(c, "redirect")) {
        sb_answer_text(c, 302, "text/plain", "moved\n");
        sb_answer_header(c, "Location",
                         "http://169.254.169.254/latest/meta-data/");
        return 1;
    }

    if (sb_is(c, "deep")) {
        sb_answer_begin(c, 200, "application/json");
        b = &c->answer.body;
        sb_buf_print(b, "{\"data\":");

        for (i = 0; i < SB_DEEP; i++) {
            sb_buf_add(b, "[", 1);
        }

        for (i = 0; i < SB_DEEP; i++) {
            sb_buf_add(b, "]", 1);
        }

        sb_buf_add(b, "}", 1);
        return 1;
    }

    if (sb_is(c, "bad_url") || sb_is(c, "file_url")) {
        if (!c->api->url) {
            sb_fault_variant(c);
            return 1;
        }

        job->reply = SB_REPLY_URL;
        job->url = sb_is(c, "bad_url")
                   ? "https://pictures.not-allowed.invalid/room.png"
                   : "file:///etc/passwd";
        return 0;
    }

    if (c->settings.variant[0] == '\0' || sb_is(c, "html")) {
        sb_answer_text(c, 200, "text/html; charset=utf-8", "%s", sb_html);
        return 1;
    }

    if (sb_is(c, "gif")) {
        job->format = SB_FORMAT_GIF;
    }

    return 0;
}


/* 1: the answer is complete, nothing needs to be drawn. */

int
sb_fault_before(sb_call_t *c, sb_job_t *job)
{
    static const unsigned  failures[3] = { 500, 502, 503 };

    switch (c->mode) {

    case SB_MODE_RATE_LIMIT:
        sb_rate_limit(c);
        return 1;

    case SB_MODE_MODERATED:
        return sb_moderated(c, job);

    case SB_MODE_EMPTY:
        return sb_empty(c);

    case SB_MODE_HANG:
        c->answer.deliver = SB_DELIVER_HANG;
        return 1;

    case SB_MODE_STATUS:
        sb_status(c);
        return 1;

    case SB_MODE_GARBAGE:
        return sb_garbage(c, job);

    case SB_MODE_RESET:
        if (sb_is(c, "body")) {
            return 0;
        }

        c->answer.deliver = SB_DELIVER_RESET;
        return 1;

    case SB_MODE_FAILED:
        return sb_failed(c, job);

    case SB_MODE_WALL:
    case SB_MODE_PAGE:
        sb_fault_variant(c);
        return 1;

    case SB_MODE_ERROR:
        c->api->failure(c, failures[sb_provider_random(c->provider) % 3]);
        return 1;

    default:
        return 0;
    }
}


/*
 * For answers without a picture of their own: variants that would change one
 * have none to change here.
 */

int
sb_fault_no_picture(sb_call_t *c, sb_job_t *job)
{
    char  quoted[40];

    static const char  names[] = "|cut|base64|null|text|gif|tiny|bad_url"
                                 "|file_url|bomb|";

    if (sb_fault_before(c, job)) {
        return 1;
    }

    snprintf(quoted, sizeof(quoted), "|%s|", c->settings.variant);

    if (c->mode != SB_MODE_OK && c->settings.variant[0]
        && strstr(names, quoted))
    {
        sb_fault_variant(c);
        return 1;
    }

    return 0;
}


static int
sb_garbage_picture(sb_call_t *c, sb_picture_t *p)
{
    /* A stored file is what it is: only a new drawing can be a GIF. */

    if (sb_is(c, "gif") && c->route == SB_ROUTE_FILE) {
        return SB_ERROR;
    }

    if (sb_is(c, "text")) {
        sb_buf_free(&p->data);
        sb_buf_print(&p->data, "This is text where a picture should be, long "
                     "enough not to be missed for its length alone.\n");
        return SB_OK;
    }

    if (sb_is(c, "tiny")) {
        return sb_picture_tiny(p);
    }

    if (sb_is(c, "bomb")) {
        return sb_picture_bomb(p);
    }

    return SB_OK;
}


/* Stars are no letters of base64, wherever in the text they stand. */

static int
sb_break_base64(const sb_job_t *job, sb_picture_t *p)
{
    if (job->reply == SB_REPLY_RAW || job->reply == SB_REPLY_URL
        || sb_buf_base64(&p->b64, p->data.data, p->data.len) != SB_OK)
    {
        return SB_ERROR;
    }

    memset(p->b64.data + p->b64.len / 2, '*', 12);

    return SB_OK;
}


/* SB_ERROR: the variant does not fit this answer. */

int
sb_fault_pictures(sb_call_t *c, sb_job_t *job, sb_picture_t *p)
{
    unsigned  i;

    for (i = 0; i < job->n; i++) {

        if (c->mode == SB_MODE_TRUNCATED && sb_is(c, "cut")) {
            p[i].data.len /= 2;

        } else if (c->mode == SB_MODE_TRUNCATED && sb_is(c, "base64")) {
            if (sb_break_base64(job, &p[i]) != SB_OK) {
                return SB_ERROR;
            }

        } else if (c->mode == SB_MODE_TRUNCATED && sb_is(c, "json")) {
            if (job->reply == SB_REPLY_RAW) {
                return SB_ERROR;
            }

        } else if (c->mode == SB_MODE_EMPTY && sb_is(c, "null")) {
            if (job->reply == SB_REPLY_RAW) {
                return SB_ERROR;
            }

            p[i].null = 1;

        } else if (c->mode == SB_MODE_GARBAGE
                   && sb_garbage_picture(c, &p[i]) != SB_OK)
        {
            return SB_ERROR;
        }
    }

    return SB_OK;
}


static uint32_t
sb_crc32(const sb_buf_t *b)
{
    int       k;
    size_t    i;
    uint32_t  crc;

    crc = 0xffffffff;

    for (i = 0; i < b->len; i++) {
        crc ^= (unsigned char) b->data[i];

        for (k = 0; k < 8; k++) {
            crc = (crc >> 1) ^ (0xedb88320 & (0 - (crc & 1)));
        }
    }

    return ~crc;
}


/* A valid gzip of stored blocks: what matters is that it was not asked. */

static void
sb_gzip(sb_call_t *c)
{
    size_t         n, off;
    sb_buf_t       out, *in;
    uint32_t       crc, len;
    unsigned char  block[5], tail[8];

    in = &c->answer.body;
    memset(&out, 0, sizeof(sb_buf_t));
    sb_buf_add(&out, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);

    for (off = 0; off < in->len; off += n) {
        n = in->len - off < 65535 ? in->len - off : 65535;
        block[0] = (off + n == in->len);
        block[1] = (unsigned char) (n & 0xff);
        block[2] = (unsigned char) (n >> 8);
        block[3] = (unsigned char) ~block[1];
        block[4] = (unsigned char) ~block[2];
        sb_buf_add(&out, block, 5);
        sb_buf_add(&out, in->data + off, n);
    }

    crc = sb_crc32(in);
    len = (uint32_t) in->len;

    for (n = 0; n < 4; n++) {
        tail[n] = (unsigned char) (crc >> (8 * n));
        tail[n + 4] = (unsigned char) (len >> (8 * n));
    }

    sb_buf_add(&out, tail, 8);
    sb_buf_free(in);
    *in = out;

    sb_answer_header(c, "Content-Encoding", "gzip");
}


static void
sb_truncate(sb_call_t *c)
{
    if (sb_is(c, "json")) {
        c->answer.body.len /= 2;

    } else if (c->settings.variant[0] == '\0' || sb_is(c, "short")) {
        c->answer.deliver = SB_DELIVER_SHORT;
    }
}


/* Blanks in front: the good answer is there, 10 MB later. */

static void
sb_pad(sb_call_t *c)
{
    size_t    i;
    sb_buf_t  out, *in;

    static const char  blanks[] =
        "                                                                ";

    in = &c->answer.body;
    memset(&out, 0, sizeof(sb_buf_t));

    for (i = 0; i < SB_PADDING; i += sizeof(blanks) - 1) {
        sb_buf_add(&out, blanks, sizeof(blanks) - 1);
    }

    sb_buf_add(&out, in->data, in->len);
    sb_buf_free(in);
    *in = out;
}


static void
sb_byte_order_mark(sb_call_t *c)
{
    sb_buf_t  out, *in;

    in = &c->answer.body;
    memset(&out, 0, sizeof(sb_buf_t));
    sb_buf_add(&out, "\xef\xbb\xbf", 3);
    sb_buf_add(&out, in->data, in->len);
    sb_buf_free(in);
    *in = out;
}


/*
 * The good beginning, then no end.  JSON is cut in its middle, which base64
 * makes the middle of a picture: what follows can only be more of it.
 */

static void
sb_oversize(sb_call_t *c, const sb_job_t *job)
{
    if (sb_is(c, "padded")) {
        sb_pad(c);
        return;
    }

    c->answer.deliver = SB_DELIVER_ENDLESS;
    c->answer.total = sb_is(c, "chunked") ? 0 : SB_OVERSIZED;

    if (job->reply != SB_REPLY_RAW) {
        c->answer.body.len /= 2;
    }
}


void
sb_fault_after(sb_call_t *c, const sb_job_t *job)
{
    if (c->answer.deliver != SB_DELIVER_WHOLE) {
        return;
    }

    switch (c->mode) {

    case SB_MODE_TRUNCATED:
        sb_truncate(c);
        break;

    case SB_MODE_EMPTY:
        if (!sb_is(c, "null")) {
            c->answer.body.len = 0;
        }

        break;

    case SB_MODE_HANG_BODY:
        c->answer.deliver = SB_DELIVER_STALL;
        break;

    case SB_MODE_DRIP:
        c->answer.deliver = SB_DELIVER_DRIP;
        c->answer.bytes_per_second = c->settings.bytes_per_second;
        break;

    case SB_MODE_OVERSIZED:
        sb_oversize(c, job);
        break;

    case SB_MODE_GARBAGE:
        if (sb_is(c, "gzip")) {
            sb_gzip(c);

        } else if (sb_is(c, "bom")) {
            sb_byte_order_mark(c);
        }

        break;

    case SB_MODE_RESET:
        c->answer.deliver = SB_DELIVER_RESET_BODY;
        break;

    default:
        break;
    }
}
