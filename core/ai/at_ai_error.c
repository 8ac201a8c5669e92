/*
 * Error answers: from status, headers and body to a class and a reason.
 *
 * The body is read as it comes and not kept: JSON fields go through two
 * tables of paths, and of anything else the first bytes are remembered.  The
 * JSON reader lives from the first byte of a body to at_ai_error_reset().
 * The body of a 2xx that carries an error instead of a picture ends up here
 * too, through at_ai_error_value().
 */

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at_ai_internal.h"


#define AT_AI_NO_RANK   ((size_t) -1)
#define AT_AI_WAIT_MAX  (10 * 60 * 1000)    /* ms that a body may ask for */


/* Where providers put the sentence; the earlier path wins. */

static const char  *const at_ai_message_paths[] = {
    "error.message", "message", "error", "error[]", "detail", "detail.error",
    "detail.message", "errors[]", "errors[].message", "detail[].msg",
    "error_description", "title", NULL
};


/* And the code. */

static const char  *const at_ai_code_paths[] = {
    "error.code", "code", "name", "error.inner_error.code",
    "error.innererror.code", "error.type", "type", "error_type", NULL
};


/* A status of its own, as gateways wrap one into a 200. */

static const char  *const at_ai_status_paths[] = {
    "error.code", "code", "error.status", "status", NULL
};


static const char  *const at_ai_moderated_codes[] = {
    "moderation_blocked", "content_policy_violation", "content_moderation",
    "content_filter", "content_filtered", "invalid_prompts",
    "ResponsibleAIPolicyViolation", NULL
};

static const char  *const at_ai_quota_codes[] = {
    "insufficient_quota", "billing_hard_limit_reached", "billing_not_active",
    "insufficient_credits", "insufficient_balance", "payment_required", NULL
};

static const char  *const at_ai_key_codes[] = {
    "invalid_api_key", "authentication_error", "account_deactivated", NULL
};

static const char  *const at_ai_rate_codes[] = {
    "rate_limit_exceeded", "rate_limit_error", "rate_limited",
    "too_many_requests", NULL
};


/* The same from providers that have no code for it. */

static const char  *const at_ai_moderated_words[] = {
    "content moderation", "content policy", "safety system",
    "moderation system", "nsfw", "flagged as sensitive", "content flagged",
    "prompt was flagged", "(E005)", NULL
};

static const char  *const at_ai_rate_words[] = {
    "rate limit", "too many requests", "was throttled", NULL
};


static size_t
at_ai_error_rank(const char *const *list, const char *text)
{
    size_t  i;

    for (i = 0; list[i]; i++) {
        if (strcmp(list[i], text) == 0) {
            return i;
        }
    }

    return AT_AI_NO_RANK;
}


static int
at_ai_error_listed(const char *const *list, at_str_t text)
{
    size_t  i;

    for (i = 0; list[i]; i++) {
        if (at_str_ieq(text, (at_str_t) { strlen(list[i]), list[i] })) {
            return 1;
        }
    }

    return 0;
}


static int
at_ai_error_words(const char *text, const char *const *list)
{
    for ( /* void */ ; *list; list++) {
        if (strcasestr(text, *list)) {
            return 1;
        }
    }

    return 0;
}


/* A NUL inside would end the sentence early. */

static void
at_ai_error_copy(char *out, size_t size, at_str_t text)
{
    size_t  i, len;

    len = (text.len < size) ? text.len : size - 1;

    for (i = 0; i < len; i++) {
        out[i] = text.data[i] ? text.data[i] : ' ';
    }

    out[len] = '\0';
}


/* A code is one word; a sentence or a URI in its place is no code. */

static int
at_ai_error_code_valid(at_str_t text)
{
    size_t  i;

    if (text.len == 0 || text.len >= AT_AI_CODE_MAX) {
        return 0;
    }

    for (i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f
            || text.data[i] == ':')
        {
            return 0;
        }
    }

    return 1;
}


static void
at_ai_error_code(at_ai_error_t *e, size_t rank, at_str_t text)
{
    e->moderated |= at_ai_error_listed(at_ai_moderated_codes, text);
    e->quota |= at_ai_error_listed(at_ai_quota_codes, text);
    e->key |= at_ai_error_listed(at_ai_key_codes, text);
    e->rate |= at_ai_error_listed(at_ai_rate_codes, text);
    e->unknown_url |= at_str_ieq(text, AT_STR("unknown_url"));

    if (rank < e->code_rank && at_ai_error_code_valid(text)) {
        e->code_rank = rank;
        at_ai_error_copy(e->code, sizeof(e->code), text);
    }
}


/* 400 to 599, or 0. */

static unsigned
at_ai_error_status(at_str_t text)
{
    size_t    i;
    unsigned  n;

    if (text.len != 3) {
        return 0;
    }

    n = 0;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return 0;
        }

        n = n * 10 + (unsigned) (text.data[i] - '0');
    }

    return (n >= 400 && n <= 599) ? n : 0;
}


/* A JSON number of seconds in any of its forms, to milliseconds; or -1. */

static int64_t
at_ai_error_seconds(at_str_t number)
{
    char    text[32];
    double  n;

    if (number.len >= sizeof(text)) {
        return -1;
    }

    at_ai_error_copy(text, sizeof(text), number);
    n = strtod(text, NULL) * 1000;

    if (!(n >= 0)) {
        return -1;
    }

    return (n < AT_AI_WAIT_MAX) ? (int64_t) ceil(n) : AT_AI_WAIT_MAX;
}


void
at_ai_error_value(at_ai_error_t *e, const char *path, at_json_type_e type,
    at_str_t text)
{
    size_t    rank;
    unsigned  status;

    if (type == AT_JSON_NUMBER && strcmp(path, "estimated_time") == 0) {
        e->estimated_ms = at_ai_error_seconds(text);
        return;
    }

    if ((type != AT_JSON_STRING && type != AT_JSON_NUMBER) || text.len == 0) {
        return;
    }

    if (at_ai_error_rank(at_ai_status_paths, path) != AT_AI_NO_RANK) {
        status = at_ai_error_status(text);
        e->status = status ? status : e->status;
    }

    rank = at_ai_error_rank(at_ai_message_paths, path);

    if (rank < e->message_rank && type == AT_JSON_STRING) {
        e->message_rank = rank;
        at_ai_error_copy(e->message, sizeof(e->message), text);
    }

    rank = at_ai_error_rank(at_ai_code_paths, path);

    if (rank != AT_AI_NO_RANK) {
        at_ai_error_code(e, rank, text);
    }
}


static int
at_ai_error_json_value(void *ctx, const char *path, at_json_type_e type,
    at_str_t text)
{
    at_ai_error_value(ctx, path, type, text);

    return AT_OK;
}


void
at_ai_error_reset(at_ai_error_t *e)
{
    at_json_free(e->json);

    memset(e, 0, sizeof(at_ai_error_t));
    e->message_rank = AT_AI_NO_RANK;
    e->code_rank = AT_AI_NO_RANK;
    e->estimated_ms = -1;
}


static void
at_ai_error_json(at_ai_error_t *e, const uint8_t *p, size_t len)
{
    at_json_limits_t          limits;

    static const at_json_handler_t  handler = {
        .value = at_ai_error_json_value
    };

    if (e->json == NULL) {
        memset(&limits, 0, sizeof(at_json_limits_t));
        limits.depth = AT_AI_JSON_DEPTH;
        limits.string = AT_AI_MESSAGE_MAX;
        limits.cut = 1;

        e->json = at_json_create(&handler, e, &limits);
        if (e->json == NULL) {
            e->closed = 1;
            return;
        }
    }

    if (at_json_feed(e->json, p, len) != AT_OK) {
        e->closed = 1;
    }
}


int
at_ai_error_data(at_ai_lane_t *lane, const uint8_t *p, size_t len)
{
    size_t          n;
    at_ai_error_t  *e;

    e = &at_ai_private(lane)->error;

    if (lane->received >= AT_AI_ERROR_MAX) {
        return AT_ERROR;
    }

    if (len > AT_AI_ERROR_MAX - lane->received) {
        len = AT_AI_ERROR_MAX - lane->received;
    }

    n = sizeof(e->plain) - 1 - e->nplain;
    n = (len < n) ? len : n;
    at_ai_error_copy(e->plain + e->nplain, n + 1,
                     (at_str_t) { n, (const char *) p });
    e->nplain += n;

    if (!e->closed) {
        at_ai_error_json(e, p, len);
    }

    return AT_OK;
}


/*
 * The provider's own words.  A page or JSON without a known message has none:
 * it may hold anything, the request and its key included.
 */

static const char *
at_ai_error_text(const at_ai_error_t *e)
{
    const char  *p;

    if (e->message[0]) {
        return e->message;
    }

    p = e->plain;

    if (strncmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
    }

    while (*p == ' ' || (*p >= '\t' && *p <= '\r')) {
        p++;
    }

    switch (*p) {

    case '<':
        return "an HTML page";

    case '{':
    case '[':
        return "";

    default:
        return p;
    }
}


/* What stands in for words: the size of the body, if it has one. */

static void
at_ai_error_size(const at_ai_lane_t *lane, char *out, size_t size)
{
    if (lane->received >= AT_AI_ERROR_MAX) {
        (void) snprintf(out, size, "a body of %u bytes or more without a "
                        "message", (unsigned) AT_AI_ERROR_MAX);

    } else if (lane->received && !lane->content_encoded) {
        (void) snprintf(out, size, "a body of %zu bytes without a message",
                        lane->received);

    } else {
        out[0] = '\0';
    }
}


/* Whether the provider refused the prompt, and not the request. */

static int
at_ai_error_moderated(const at_ai_error_t *e, unsigned status)
{
    if (e->moderated) {
        return status < 500 && status != 401 && status != 402
               && status != 429;
    }

    if (status != 400 && status != 403 && status != 422) {
        return 0;
    }

    return at_ai_error_words(at_ai_error_text(e), at_ai_moderated_words);
}


static int
at_ai_error_loading(const at_ai_error_t *e)
{
    return e->estimated_ms >= 0
           || strcasestr(e->message, "currently loading") != NULL;
}


static at_ai_class_e
at_ai_error_class(const at_ai_error_t *e, unsigned status)
{
    if (at_ai_error_moderated(e, status)) {
        return AT_AI_MODERATED;
    }

    if (status >= 400 && status <= 499 && (e->quota || e->key)) {
        return AT_AI_CREDENTIAL;
    }

    switch (status) {

    case 401:
    case 402:
    case 403:
    case 407:
        return AT_AI_CREDENTIAL;

    case 408:
    case 425:
        return AT_AI_TRANSIENT;

    case 429:
        return AT_AI_RATE_LIMITED;

    /* The address has moved for good: asking it again cannot help. */
    case 301:
    case 308:
        return AT_AI_INVALID;

    case 503:
        return at_ai_error_loading(e) ? AT_AI_RATE_LIMITED : AT_AI_TRANSIENT;
    }

    return (status >= 400 && status <= 499) ? AT_AI_INVALID : AT_AI_TRANSIENT;
}


/*
 * Cuts out what stands between the first and the last quote of a kind: the
 * words in it are not the provider's, and may hold quotes of their own.
 */

static void
at_ai_error_unquote(char *text, const char *open, const char *close)
{
    char    *first, *last, *p;
    size_t   nopen, nclose;

    nopen = strlen(open);
    nclose = strlen(close);

    /* An apostrophe has a letter before it. */

    for (first = strstr(text, open); first; first = strstr(p, open)) {
        if (first == text || !isalnum((unsigned char) first[-1])) {
            break;
        }

        p = first + nopen;
    }

    if (first == NULL) {
        return;
    }

    last = NULL;

    for (p = strstr(first + nopen, close); p; p = strstr(p + nclose, close)) {
        last = p + nclose;
    }

    if (last == NULL) {
        *first = '\0';
        return;
    }

    memmove(first, last, strlen(last) + 1);
}


static int64_t
at_ai_error_sentence(const at_ai_error_t *e)
{
    char    text[AT_AI_MESSAGE_MAX];
    size_t  i;

    static const char  *const quotes[][2] = {
        { "\"", "\"" }, { "'", "'" }, { "`", "`" },
        { "\xe2\x80\x9c", "\xe2\x80\x9d" }
    };

    (void) snprintf(text, sizeof(text), "%s", at_ai_error_text(e));

    for (i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
        at_ai_error_unquote(text, quotes[i][0], quotes[i][1]);
    }

    return at_retry_after_text((at_str_t) { strlen(text), text });
}


/*
 * The wait the body asks for joins that of the headers.  Sentences can quote
 * the prompt, which is the client's: they count only where a wait belongs to
 * the status, and for some minutes at most.
 */

static void
at_ai_error_wait(at_ai_lane_t *lane, const at_ai_error_t *e, unsigned status)
{
    int64_t  wait;

    wait = (status == 429 || status == 503) ? at_ai_error_sentence(e) : -1;

    if (e->estimated_ms > wait) {
        wait = e->estimated_ms;
    }

    if (wait > AT_AI_WAIT_MAX) {
        wait = AT_AI_WAIT_MAX;
    }

    if (wait > lane->retry_after_ms) {
        lane->retry_after_ms = wait;
    }
}


at_ai_step_e
at_ai_error_end(at_ai_lane_t *lane)
{
    char            size[64];
    const char     *text, *hint;
    at_ai_class_e   class;
    at_ai_error_t  *e;

    e = &at_ai_private(lane)->error;

    at_ai_error_wait(lane, e, lane->status);

    class = at_ai_error_class(e, lane->status);
    text = at_ai_error_text(e);
    hint = "";

    if (text[0] == '\0') {
        at_ai_error_size(lane, size, sizeof(size));
        text = size;
    }

    lane->unknown_url = (e->unknown_url && lane->status == 404);

    if (e->unknown_url) {
        hint = "this address has no images API, correct its path: ";

    } else if (lane->status >= 300 && lane->status <= 399) {
        hint = "redirects are not followed, set the address it moved to";
        text = "";

    } else if (lane->status == 405) {
        hint = "this address takes no POST, correct its path: ";
    }

    /* In brackets: the name of a key and a colon announce a secret. */

    return at_ai_fail(lane, class, "status %u%s%s%s%s%s%s", lane->status,
                      e->code[0] ? " (" : "", e->code, e->code[0] ? ")" : "",
                      (hint[0] || text[0]) ? ": " : "", hint, text);
}


int
at_ai_error_said(const at_ai_error_t *e)
{
    return e->message[0] || e->code[0] || e->status;
}


/* The status of an error inside a 2xx: its own, else that of a refusal. */

static unsigned
at_ai_error_inner(const at_ai_error_t *e)
{
    return e->status ? e->status : 400;
}


int
at_ai_error_refusal(const at_ai_error_t *e)
{
    return at_ai_error_moderated(e, at_ai_error_inner(e));
}


/*
 * The class it would have as an error answer.  "Invalid" it is not called, as
 * nobody knows whose fault it was.
 */

static at_ai_class_e
at_ai_error_wrapped(const at_ai_error_t *e)
{
    at_ai_class_e  class;

    class = at_ai_error_class(e, at_ai_error_inner(e));

    if (class == AT_AI_MODERATED || class == AT_AI_CREDENTIAL) {
        return class;
    }

    if (class == AT_AI_RATE_LIMITED || e->rate || at_ai_error_loading(e)
        || at_ai_error_words(e->message, at_ai_rate_words))
    {
        return AT_AI_RATE_LIMITED;
    }

    return AT_AI_TRANSIENT;
}


at_ai_step_e
at_ai_error_in_success(at_ai_lane_t *lane)
{
    int64_t           wait;
    at_ai_class_e     class;
    at_ai_error_t    *e;
    at_ai_private_t  *p;

    p = at_ai_private(lane);
    e = &p->error;

    class = at_ai_error_wrapped(e);

    if (class == AT_AI_RATE_LIMITED) {
        wait = at_ai_retry_wait(&p->retry, 429);

        if (wait > lane->retry_after_ms) {
            lane->retry_after_ms = wait;
        }

        at_ai_error_wait(lane, e, 429);
    }

    return at_ai_fail(lane, class, "status %u with an error%s%s%s%s%s",
                      lane->status, e->code[0] ? " (" : "", e->code,
                      e->code[0] ? ")" : "", e->message[0] ? ": " : "",
                      e->message);
}
