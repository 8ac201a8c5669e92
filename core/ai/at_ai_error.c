/*
 * Error answers: from status, headers and body to a class and a reason.
 *
 * The body is read as it comes and not kept: JSON fields go through two
 * tables of paths, and of anything else the first bytes are remembered.  The
 * JSON reader lives from the first byte of a body to at_ai_error_reset().
 * The body of a 2xx that carries an error instead of a picture ends up here
 * too, through at_ai_error_value().
 */

#include <stdio.h>
#include <string.h>

#include "at_ai_internal.h"


#define AT_AI_NO_RANK  ((size_t) -1)


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


/* Refusals by providers that have no code for them. */

static const char  *const at_ai_moderated_words[] = {
    "content moderation", "content policy", "safety system",
    "moderation system", NULL
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
    e->unknown_url |= at_str_ieq(text, AT_STR("unknown_url"));

    if (rank < e->code_rank && at_ai_error_code_valid(text)) {
        e->code_rank = rank;
        at_ai_error_copy(e->code, sizeof(e->code), text);
    }
}


void
at_ai_error_value(at_ai_error_t *e, const char *path, at_json_type_e type,
    at_str_t text)
{
    size_t  rank;

    if (type == AT_JSON_NUMBER && strcmp(path, "estimated_time") == 0) {
        e->estimated_ms = at_retry_after(text, 0);
        return;
    }

    if (type != AT_JSON_STRING || text.len == 0) {
        return;
    }

    rank = at_ai_error_rank(at_ai_message_paths, path);

    if (rank < e->message_rank) {
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


/* The wait the body asks for joins that of the headers. */

static void
at_ai_error_wait(at_ai_lane_t *lane, const at_ai_error_t *e)
{
    int64_t      wait;
    const char  *text;

    text = at_ai_error_text(e);
    wait = at_retry_after_text((at_str_t) { strlen(text), text });

    if (e->estimated_ms > wait) {
        wait = e->estimated_ms;
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

    at_ai_error_wait(lane, e);

    class = at_ai_error_class(e, lane->status);
    text = at_ai_error_text(e);
    hint = "";

    if (text[0] == '\0') {
        at_ai_error_size(lane, size, sizeof(size));
        text = size;
    }

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
    return e->message[0] || e->code[0];
}


at_ai_step_e
at_ai_error_in_success(at_ai_lane_t *lane)
{
    at_ai_class_e   class;
    at_ai_error_t  *e;

    e = &at_ai_private(lane)->error;

    at_ai_error_wait(lane, e);

    class = AT_AI_TRANSIENT;

    if (e->moderated) {
        class = AT_AI_MODERATED;

    } else if (at_ai_error_loading(e)) {
        class = AT_AI_RATE_LIMITED;
    }

    return at_ai_fail(lane, class, "status %u with an error%s%s%s: %s",
                      lane->status, e->code[0] ? " (" : "", e->code,
                      e->code[0] ? ")" : "", e->message);
}
