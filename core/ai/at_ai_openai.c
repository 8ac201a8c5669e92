/*
 * Format "openai": POST of JSON to an OpenAI images endpoint.
 *
 * Spoken by OpenAI, xAI, Together, LocalAI, sd-server and most gateways, each
 * with its own idea of sizes; the table of families knows those that refuse
 * what they do not know.  The answer has its picture in data[], as base64, a
 * data URL or a URL that a second call fetches.  Called through the table in
 * at_ai.c; what it builds belongs to the lane.
 */

#include <string.h>

#include "at_ai_internal.h"


#define AT_AI_OPENAI_PROMPT  32000
#define AT_AI_OPENAI_FIXED   128        /* the body but for its two texts */
#define AT_AI_NSIZES(list)   (sizeof(list) / sizeof((list)[0]))


typedef enum {
    AT_AI_SIZE_FREE,            /* "size": any "WxH" */
    AT_AI_SIZE_NEAREST,         /* "size": one of the list, by ratio */
    AT_AI_SIZE_SQUARE,          /* "size": the list's first large enough */
    AT_AI_SIZE_RATIO            /* "aspect_ratio": "W:H" of the list */
} at_ai_sizing_e;


typedef struct {
    at_str_t             prefix;        /* of the model's last path part */
    size_t               prompt_max;
    unsigned             response_format:1;
    at_ai_sizing_e       sizing;
    const at_ai_size_t  *sizes;
    size_t               nsizes;
} at_ai_family_t;


static const at_ai_size_t  at_ai_gpt_image_sizes[] = {
    { 1024, 1024 }, { 1536, 1024 }, { 1024, 1536 }
};

static const at_ai_size_t  at_ai_dalle3_sizes[] = {
    { 1024, 1024 }, { 1792, 1024 }, { 1024, 1792 }
};

static const at_ai_size_t  at_ai_dalle2_sizes[] = {
    { 256, 256 }, { 512, 512 }, { 1024, 1024 }
};

static const at_ai_size_t  at_ai_grok_ratios[] = {
    { 1, 1 }, { 16, 9 }, { 9, 16 }, { 4, 3 }, { 3, 4 }, { 3, 2 }, { 2, 3 }
};


/* The last row, with the empty prefix, is everybody else. */

static const at_ai_family_t  at_ai_families[] = {

    /* Always base64; response_format is a 400 there. */
    { { 9, "gpt-image" }, 32000, 0, AT_AI_SIZE_NEAREST,
      at_ai_gpt_image_sizes, AT_AI_NSIZES(at_ai_gpt_image_sizes) },

    { { 13, "chatgpt-image" }, 32000, 0, AT_AI_SIZE_NEAREST,
      at_ai_gpt_image_sizes, AT_AI_NSIZES(at_ai_gpt_image_sizes) },

    { { 8, "dall-e-3" }, 4000, 1, AT_AI_SIZE_NEAREST,
      at_ai_dalle3_sizes, AT_AI_NSIZES(at_ai_dalle3_sizes) },

    { { 8, "dall-e-2" }, 1000, 1, AT_AI_SIZE_SQUARE,
      at_ai_dalle2_sizes, AT_AI_NSIZES(at_ai_dalle2_sizes) },

    { { 5, "grok-" }, AT_AI_OPENAI_PROMPT, 1, AT_AI_SIZE_RATIO,
      at_ai_grok_ratios, AT_AI_NSIZES(at_ai_grok_ratios) },

    { { 0, "" }, AT_AI_OPENAI_PROMPT, 1, AT_AI_SIZE_FREE, NULL, 0 },
};


static const char  *at_ai_openai_pictures[] = {
    "data[].b64_json", "data[].url", NULL
};


/* Gateways put the vendor in front: "openai/gpt-image-1". */

static const at_ai_family_t *
at_ai_openai_family(at_str_t model)
{
    size_t                 i;
    const at_ai_family_t  *f;

    for (i = model.len; i > 0; i--) {
        if (model.data[i - 1] == '/') {
            model.data += i;
            model.len -= i;
            break;
        }
    }

    for (f = at_ai_families; f->prefix.len; f++) {
        if (model.len >= f->prefix.len
            && at_str_ieq((at_str_t) { f->prefix.len, model.data },
                          f->prefix))
        {
            break;
        }
    }

    return f;
}


static at_ai_size_t
at_ai_openai_square(at_ai_size_t asked, const at_ai_family_t *f)
{
    size_t    i;
    unsigned  side;

    side = (asked.width > asked.height) ? asked.width : asked.height;

    for (i = 0; i < f->nsizes - 1; i++) {
        if (f->sizes[i].width >= side) {
            break;
        }
    }

    return f->sizes[i];
}


static int
at_ai_openai_size(at_ai_lane_t *lane, const at_ai_family_t *f)
{
    at_ai_size_t  size;

    if (!at_ai_size_asked(lane->request, &size)) {
        return AT_OK;
    }

    switch (f->sizing) {

    case AT_AI_SIZE_FREE:
        break;

    case AT_AI_SIZE_NEAREST:
        size = f->sizes[at_ai_size_nearest(size, f->sizes, f->nsizes)];
        break;

    case AT_AI_SIZE_SQUARE:
        size = at_ai_openai_square(size, f);
        break;

    case AT_AI_SIZE_RATIO:
        size = f->sizes[at_ai_size_nearest(size, f->sizes, f->nsizes)];

        return at_buf_printf(&lane->body, ",\"aspect_ratio\":\"%u:%u\"",
                             size.width, size.height);
    }

    return at_buf_printf(&lane->body, ",\"size\":\"%ux%u\"", size.width,
                         size.height);
}


static int
at_ai_openai_body(at_ai_lane_t *lane, const at_ai_family_t *f)
{
    at_buf_t  *b;

    b = &lane->body;

    if (at_buf_reserve(b, AT_AI_OPENAI_FIXED + lane->provider->model.len
                          + lane->sent_prompt.len)
        != AT_OK
        || at_buf_append_str(b, AT_STR("{")) != AT_OK)
    {
        return AT_ERROR;
    }

    if (lane->provider->model.len
        && (at_buf_append_str(b, AT_STR("\"model\":")) != AT_OK
            || at_json_write_string(b, lane->provider->model) != AT_OK
            || at_buf_append_str(b, AT_STR(",")) != AT_OK))
    {
        return AT_ERROR;
    }

    if (at_buf_append_str(b, AT_STR("\"prompt\":")) != AT_OK
        || at_json_write_string(b, at_buf_str(&lane->sent_prompt)) != AT_OK
        || at_buf_append_str(b, AT_STR(",\"n\":1")) != AT_OK
        || at_ai_openai_size(lane, f) != AT_OK)
    {
        return AT_ERROR;
    }

    if (f->response_format
        && at_buf_append_str(b, AT_STR(",\"response_format\":\"b64_json\""))
           != AT_OK)
    {
        return AT_ERROR;
    }

    return at_buf_append_str(b, AT_STR("}"));
}


/* xAI's refusal comes as a 200. */

static int
at_ai_openai_value(at_ai_lane_t *lane, const char *path, at_json_type_e type,
    at_str_t text)
{
    if (type == AT_JSON_BOOL && at_str_is(text, "false")
        && (strcmp(path, "respect_moderation") == 0
            || strcmp(path, "data[].respect_moderation") == 0))
    {
        (void) at_ai_fail(lane, AT_AI_MODERATED,
                          "the answer says respect_moderation: false");
        return AT_ERROR;
    }

    return AT_OK;
}


static const at_ai_shape_t  at_ai_openai_shape = {
    at_ai_openai_pictures,
    at_ai_openai_value
};


static int
at_ai_openai_build(at_ai_lane_t *lane)
{
    const at_ai_family_t  *f;

    f = at_ai_openai_family(lane->provider->model);

    if (at_ai_prompt(lane, f->prompt_max) != AT_OK
        || at_ai_openai_body(lane, f) != AT_OK)
    {
        return AT_ERROR;
    }

    at_ai_private(lane)->answer.shape = &at_ai_openai_shape;

    return at_ai_call_post(lane, AT_STR("application/json"),
                           AT_STR("application/json"));
}


const at_ai_format_t  at_ai_openai = {
    .name = "openai",
    .prompt_max = AT_AI_OPENAI_PROMPT,
    .build = at_ai_openai_build,
    .data = at_ai_answer_data,
    .end = at_ai_answer_end
};
