/*
 * Format "stability-v1": Stability's older text-to-image, JSON both ways.
 *
 * The engine is part of the address; a model given besides only tells which
 * sizes it takes.  Artifacts come in an object or, by the old specification,
 * in a bare array; an Accept of a proxy's own can also make it plain bytes.
 * Called through the table in at_ai.c; what it builds belongs to the lane.
 */

#include <string.h>

#include "at_ai_internal.h"


#define AT_AI_V1_PROMPT     2000
#define AT_AI_V1_SIDE       1024        /* when no size is asked */


/* What every other engine takes. */

static const at_ai_range_t  at_ai_v1_range = {
    .step = 64,
    .side_min = 320,
    .side_max = 1536,
    .area_min = 512 * 512,
    .area_max = 1024 * 1024
};


/* All that SDXL 1.0 takes. */

static const at_ai_size_t  at_ai_v1_xl_sizes[] = {
    { 1024, 1024 }, { 1152, 896 }, { 896, 1152 }, { 1216, 832 },
    { 832, 1216 }, { 1344, 768 }, { 768, 1344 }, { 1536, 640 },
    { 640, 1536 }
};


static const char  *at_ai_v1_pictures[] = {
    "artifacts[].base64", "[].base64", NULL
};


static int
at_ai_v1_value(at_ai_lane_t *lane, const char *path, at_json_type_e type,
    at_str_t text)
{
    if (strncmp(path, "artifacts", 9) == 0) {
        path += 9;
    }

    if (strcmp(path, "[].finishReason") == 0 && type == AT_JSON_STRING) {
        return at_ai_stability_finish(lane, text);
    }

    if (strcmp(path, "[].seed") == 0) {
        at_ai_stability_seed(lane, text);
    }

    return AT_OK;
}


static const at_ai_shape_t  at_ai_v1_shape = {
    at_ai_v1_pictures,
    at_ai_v1_value
};


static at_ai_size_t
at_ai_v1_size(at_ai_lane_t *lane)
{
    at_str_t      model;
    at_ai_size_t  asked;

    if (!at_ai_size_asked(lane->request, &asked)) {
        return (at_ai_size_t) { AT_AI_V1_SIDE, AT_AI_V1_SIDE };
    }

    model = lane->provider->model;

    if (model.len && memmem(model.data, model.len, "xl-1024", 7)) {
        return at_ai_v1_xl_sizes[at_ai_size_nearest(asked, at_ai_v1_xl_sizes,
                   sizeof(at_ai_v1_xl_sizes) / sizeof(at_ai_v1_xl_sizes[0]))];
    }

    return at_ai_size_fit(asked, &at_ai_v1_range);
}


static int
at_ai_v1_prompts(at_ai_lane_t *lane)
{
    at_buf_t  *b;

    b = &lane->body;

    if (at_buf_append_str(b, AT_STR("{\"text_prompts\":[{\"text\":"))
        != AT_OK
        || at_json_write_string(b, at_buf_str(&lane->sent_prompt)) != AT_OK
        || at_buf_append_str(b, AT_STR(",\"weight\":1}")) != AT_OK)
    {
        return AT_ERROR;
    }

    if (lane->sent_negative.len
        && (at_buf_append_str(b, AT_STR(",{\"text\":")) != AT_OK
            || at_json_write_string(b, at_buf_str(&lane->sent_negative))
               != AT_OK
            || at_buf_append_str(b, AT_STR(",\"weight\":-1}")) != AT_OK))
    {
        return AT_ERROR;
    }

    return at_buf_append_str(b, AT_STR("]"));
}


static int
at_ai_v1_body(at_ai_lane_t *lane)
{
    at_buf_t      *b;
    at_ai_size_t   size;

    b = &lane->body;
    size = at_ai_v1_size(lane);

    if (at_ai_v1_prompts(lane) != AT_OK
        || at_buf_printf(b, ",\"width\":%u,\"height\":%u,\"samples\":1",
                         size.width, size.height)
           != AT_OK)
    {
        return AT_ERROR;
    }

    /* 0 asks for a random seed there, which is not what the caller meant. */

    if (lane->request->has_seed && lane->request->seed) {
        if (at_buf_printf(b, ",\"seed\":%lu",
                          (unsigned long) lane->request->seed)
            != AT_OK)
        {
            return AT_ERROR;
        }

        at_ai_private(lane)->seed_sent = 1;
    }

    return at_buf_append_str(b, AT_STR("}"));
}


static int
at_ai_v1_build(at_ai_lane_t *lane)
{
    if (at_ai_prompt(lane, AT_AI_V1_PROMPT) != AT_OK
        || at_ai_v1_body(lane) != AT_OK)
    {
        return AT_ERROR;
    }

    at_ai_private(lane)->answer.shape = &at_ai_v1_shape;

    return at_ai_call_post(lane, AT_STR("application/json"),
                           AT_STR("application/json"));
}


const at_ai_format_t  at_ai_stability_v1 = {
    .name = "stability-v1",
    .prompt_max = AT_AI_V1_PROMPT,
    .negative_max = AT_AI_V1_PROMPT,
    .negative = 1,
    .seed = 1,
    .build = at_ai_v1_build,
    .header = at_ai_stability_header,
    .data = at_ai_answer_data,
    .end = at_ai_answer_end
};
