/*
 * Format "huggingface": POST of JSON to one model's address at the router.
 *
 * The request is that of Hugging Face's own hosts, {"inputs","parameters"}.
 * The answer is whatever the host behind the router gives: the picture's
 * bytes, or JSON with base64, data URLs or URLs in one of several places.  A
 * model that is not in memory is a refusal for now with the time it takes to
 * load, as a 503 or, on older paths, as a 200.  Called through the table in
 * at_ai.c; what it builds belongs to the lane.
 *
 * Partners at the router that want their own request have a format of their
 * own here: "openai" for an images endpoint, "replicate" for predictions.
 */

#include <string.h>

#include "at_ai_internal.h"


#define AT_AI_HF_PROMPT  10000


/* What pipelines of diffusion models take. */

static const at_ai_range_t  at_ai_hf_range = {
    .step = 16,
    .side_min = 256,
    .side_max = 2048,
    .area_min = 256 * 256,
    .area_max = 2048 * 1024
};


static const char  *at_ai_hf_pictures[] = {
    "data[].b64_json", "data[].url", "images[]", "images[].url",
    "images[].image", "output[]", "output", NULL
};


static const char *
at_ai_hf_check(const at_ai_provider_t *provider)
{
    if (provider->model.len) {
        return "the model stands in the address of the provider's location "
               "and is not given besides";
    }

    return NULL;
}


/* Some hosts say of a blackened picture only that it is one. */

static int
at_ai_hf_value(at_ai_lane_t *lane, const char *path, at_json_type_e type,
    at_str_t text)
{
    if (type == AT_JSON_BOOL && at_str_is(text, "true")
        && strcmp(path, "has_nsfw_concepts[]") == 0)
    {
        (void) at_ai_fail(lane, AT_AI_MODERATED,
                          "the answer says has_nsfw_concepts: true");
        return AT_ERROR;
    }

    if (type == AT_JSON_NUMBER && strcmp(path, "seed") == 0) {
        at_ai_stability_seed(lane, text);
    }

    return AT_OK;
}


static const at_ai_shape_t  at_ai_hf_shape = {
    at_ai_hf_pictures,
    at_ai_hf_value
};


static int
at_ai_hf_body(at_ai_lane_t *lane)
{
    at_buf_t      *b;
    at_ai_size_t   size;

    b = &lane->body;

    if (at_buf_append_str(b, AT_STR("{\"inputs\":")) != AT_OK
        || at_json_write_string(b, at_buf_str(&lane->sent_prompt)) != AT_OK
        || at_buf_append_str(b, AT_STR(",\"parameters\":"
                                       "{\"negative_prompt\":"))
           != AT_OK
        || at_json_write_string(b, at_buf_str(&lane->sent_negative))
           != AT_OK)
    {
        return AT_ERROR;
    }

    if (at_ai_size_asked(lane->request, &size)) {
        size = at_ai_size_fit(size, &at_ai_hf_range);

        if (at_buf_printf(b, ",\"width\":%u,\"height\":%u", size.width,
                          size.height)
            != AT_OK)
        {
            return AT_ERROR;
        }
    }

    if (lane->request->has_seed) {
        if (at_buf_printf(b, ",\"seed\":%lu",
                          (unsigned long) lane->request->seed)
            != AT_OK)
        {
            return AT_ERROR;
        }

        at_ai_private(lane)->seed_sent = 1;
    }

    return at_buf_append_str(b, AT_STR("}}"));
}


static int
at_ai_hf_build(at_ai_lane_t *lane)
{
    if (at_ai_prompt(lane, AT_AI_HF_PROMPT) != AT_OK
        || at_ai_hf_body(lane) != AT_OK)
    {
        return AT_ERROR;
    }

    at_ai_private(lane)->answer.shape = &at_ai_hf_shape;

    /* As the vendor's own client: which types a host knows is its affair. */

    return at_ai_call_post(lane, AT_STR("application/json"), AT_STR("*/*"));
}


const at_ai_format_t  at_ai_huggingface = {
    .name = "huggingface",
    .prompt_max = AT_AI_HF_PROMPT,
    .negative_max = AT_AI_HF_PROMPT,
    .negative = 1,
    .seed = 1,
    .check = at_ai_hf_check,
    .build = at_ai_hf_build,
    .data = at_ai_answer_data,
    .end = at_ai_answer_end
};
