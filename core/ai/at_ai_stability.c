/*
 * Format "stability": the v2beta API of Stability, multipart in, bytes out.
 *
 * The request is multipart/form-data although it has no file, and knows
 * ratios instead of pixels.  The answer is the picture itself, with its
 * verdict and seed in headers, or JSON with the same three.  Called through
 * the table in at_ai.c; what it builds belongs to the lane.  The verdict and
 * the seed mean the same in v1, which uses the functions here.
 */

#include <stdio.h>
#include <string.h>

#include "at_ai_internal.h"


#define AT_AI_STABILITY_PROMPT  10000
#define AT_AI_FIELDS_MAX        6


static const at_ai_size_t  at_ai_stability_ratios[] = {
    { 16, 9 }, { 1, 1 }, { 21, 9 }, { 2, 3 }, { 3, 2 }, { 4, 5 }, { 5, 4 },
    { 9, 16 }, { 9, 21 }
};


static const char  *at_ai_stability_pictures[] = { "image", NULL };


/* AT_ERROR: the picture must not be used, and the lane says why. */

int
at_ai_stability_finish(at_ai_lane_t *lane, at_str_t reason)
{
    if (reason.len == 0 || at_str_ieq(reason, AT_STR("SUCCESS"))) {
        return AT_OK;
    }

    if (at_str_ieq(reason, AT_STR("CONTENT_FILTERED"))) {
        (void) at_ai_fail(lane, AT_AI_MODERATED,
                          "finish reason CONTENT_FILTERED");

    } else {
        (void) at_ai_fail(lane, AT_AI_TRANSIENT, "finish reason %.*s",
                          (int) (reason.len < 64 ? reason.len : 64),
                          reason.data);
    }

    return AT_ERROR;
}


/* The first seed that is a number; another one is of another picture. */

void
at_ai_stability_seed(at_ai_lane_t *lane, at_str_t text)
{
    size_t    i;
    uint64_t  n;

    if (lane->has_seed || text.len == 0 || text.len > 10) {
        return;
    }

    n = 0;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return;
        }

        n = n * 10 + (uint64_t) (text.data[i] - '0');
    }

    if (n <= UINT32_MAX) {
        lane->seed = (uint32_t) n;
        lane->has_seed = 1;
    }
}


void
at_ai_stability_header(at_ai_lane_t *lane, at_str_t name, at_str_t value)
{
    /* A result host has no say in it. */

    if (lane->call.target != AT_AI_TO_PROVIDER
        || !at_ai_status_2xx(lane->status))
    {
        return;
    }

    if (at_str_ieq(name, AT_STR("Finish-Reason"))) {
        if (lane->class == AT_AI_CLASS_NONE) {
            (void) at_ai_stability_finish(lane, value);
        }

    } else if (at_str_ieq(name, AT_STR("Seed"))) {
        at_ai_stability_seed(lane, value);
    }
}


static int
at_ai_stability_value(at_ai_lane_t *lane, const char *path,
    at_json_type_e type, at_str_t text)
{
    if (strcmp(path, "finish_reason") == 0 && type == AT_JSON_STRING) {
        return at_ai_stability_finish(lane, text);
    }

    if (strcmp(path, "seed") == 0) {
        at_ai_stability_seed(lane, text);
    }

    return AT_OK;
}


static const at_ai_shape_t  at_ai_stability_shape = {
    at_ai_stability_pictures,
    at_ai_stability_value
};


static void
at_ai_stability_add(at_ai_field_t *fields, size_t *n, const char *name,
    at_str_t value)
{
    fields[*n].name = name;
    fields[*n].value = value;
    (*n)++;
}


static at_str_t
at_ai_stability_ratio(at_ai_size_t asked, char *out, size_t size)
{
    int           len;
    at_ai_size_t  r;

    r = at_ai_stability_ratios[at_ai_size_nearest(asked,
            at_ai_stability_ratios, sizeof(at_ai_stability_ratios)
                                    / sizeof(at_ai_stability_ratios[0]))];

    len = snprintf(out, size, "%u:%u", r.width, r.height);

    return (at_str_t) { (size_t) len, out };
}


static int
at_ai_stability_build(at_ai_lane_t *lane)
{
    int            len;
    char           ratio[16], seed[16];
    size_t         n;
    at_ai_size_t   asked;
    at_ai_field_t  fields[AT_AI_FIELDS_MAX];

    if (at_ai_prompt(lane, AT_AI_STABILITY_PROMPT) != AT_OK) {
        return AT_ERROR;
    }

    n = 0;

    at_ai_stability_add(fields, &n, "prompt",
                        at_buf_str(&lane->sent_prompt));

    if (lane->sent_negative.len) {
        at_ai_stability_add(fields, &n, "negative_prompt",
                            at_buf_str(&lane->sent_negative));
    }

    if (at_ai_size_asked(lane->request, &asked)) {
        at_ai_stability_add(fields, &n, "aspect_ratio",
                            at_ai_stability_ratio(asked, ratio,
                                                  sizeof(ratio)));
    }

    /* 0 asks for a random seed there, which is not what the caller meant. */

    if (lane->request->has_seed && lane->request->seed) {
        len = snprintf(seed, sizeof(seed), "%lu",
                       (unsigned long) lane->request->seed);
        at_ai_stability_add(fields, &n, "seed",
                            (at_str_t) { (size_t) len, seed });
        at_ai_private(lane)->seed_sent = 1;
    }

    at_ai_stability_add(fields, &n, "output_format", AT_STR("png"));

    if (lane->provider->model.len) {
        at_ai_stability_add(fields, &n, "model", lane->provider->model);
    }

    at_ai_private(lane)->answer.shape = &at_ai_stability_shape;

    if (at_ai_multipart(fields, n, &lane->body, &lane->text) != AT_OK) {
        return AT_ERROR;
    }

    return at_ai_call_post(lane, at_buf_str(&lane->text),
                           AT_STR("image/*"));
}


const at_ai_format_t  at_ai_stability = {
    .name = "stability",
    .prompt_max = AT_AI_STABILITY_PROMPT,
    .negative_max = AT_AI_STABILITY_PROMPT,
    .negative = 1,
    .seed = 1,
    .build = at_ai_stability_build,
    .header = at_ai_stability_header,
    .data = at_ai_answer_data,
    .end = at_ai_answer_end
};
