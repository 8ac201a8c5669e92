/*
 * The requests of the AI formats, byte for byte: JSON as text, multipart
 * taken apart again.
 */

#include "test_ai.h"
#include "ai/at_ai_internal.h"


#define TAIL  ", high quality, professional photography, 8k resolution"
#define NEG   "blurry, low quality, distorted, amateur"


static at_ai_lane_t *
lane_for(at_ai_provider_t *p, const at_generate_t *g)
{
    at_ai_lane_t  *lane;

    lane = at_ai_lane_create(p, g, TEST_NOW);
    assert_non_null(lane);

    return lane;
}


static const at_ai_header_t *
header(const at_ai_call_t *call, const char *name)
{
    size_t  i;

    for (i = 0; i < call->nheaders; i++) {
        if (at_str_is(call->headers[i].name, name)) {
            return &call->headers[i];
        }
    }

    fail_msg("no header %s", name);

    return NULL;
}


static void
expect_body(const char *format, const char *model, const at_generate_t *g,
    const char *body)
{
    char                  text[8192];
    at_ai_lane_t         *lane;
    at_ai_provider_t      p;
    const at_ai_call_t   *call;

    p = test_provider(format, model);
    lane = lane_for(&p, g);
    call = at_ai_lane_call(lane);

    assert_int_equal(call->target, AT_AI_TO_PROVIDER);
    assert_true(at_str_is(call->method, "POST"));
    assert_int_equal(call->url.len, 0);
    assert_true(at_str_is(header(call, "Content-Type")->value,
                          "application/json"));
    assert_true(at_str_is(header(call, "Accept")->value,
                          "application/json"));

    assert_true(call->body.len < sizeof(text));
    memcpy(text, call->body.data, call->body.len);
    text[call->body.len] = '\0';
    assert_string_equal(text, body);

    at_ai_lane_free(lane);
}


static void
test_openai_sizes(void **state)
{
    size_t         i;
    char           body[1024];
    at_generate_t  g;

    static const struct {
        const char  *model;
        unsigned     w, h;
        const char  *after;         /* "n":1 */
    } t[] = {
        { "gpt-image-1", 0, 0, "" },
        { "gpt-image-1", 512, 512, ",\"size\":\"1024x1024\"" },
        { "gpt-image-1-mini", 1920, 1080, ",\"size\":\"1536x1024\"" },
        { "gpt-image-1.5", 1080, 1920, ",\"size\":\"1024x1536\"" },
        { "gpt-image-2", 1100, 1000, ",\"size\":\"1024x1024\"" },
        { "openai/gpt-image-1", 4096, 64, ",\"size\":\"1536x1024\"" },
        { "chatgpt-image-latest", 64, 4096, ",\"size\":\"1024x1536\"" },
        { "dall-e-3", 1920, 1080,
          ",\"size\":\"1792x1024\",\"response_format\":\"b64_json\"" },
        { "dall-e-3", 0, 640,
          ",\"size\":\"1024x1024\",\"response_format\":\"b64_json\"" },
        { "dall-e-3", 768, 1344,
          ",\"size\":\"1024x1792\",\"response_format\":\"b64_json\"" },
        { "dall-e-2", 256, 256,
          ",\"size\":\"256x256\",\"response_format\":\"b64_json\"" },
        { "dall-e-2", 300, 200,
          ",\"size\":\"512x512\",\"response_format\":\"b64_json\"" },
        { "dall-e-2", 4096, 4096,
          ",\"size\":\"1024x1024\",\"response_format\":\"b64_json\"" },
        { "grok-2-image", 1600, 900,
          ",\"aspect_ratio\":\"16:9\",\"response_format\":\"b64_json\"" },
        { "flux", 0, 0, ",\"response_format\":\"b64_json\"" },
        { "flux", 1000, 700,
          ",\"size\":\"1000x700\",\"response_format\":\"b64_json\"" },
        { "flux", 640, 0,
          ",\"size\":\"640x640\",\"response_format\":\"b64_json\"" },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        g = test_request("sofa");
        g.width = t[i].w;
        g.height = t[i].h;

        (void) snprintf(body, sizeof(body), "{\"model\":\"%s\",\"prompt\":"
                        "\"sofa" TAIL " | negative: " NEG "\",\"n\":1%s}",
                        t[i].model, t[i].after);
        expect_body("openai", t[i].model, &g, body);
    }
}


static void
test_openai_text(void **state)
{
    at_generate_t  g;

    (void) state;

    g = test_request("a \"red\"\nsofa \\ \xc3\xa9");
    g.style = AT_STR("modern");
    g.room_type = AT_STR("kitchen");
    g.negative = AT_STR("cats");
    g.seed = 7;
    g.has_seed = 1;

    expect_body("openai", "", &g,
                "{\"prompt\":\"a \\\"red\\\"\\nsofa \\\\ \xc3\xa9" TAIL
                ", modern style, kitchen interior | negative: " NEG
                ", cats\",\"n\":1,\"response_format\":\"b64_json\"}");
}


static void
test_openai_prompt_limits(void **state)
{
    size_t             i;
    char               prompt[9001];
    at_generate_t      g;
    at_ai_lane_t      *lane;
    at_ai_provider_t   p;

    static const struct {
        const char  *model;
        size_t       own;           /* provider's prompt_max */
        size_t       max;           /* 0: not cut */
    } t[] = {
        { "gpt-image-1", 0, 0 },
        { "dall-e-3", 0, 4000 },
        { "dall-e-2", 0, 1000 },
        { "dall-e-2", 500, 500 },
        { "dall-e-2", 20000, 0 },
        { "", 0, 0 },
        { "", 2000, 2000 },
    };

    (void) state;

    memset(prompt, 'x', sizeof(prompt) - 1);
    prompt[sizeof(prompt) - 1] = '\0';

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        g = test_request(prompt);
        p = test_provider("openai", t[i].model);
        p.prompt_max = t[i].own;
        lane = lane_for(&p, &g);

        if (t[i].max) {
            assert_int_equal(lane->sent_prompt.len, t[i].max);
            assert_int_equal(lane->prompt_cut, 1);

        } else {
            assert_true(lane->sent_prompt.len > 9000);
            assert_int_equal(lane->prompt_cut, 0);
        }

        assert_int_equal(lane->sent_negative.len, 0);
        at_ai_lane_free(lane);
    }
}


/* The named field of a multipart body, or NULL; checks the frame. */

static char *
field(const at_ai_call_t *call, const char *name, size_t *count)
{
    char         *text, *p, *next, *value, delimiter[96], head[128];
    size_t        n;
    at_str_t      type;
    static const char  prefix[] = "multipart/form-data; boundary=";

    type = header(call, "Content-Type")->value;
    assert_true(type.len > sizeof(prefix) - 1
                && type.len - sizeof(prefix) < 70);
    assert_memory_equal(type.data, prefix, sizeof(prefix) - 1);
    (void) snprintf(delimiter, sizeof(delimiter), "\r\n--%.*s",
                    (int) (type.len - sizeof(prefix) + 1),
                    type.data + sizeof(prefix) - 1);

    /* The first delimiter has no line before it: put one there. */

    text = malloc(call->body.len + 3);
    assert_non_null(text);
    memcpy(text, "\r\n", 2);
    memcpy(text + 2, call->body.data, call->body.len);
    text[call->body.len + 2] = '\0';

    (void) snprintf(head, sizeof(head), "\r\nContent-Disposition: form-data;"
                    " name=\"%s\"\r\n\r\n", name);

    n = strlen(delimiter);
    value = NULL;
    *count = 0;
    p = text;

    for ( ;; ) {
        assert_memory_equal(p, delimiter, n);
        p += n;

        if (strcmp(p, "--\r\n") == 0) {
            break;
        }

        (*count)++;
        next = strstr(p, delimiter);
        assert_non_null(next);

        if (strncmp(p, head, strlen(head)) == 0) {
            assert_null(value);
            value = strndup(p + strlen(head),
                            (size_t) (next - p) - strlen(head));
        }

        p = next;
    }

    free(text);

    return value;
}


static void
expect_field(at_ai_lane_t *lane, const char *name, const char *value,
    size_t fields)
{
    char    *got;
    size_t   count;

    got = field(at_ai_lane_call(lane), name, &count);

    if (value) {
        assert_non_null(got);
        assert_string_equal(got, value);

    } else {
        assert_null(got);
    }

    assert_int_equal(count, fields);
    free(got);
}


static void
test_stability_fields(void **state)
{
    at_generate_t         g;
    at_ai_lane_t         *lane;
    at_ai_provider_t      p;
    const at_ai_call_t   *call;

    (void) state;

    g = test_request("sofa\r\n--atelier-00\r\n \xc3\xa9");
    p = test_provider("stability", "");
    lane = lane_for(&p, &g);
    call = at_ai_lane_call(lane);

    assert_true(at_str_is(call->method, "POST"));
    assert_int_equal(call->target, AT_AI_TO_PROVIDER);
    assert_true(at_str_is(header(call, "Accept")->value, "image/*"));

    expect_field(lane, "prompt",
                 "sofa\r\n--atelier-00\r\n \xc3\xa9" TAIL, 3);
    expect_field(lane, "negative_prompt", NEG, 3);
    expect_field(lane, "output_format", "png", 3);
    expect_field(lane, "aspect_ratio", NULL, 3);
    expect_field(lane, "seed", NULL, 3);
    expect_field(lane, "model", NULL, 3);
    assert_int_equal(lane->sent_negative.len, strlen(NEG));
    at_ai_lane_free(lane);

    g.negative = AT_STR("cats");
    g.width = 1024;
    g.height = 576;
    g.has_seed = 1;
    g.seed = 4294967294u;
    p = test_provider("stability", "sd3.5-large");
    lane = lane_for(&p, &g);

    expect_field(lane, "negative_prompt", NEG ", cats", 6);
    expect_field(lane, "aspect_ratio", "16:9", 6);
    expect_field(lane, "seed", "4294967294", 6);
    expect_field(lane, "model", "sd3.5-large", 6);
    at_ai_lane_free(lane);

    /* 0 would be taken for "any". */

    g.seed = 0;
    lane = lane_for(&p, &g);
    expect_field(lane, "seed", NULL, 5);
    at_ai_lane_free(lane);
}


static void
test_stability_ratios(void **state)
{
    size_t             i, count;
    char              *ratio;
    at_generate_t      g;
    at_ai_lane_t      *lane;
    at_ai_provider_t   p;

    static const struct {
        unsigned     w, h;
        const char  *ratio;
    } t[] = {
        { 1920, 1080, "16:9" }, { 512, 512, "1:1" }, { 4096, 64, "21:9" },
        { 1000, 1500, "2:3" }, { 1500, 1000, "3:2" }, { 800, 1000, "4:5" },
        { 1280, 1024, "5:4" }, { 1080, 1920, "9:16" }, { 64, 4096, "9:21" },
        { 1024, 768, "5:4" }, { 700, 0, "1:1" }, { 0, 900, "1:1" },
    };

    (void) state;

    p = test_provider("stability", "");

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        g = test_request("sofa");
        g.width = t[i].w;
        g.height = t[i].h;

        lane = lane_for(&p, &g);
        ratio = field(at_ai_lane_call(lane), "aspect_ratio", &count);
        assert_non_null(ratio);
        assert_string_equal(ratio, t[i].ratio);
        free(ratio);
        at_ai_lane_free(lane);
    }
}


static at_str_t
boundary(at_ai_lane_t *lane)
{
    at_str_t  s;

    s = header(at_ai_lane_call(lane), "Content-Type")->value;
    s.data += strlen("multipart/form-data; boundary=");
    s.len -= strlen("multipart/form-data; boundary=");

    return s;
}


/* The same request has the same bytes. */

static void
test_stability_boundary(void **state)
{
    char               prompt[4096];
    size_t             i, n;
    at_str_t           b;
    at_generate_t      g;
    at_ai_lane_t      *lane, *again;
    at_ai_provider_t   p;

    (void) state;

    p = test_provider("stability", "");
    prompt[0] = '\0';

    for (i = 0; i < 64; i++) {
        g = test_request(prompt[0] ? prompt : "x");
        lane = lane_for(&p, &g);
        again = lane_for(&p, &g);
        b = boundary(lane);

        assert_true(at_str_eq(b, boundary(again)));
        assert_null(memmem(g.prompt.data, g.prompt.len, b.data, b.len));
        expect_field(lane, "output_format", "png", 3);

        n = strlen(prompt);
        (void) snprintf(prompt + n, sizeof(prompt) - n, "\r\n--%.*s",
                        (int) b.len, b.data);

        at_ai_lane_free(lane);
        at_ai_lane_free(again);
    }
}


/* Candidates that stand in a value are passed over. */

static void
test_boundary_taken(void **state)
{
    char           out[32];
    at_ai_field_t  fields[2];

    (void) state;

    fields[0].name = "a";
    fields[0].value = AT_STR("x");
    fields[1].name = "b";
    fields[1].value = AT_STR("y");

    at_ai_boundary(fields, 2, 0xfe, out);
    assert_string_equal(out, "atelier-00000000000000fe");

    fields[0].value = AT_STR("--atelier-00000000000000fe--");
    fields[1].value = AT_STR("atelier-0000000000000100\r\n"
                             "atelier-00000000000000ff");

    at_ai_boundary(fields, 2, 0xfe, out);
    assert_string_equal(out, "atelier-0000000000000101");
}


static void
test_stability_v1_body(void **state)
{
    at_generate_t  g;

    (void) state;

    g = test_request("sofa");
    expect_body("stability-v1", "", &g,
                "{\"text_prompts\":[{\"text\":\"sofa" TAIL "\",\"weight\":1},"
                "{\"text\":\"" NEG "\",\"weight\":-1}],\"width\":1024,"
                "\"height\":1024,\"samples\":1}");

    g.width = 768;
    g.height = 512;
    g.seed = 42;
    g.has_seed = 1;
    expect_body("stability-v1", "", &g,
                "{\"text_prompts\":[{\"text\":\"sofa" TAIL "\",\"weight\":1},"
                "{\"text\":\"" NEG "\",\"weight\":-1}],\"width\":768,"
                "\"height\":512,\"samples\":1,\"seed\":42}");
}


static void
test_stability_v1_sizes(void **state)
{
    size_t             i;
    unsigned           w, h;
    char              *at;
    char               body[4096];
    at_generate_t      g;
    at_ai_lane_t      *lane;
    at_ai_provider_t   p;

    static const struct {
        const char  *model;
        unsigned     w, h, to_w, to_h;
    } t[] = {
        { "", 1024, 768, 1024, 768 },
        { "", 1000, 700, 1024, 704 },
        { "", 1920, 1080, 1344, 768 },
        { "", 64, 64, 512, 512 },
        { "", 320, 240, 576, 512 },
        { "", 640, 400, 640, 448 },
        { "", 64, 4096, 320, 1536 },
        { "", 4096, 64, 1536, 320 },
        { "", 4096, 1024, 1536, 512 },
        { "", 640, 0, 640, 640 },
        { "", 4096, 4096, 1024, 1024 },
        { "stable-diffusion-xl-1024-v1-0", 1920, 1080, 1344, 768 },
        { "stable-diffusion-xl-1024-v1-0", 512, 512, 1024, 1024 },
        { "stable-diffusion-xl-1024-v1-0", 64, 4096, 640, 1536 },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        g = test_request("sofa");
        g.width = t[i].w;
        g.height = t[i].h;
        p = test_provider("stability-v1", t[i].model);
        lane = lane_for(&p, &g);

        (void) snprintf(body, sizeof(body), "%.*s",
                        (int) at_ai_lane_call(lane)->body.len,
                        at_ai_lane_call(lane)->body.data);
        at = strstr(body, "\"width\":");
        assert_non_null(at);
        assert_int_equal(sscanf(at, "\"width\":%u,\"height\":%u", &w, &h),
                         2);
        assert_int_equal(w, t[i].to_w);
        assert_int_equal(h, t[i].to_h);
        at_ai_lane_free(lane);
    }
}


/* Whatever can be asked, the engines take it. */

static void
test_stability_v1_range(void **state)
{
    unsigned       w, h, area;
    at_ai_size_t   size;
    at_ai_range_t  range;

    (void) state;

    memset(&range, 0, sizeof(at_ai_range_t));
    range.step = 64;
    range.side_min = 320;
    range.side_max = 1536;
    range.area_min = 512 * 512;
    range.area_max = 1024 * 1024;

    for (w = AT_GENERATE_SIDE_MIN; w <= AT_GENERATE_SIDE_MAX; w++) {
        for (h = AT_GENERATE_SIDE_MIN; h <= AT_GENERATE_SIDE_MAX; h++) {
            size = at_ai_size_fit((at_ai_size_t) { w, h }, &range);
            area = size.width * size.height;

            if (size.width % 64 || size.height % 64
                || size.width < 320 || size.width > 1536
                || size.height < 320 || size.height > 1536
                || area < 512 * 512 || area > 1024 * 1024
                || (w > h && size.width < size.height)
                || (w < h && size.width > size.height))
            {
                fail_msg("%ux%u becomes %ux%u", w, h, size.width,
                         size.height);
            }
        }
    }
}


static void
test_stability_v1_limit(void **state)
{
    char               prompt[9001];
    at_generate_t      g;
    at_ai_lane_t      *lane;
    at_ai_provider_t   p;

    (void) state;

    memset(prompt, 'x', sizeof(prompt) - 1);
    prompt[sizeof(prompt) - 1] = '\0';

    g = test_request(prompt);
    g.negative = test_str(prompt);
    p = test_provider("stability-v1", "");
    lane = lane_for(&p, &g);

    assert_int_equal(lane->sent_prompt.len, 2000);
    assert_int_equal(lane->sent_negative.len, 2000);
    assert_int_equal(lane->prompt_cut, 1);
    at_ai_lane_free(lane);

    /* What the operator sets holds for both, but widens only the prompt. */

    p.prompt_max = 500;
    lane = lane_for(&p, &g);
    assert_int_equal(lane->sent_prompt.len, 500);
    assert_int_equal(lane->sent_negative.len, 500);
    at_ai_lane_free(lane);

    p.prompt_max = 3000;
    lane = lane_for(&p, &g);
    assert_int_equal(lane->sent_prompt.len, 3000);
    assert_int_equal(lane->sent_negative.len, 2000);
    at_ai_lane_free(lane);
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_openai_sizes),
        cmocka_unit_test(test_openai_text),
        cmocka_unit_test(test_openai_prompt_limits),
        cmocka_unit_test(test_stability_fields),
        cmocka_unit_test(test_stability_ratios),
        cmocka_unit_test(test_stability_boundary),
        cmocka_unit_test(test_boundary_taken),
        cmocka_unit_test(test_stability_v1_body),
        cmocka_unit_test(test_stability_v1_sizes),
        cmocka_unit_test(test_stability_v1_range),
        cmocka_unit_test(test_stability_v1_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
