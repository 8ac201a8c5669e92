/*
 * The settings of a provider: defaults, reading from JSON, writing as JSON.
 *
 * Stateless.  sb_settings_parse() fills a fresh set (members not given have
 * their default, for PUT replaces) or names the first member that is wrong
 * and how; control.c then changes nothing.
 */

#include <stdio.h>
#include <string.h>

#include "sandbox.h"


#define SB_MS_MAX  600000.0


typedef struct {
    const char   *name;
    int         (*set)(sb_settings_t *s, yajl_val v, const char **why);
} sb_member_t;


static const char *const  sb_modes[SB_MODES] = {
    "ok", "rate_limit", "moderated", "truncated", "empty", "hang",
    "hang_body", "drip", "oversized", "status", "garbage", "reset", "failed",
    "wall", "page", "error"
};


/* "|" on both sides of each name makes the search exact. */

static const char *const  sb_variants[SB_MODES] = {
    "",
    "|seconds|http_date|fraction|retry_after_ms|x_ratelimit_reset"
        "|ratelimit_reset|body_text|try_again|none|insufficient_quota"
        "|loading|loading_200|",
    "|moderation_blocked|content_policy_violation|empty_data"
        "|respect_moderation|respect_moderation_top|forbidden"
        "|filtered_header|filtered_json|filtered_artifact|invalid_prompts"
        "|nsfw|nsfw_output|flagged|nsfw_concepts|",
    "|short|cut|base64|json|",
    "|body|no_content|null|json|",
    "",
    "",
    "",
    "|length|chunked|padded|",
    "|json|html|text|empty|",
    "|html|text|gif|tiny|gzip|deep|redirect|bad_url|file_url|bomb|bom|",
    "|start|body|",
    "|error|canceled|aborted|error_list|error_200|unavailable|search"
        "|invalid_key|maxlag|",
    "|captcha|denied|human|portal|overload|",
    "|gone|missing|soft404|home|category|moved|offsite|shell|cut|bare"
        "|bomb|attributes|deep|",
    ""
};


const char *
sb_mode_name(sb_mode_e mode)
{
    return sb_modes[mode];
}


void
sb_settings_default(sb_settings_t *s)
{
    memset(s, 0, sizeof(sb_settings_t));

    s->times = -1;
    s->retry_after = 7;
    s->status = 500;
    s->bytes_per_second = 1000;
    s->remaining = 599;
    s->items = -1;
    s->limit = -1;
    s->long_limit = -1;
    s->pace = 1;
}


static int
sb_number(yajl_val v, double min, double max, double *out)
{
    if (!YAJL_IS_NUMBER(v) || !YAJL_IS_DOUBLE(v)
        || !(YAJL_GET_DOUBLE(v) >= min && YAJL_GET_DOUBLE(v) <= max))
    {
        return SB_ERROR;
    }

    *out = YAJL_GET_DOUBLE(v);

    return SB_OK;
}


static int
sb_integer(yajl_val v, long long min, long long max, long long *out)
{
    if (!YAJL_IS_INTEGER(v) || YAJL_GET_INTEGER(v) < min
        || YAJL_GET_INTEGER(v) > max)
    {
        return SB_ERROR;
    }

    *out = YAJL_GET_INTEGER(v);

    return SB_OK;
}


/* The index of v in the list, which ends with NULL; or SB_ERROR. */

static int
sb_choice(yajl_val v, const char *const *list)
{
    int          i;
    const char  *text;

    text = YAJL_GET_STRING(v);
    if (text == NULL) {
        return SB_ERROR;
    }

    for (i = 0; list[i]; i++) {
        if (strcmp(text, list[i]) == 0) {
            return i;
        }
    }

    return SB_ERROR;
}


static int
sb_set_latency(sb_settings_t *s, yajl_val v, const char **why)
{
    const char  *a, *b;

    *why = "must be milliseconds up to 600000, or {\"min\":a,\"max\":b}, or "
           "{\"p50\":a,\"p95\":b}, with a <= b";

    if (YAJL_IS_NUMBER(v)) {
        s->latency = SB_LATENCY_FIXED;
        return sb_number(v, 0, SB_MS_MAX, &s->latency_a);
    }

    if (!YAJL_IS_OBJECT(v) || v->u.object.len != 2) {
        return SB_ERROR;
    }

    if (sb_json_get(v, "p50")) {
        s->latency = SB_LATENCY_LOGNORMAL;
        a = "p50";
        b = "p95";

    } else {
        s->latency = SB_LATENCY_RANGE;
        a = "min";
        b = "max";
    }

    if (sb_number(sb_json_get(v, a), 0, SB_MS_MAX, &s->latency_a) != SB_OK
        || sb_number(sb_json_get(v, b), 0, SB_MS_MAX, &s->latency_b) != SB_OK
        || s->latency_a > s->latency_b)
    {
        return SB_ERROR;
    }

    if (s->latency == SB_LATENCY_LOGNORMAL && s->latency_a < 1) {
        *why = "p50 must be at least 1";
        return SB_ERROR;
    }

    return SB_OK;
}


static int
sb_set_error_rate(sb_settings_t *s, yajl_val v, const char **why)
{
    *why = "must be a number from 0 to 1";

    return sb_number(v, 0, 1, &s->error_rate);
}


static int
sb_set_mode(sb_settings_t *s, yajl_val v, const char **why)
{
    size_t       i;
    const char  *text;

    *why = "must be one of ok, rate_limit, moderated, truncated, empty, "
           "hang, hang_body, drip, oversized, status, garbage, reset, "
           "failed, wall, page";

    text = YAJL_GET_STRING(v);
    if (text == NULL) {
        return SB_ERROR;
    }

    for (i = 0; i < SB_MODE_ERROR; i++) {
        if (strcmp(text, sb_modes[i]) == 0) {
            s->mode = (sb_mode_e) i;
            return SB_OK;
        }
    }

    return SB_ERROR;
}


static int
sb_set_variant(sb_settings_t *s, yajl_val v, const char **why)
{
    const char  *text;

    *why = "must be a string of 1 to 31 characters";

    text = YAJL_GET_STRING(v);

    if (text == NULL || *text == '\0' || strlen(text) >= sizeof(s->variant)) {
        return SB_ERROR;
    }

    memcpy(s->variant, text, strlen(text) + 1);

    return SB_OK;
}


static int
sb_set_times(sb_settings_t *s, yajl_val v, const char **why)
{
    *why = "must be an integer from 1 to 1000000";

    return sb_integer(v, 1, 1000000, &s->times);
}


static int
sb_set_retry_after(sb_settings_t *s, yajl_val v, const char **why)
{
    *why = "must be seconds from 0 to 86400";

    return sb_number(v, 0, 86400, &s->retry_after);
}


static int
sb_set_status(sb_settings_t *s, yajl_val v, const char **why)
{
    long long  n;

    *why = "must be an integer from 200 to 599";

    if (sb_integer(v, 200, 599, &n) != SB_OK) {
        return SB_ERROR;
    }

    s->status = (unsigned) n;

    return SB_OK;
}


static int
sb_set_bytes_per_second(sb_settings_t *s, yajl_val v, const char **why)
{
    *why = "must be an integer from 1 to 100000000";

    return sb_integer(v, 1, 100000000, &s->bytes_per_second);
}


static const char *const  sb_responses[] = {
    "", "b64", "url", "data_url", NULL
};

static const char *const  sb_formats[] = {
    "", "png", "jpeg", "webp", NULL
};

static const char *const  sb_targets[] = {
    "call", "file", "poll", "download", "robots", "product", "listing", NULL
};

static const char *const  sb_robots[] = {
    "usual", "open", "closed", "none", "large", "delay", NULL
};

static const char *const  sb_outputs[] = {
    "string", "list", NULL
};


static int
sb_set_response(sb_settings_t *s, yajl_val v, const char **why)
{
    int  i;

    *why = "must be one of b64, url, data_url";

    i = sb_choice(v, sb_responses);
    if (i <= 0) {
        return SB_ERROR;
    }

    s->response = (sb_reply_e) i;

    return SB_OK;
}


static int
sb_set_format(sb_settings_t *s, yajl_val v, const char **why)
{
    int  i;

    *why = "must be one of png, jpeg, webp";

    i = sb_choice(v, sb_formats);
    if (i <= 0) {
        return SB_ERROR;
    }

    s->format = (sb_format_e) i;

    return SB_OK;
}


static int
sb_set_on(sb_settings_t *s, yajl_val v, const char **why)
{
    int  i;

    *why = "must be \"call\" (the generation, the search), \"file\" (the "
           "picture's URL), \"poll\" (the prediction's), \"download\" "
           "(Unsplash's), or of a shop \"robots\", \"product\" or "
           "\"listing\"";

    i = sb_choice(v, sb_targets);
    if (i < 0) {
        return SB_ERROR;
    }

    s->on = (sb_target_e) i;

    return SB_OK;
}


static int
sb_set_seed(sb_settings_t *s, yajl_val v, const char **why)
{
    long long  n;

    *why = "must be an integer from 0 to 9007199254740991";

    if (sb_integer(v, 0, 9007199254740991, &n) != SB_OK) {
        return SB_ERROR;
    }

    s->seed = (uint64_t) n;
    s->has_seed = 1;

    return SB_OK;
}


static int
sb_set_queue_ms(sb_settings_t *s, yajl_val v, const char **why)
{
    *why = "must be milliseconds up to 600000";

    return sb_integer(v, 0, (long long) SB_MS_MAX, &s->queue_ms);
}


static int
sb_set_run_ms(sb_settings_t *s, yajl_val v, const char **why)
{
    *why = "must be milliseconds up to 600000";

    return sb_integer(v, 0, (long long) SB_MS_MAX, &s->run_ms);
}


static int
sb_set_remaining(sb_settings_t *s, yajl_val v, const char **why)
{
    *why = "must be an integer from 0 to 1000000";

    return sb_integer(v, 0, 1000000, &s->remaining);
}


static int
sb_set_items(sb_settings_t *s, yajl_val v, const char **why)
{
    *why = "must be an integer from 0 to 16000";

    return sb_integer(v, 0, 16000, &s->items);
}


static int
sb_set_limit(sb_settings_t *s, yajl_val v, const char **why)
{
    *why = "must be an integer from 0 to 1000000";

    return sb_integer(v, 0, 1000000, &s->limit);
}


static int
sb_set_long_limit(sb_settings_t *s, yajl_val v, const char **why)
{
    *why = "must be an integer from 0 to 1000000";

    return sb_integer(v, 0, 1000000, &s->long_limit);
}


static int
sb_set_window_ms(sb_settings_t *s, yajl_val v, const char **why)
{
    *why = "must be milliseconds from 1 to 86400000";

    return sb_integer(v, 1, 86400000, &s->window_ms);
}


static int
sb_set_pace(sb_settings_t *s, yajl_val v, const char **why)
{
    *why = "must be a number from 0 to 100000";

    return sb_number(v, 0, 100000, &s->pace);
}


static int
sb_set_look(sb_settings_t *s, yajl_val v, const char **why)
{
    *why = "must be an integer from 0 to 1000000";

    return sb_integer(v, 0, 1000000, &s->look);
}


static int
sb_set_robots(sb_settings_t *s, yajl_val v, const char **why)
{
    int  i;

    *why = "must be one of usual, open, closed, none, large, delay";

    i = sb_choice(v, sb_robots);
    if (i < 0) {
        return SB_ERROR;
    }

    s->robots = (sb_robots_e) i;

    return SB_OK;
}


static int
sb_set_output(sb_settings_t *s, yajl_val v, const char **why)
{
    int  i;

    *why = "must be \"string\" or \"list\"";

    i = sb_choice(v, sb_outputs);
    if (i < 0) {
        return SB_ERROR;
    }

    s->list = (i == 1);

    return SB_OK;
}


static const sb_member_t  sb_members[] = {
    { "latencyMs", sb_set_latency },
    { "errorRate", sb_set_error_rate },
    { "mode", sb_set_mode },
    { "variant", sb_set_variant },
    { "times", sb_set_times },
    { "retryAfter", sb_set_retry_after },
    { "status", sb_set_status },
    { "bytesPerSecond", sb_set_bytes_per_second },
    { "response", sb_set_response },
    { "format", sb_set_format },
    { "on", sb_set_on },
    { "seed", sb_set_seed },
    { "queueMs", sb_set_queue_ms },
    { "runMs", sb_set_run_ms },
    { "remaining", sb_set_remaining },
    { "output", sb_set_output },
    { "items", sb_set_items },
    { "limit", sb_set_limit },
    { "longLimit", sb_set_long_limit },
    { "windowMs", sb_set_window_ms },
    { "pace", sb_set_pace },
    { "look", sb_set_look },
    { "robots", sb_set_robots },
    { NULL, NULL }
};


/* What no single member can know. */

static const char *
sb_settings_check(const sb_settings_t *s, const char **why)
{
    char         quoted[40];
    const char  *list;

    if (s->variant[0]) {
        list = sb_variants[s->mode];
        snprintf(quoted, sizeof(quoted), "|%s|", s->variant);

        if (strchr(s->variant, '|') || strstr(list, quoted) == NULL) {
            *why = list[0] ? list : "this mode has no variants";
            return "variant";
        }
    }

    if (s->times > 0 && s->mode == SB_MODE_OK) {
        *why = "needs a mode other than ok";
        return "times";
    }

    if (s->on != SB_ON_CALL
        && (s->mode == SB_MODE_MODERATED || s->mode == SB_MODE_FAILED))
    {
        *why = "moderated and failed are for \"on\":\"call\" only";
        return "mode";
    }

    return NULL;
}


int
sb_settings_parse(sb_settings_t *s, yajl_val v, char *member,
    char *message, size_t size)
{
    size_t       i, k;
    const char  *name, *why;

    sb_settings_default(s);

    for (i = 0; i < v->u.object.len; i++) {
        name = v->u.object.keys[i];
        sb_printable(member, size, name);

        for (k = 0; sb_members[k].name; k++) {
            if (strcmp(sb_members[k].name, name) == 0) {
                break;
            }
        }

        if (sb_members[k].name == NULL) {
            snprintf(message, size, "there is no such setting");
            return SB_ERROR;
        }

        /* null means the default, so that what GET says can be PUT. */

        if (YAJL_IS_NULL(v->u.object.values[i])) {
            continue;
        }

        if (sb_members[k].set(s, v->u.object.values[i], &why) != SB_OK) {
            snprintf(message, size, "%s", why);
            return SB_ERROR;
        }
    }

    name = sb_settings_check(s, &why);

    if (name) {
        snprintf(member, size, "%s", name);

        if (why[0] == '|') {
            snprintf(message, size, "mode %s has the variants %s",
                     sb_modes[s->mode], why);

        } else {
            snprintf(message, size, "%s", why);
        }

        return SB_ERROR;
    }

    return SB_OK;
}


/* null for what was not set. */

static void
sb_gen_usual(yajl_gen g, const char *name, long long value, long long usual)
{
    sb_gen_text(g, name);

    if (value == usual) {
        yajl_gen_null(g);

    } else {
        yajl_gen_integer(g, value);
    }
}


void
sb_settings_gen(const sb_settings_t *s, long long left, yajl_gen g)
{
    yajl_gen_map_open(g);

    if (s->latency == SB_LATENCY_FIXED) {
        sb_gen_member_num(g, "latencyMs", s->latency_a);

    } else {
        sb_gen_text(g, "latencyMs");
        yajl_gen_map_open(g);
        sb_gen_member_num(g, s->latency == SB_LATENCY_RANGE ? "min" : "p50",
                          s->latency_a);
        sb_gen_member_num(g, s->latency == SB_LATENCY_RANGE ? "max" : "p95",
                          s->latency_b);
        yajl_gen_map_close(g);
    }

    sb_gen_member_num(g, "errorRate", s->error_rate);
    sb_gen_member(g, "mode", sb_modes[s->mode]);
    sb_gen_member(g, "variant", s->variant[0] ? s->variant : NULL);

    sb_gen_text(g, "times");

    if (left < 0) {
        yajl_gen_null(g);

    } else {
        yajl_gen_integer(g, left);
    }

    sb_gen_member_num(g, "retryAfter", s->retry_after);
    sb_gen_member_int(g, "status", s->status);
    sb_gen_member_int(g, "bytesPerSecond", s->bytes_per_second);
    sb_gen_member(g, "response", s->response ? sb_responses[s->response]
                                             : NULL);
    sb_gen_member(g, "format", s->format ? sb_formats[s->format] : NULL);
    sb_gen_member(g, "on", sb_targets[s->on]);
    sb_gen_member_int(g, "queueMs", s->queue_ms);
    sb_gen_member_int(g, "runMs", s->run_ms);
    sb_gen_member_int(g, "remaining", s->remaining);
    sb_gen_member(g, "output", sb_outputs[s->list]);
    sb_gen_usual(g, "items", s->items, -1);
    sb_gen_usual(g, "limit", s->limit, -1);
    sb_gen_usual(g, "longLimit", s->long_limit, -1);
    sb_gen_usual(g, "windowMs", s->window_ms, 0);
    sb_gen_member_num(g, "pace", s->pace);
    sb_gen_member_int(g, "look", s->look);
    sb_gen_member(g, "robots", sb_robots[s->robots]);

    sb_gen_text(g, "seed");

    if (s->has_seed) {
        yajl_gen_integer(g, (long long) s->seed);

    } else {
        yajl_gen_null(g);
    }

    yajl_gen_map_close(g);
}
