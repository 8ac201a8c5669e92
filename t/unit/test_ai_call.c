/*
 * The requests of the formats that carry more than a body: replicate's path,
 * headers and inputs by model, and huggingface's parameters.
 */

#include "test_ai.h"


#define TAIL     ", high quality, professional photography, 8k resolution"
#define NEG      "blurry, low quality, distorted, amateur"
#define VERSION  "0123456789abcdef0123456789abcdef"                          \
                 "0123456789abcdef0123456789abcdef"
#define FLUX     "black-forest-labs/flux-schnell"


/* "name: value" lines of the call's headers, "path", then the body. */

static void
expect_call(at_ai_provider_t *p, const at_generate_t *g, const char *path,
    const char *headers, const char *body)
{
    char                 text[4096];
    size_t               i, len;
    at_ai_lane_t        *lane;
    const at_ai_call_t  *call;

    assert_null(at_ai_provider_check(p));

    lane = at_ai_lane_create(p, g, TEST_NOW);
    assert_non_null(lane);
    call = at_ai_lane_call(lane);

    assert_int_equal(call->target, AT_AI_TO_PROVIDER);
    assert_true(at_str_is(call->method, "POST"));

    if (!at_str_is(call->url, path)) {
        fail_msg("path %.*s, not %s", (int) call->url.len, call->url.data,
                 path);
    }

    len = 0;
    text[0] = '\0';

    for (i = 0; i < call->nheaders; i++) {
        len += (size_t) snprintf(text + len, sizeof(text) - len,
                                 "%.*s: %.*s\n",
                                 (int) call->headers[i].name.len,
                                 call->headers[i].name.data,
                                 (int) call->headers[i].value.len,
                                 call->headers[i].value.data);
    }

    assert_string_equal(text, headers);

    assert_true(call->body.len < sizeof(text));
    memcpy(text, call->body.data, call->body.len);
    text[call->body.len] = '\0';
    assert_string_equal(text, body);

    at_ai_lane_free(lane);
}


#define REPLICATE(version, more)                                             \
    "{" version "\"input\":{\"prompt\":\"sofa" TAIL "\","                     \
    "\"negative_prompt\":\"" NEG "\"" more ",\"output_format\":\"png\"}}"

#define TYPES                                                                \
    "Content-Type: application/json\nAccept: application/json\n"


static void
test_replicate_models(void **state)
{
    size_t            i;
    at_generate_t     g;
    at_ai_provider_t  p;

    static const struct {
        const char  *model;
        unsigned     w, h;
        const char  *path, *body;
    } t[] = {
        { FLUX, 0, 0, "models/" FLUX "/predictions", REPLICATE("", "") },
        { FLUX, 1920, 1080, "models/" FLUX "/predictions",
          REPLICATE("", ",\"aspect_ratio\":\"16:9\"") },
        { "google/imagen-4", 640, 480, "models/google/imagen-4/predictions",
          REPLICATE("", ",\"aspect_ratio\":\"4:3\"") },
        { "a/b_c.d-1", 0, 480, "models/a/b_c.d-1/predictions",
          REPLICATE("", ",\"aspect_ratio\":\"1:1\"") },
        { "bytedance/seedream-4", 64, 4096,
          "models/bytedance/seedream-4/predictions",
          REPLICATE("", ",\"aspect_ratio\":\"9:16\"") },
        { "stability-ai/stable-diffusion-3.5-large", 300, 200,
          "models/stability-ai/stable-diffusion-3.5-large/predictions",
          REPLICATE("", ",\"aspect_ratio\":\"3:2\"") },
        { "stability-ai/stable-diffusion-3.5-large", 4096, 1000,
          "models/stability-ai/stable-diffusion-3.5-large/predictions",
          REPLICATE("", ",\"aspect_ratio\":\"21:9\"") },
        { "stability-ai/sdxl:" VERSION, 0, 0, "predictions",
          REPLICATE("\"version\":\"" VERSION "\",", "") },
        { "stability-ai/sdxl:" VERSION, 1000, 700, "predictions",
          REPLICATE("\"version\":\"" VERSION "\",",
                    ",\"width\":1024,\"height\":704") },
        { VERSION, 4096, 4096, "predictions",
          REPLICATE("\"version\":\"" VERSION "\",",
                    ",\"width\":1024,\"height\":1024") },
        { VERSION, 64, 64, "predictions",
          REPLICATE("\"version\":\"" VERSION "\",",
                    ",\"width\":512,\"height\":512") },
        { VERSION, 4096, 64, "predictions",
          REPLICATE("\"version\":\"" VERSION "\",",
                    ",\"width\":2048,\"height\":128") },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        g = test_request("sofa");
        g.width = t[i].w;
        g.height = t[i].h;
        p = test_provider("replicate", t[i].model);
        expect_call(&p, &g, t[i].path, TYPES "Prefer: wait\n", t[i].body);
    }

    p = test_provider("replicate", FLUX);
    g = test_request("sofa");
    g.has_seed = 1;
    expect_call(&p, &g, "models/" FLUX "/predictions", TYPES "Prefer: wait\n",
                REPLICATE("", ",\"seed\":0"));
    g.seed = 4294967294u;
    expect_call(&p, &g, "models/" FLUX "/predictions", TYPES "Prefer: wait\n",
                REPLICATE("", ",\"seed\":4294967294"));
}


static void
test_replicate_refused(void **state)
{
    size_t            i;
    at_generate_t     g;
    at_ai_provider_t  p;

    static const char  *const models[] = {
        "", "flux", "/flux", "owner/", "owner/name/more", "./name",
        "../name", "owner/..", "owner/.", "owner/na me", "owner/na%2fme",
        "owner/name?x", "owner/name#x", "owner/n\xc3\xa9", "owner:name",
        "owner/name:", "owner/name:latest", ("owner/name:" VERSION "0"),
        (":" VERSION), ("owner/name:0123456789ABCDEF0123456789abcdef"
        "0123456789abcdef0123456789abcdef"), (VERSION "0")
    };

    (void) state;

    g = test_request("sofa");

    for (i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        p = test_provider("replicate", models[i]);

        if (at_ai_provider_check(&p) == NULL) {
            fail_msg("the model \"%s\" is taken", models[i]);
        }

        assert_non_null(strstr(at_ai_provider_check(&p), "owner/name"));
        assert_null(at_ai_lane_create(&p, &g, TEST_NOW));
    }

    /* Formats without an opinion. */

    p = test_provider("openai", "anything at all");
    assert_null(at_ai_provider_check(&p));

    p = test_provider("huggingface", "owner/name");
    assert_non_null(strstr(at_ai_provider_check(&p), "address"));
}


static void
test_replicate_times(void **state)
{
    size_t            i;
    at_generate_t     g;
    at_ai_provider_t  p;

    static const struct {
        int64_t      ms;
        const char  *headers;
    } t[] = {
        { 0, TYPES "Prefer: wait\n" },
        { -1, TYPES "Prefer: wait\n" },
        { 1, TYPES "Cancel-After: 61s\n" },
        { 1000, TYPES "Cancel-After: 61s\n" },
        { 1001, TYPES "Cancel-After: 62s\n" },
        { 1999, TYPES "Cancel-After: 62s\n" },
        { 2000, TYPES "Prefer: wait=1\nCancel-After: 62s\n" },
        { 3001, TYPES "Prefer: wait=1\nCancel-After: 64s\n" },
        { 5999, TYPES "Prefer: wait=1\nCancel-After: 66s\n" },
        { 6000, TYPES "Prefer: wait=2\nCancel-After: 66s\n" },
        { 15000, TYPES "Prefer: wait=5\nCancel-After: 75s\n" },
        { 179999, TYPES "Prefer: wait=59\nCancel-After: 240s\n" },
        { 180000, TYPES "Prefer: wait=60\nCancel-After: 240s\n" },
        { 183000, TYPES "Prefer: wait=60\nCancel-After: 243s\n" },
        { 600000, TYPES "Prefer: wait=60\nCancel-After: 660s\n" },
        { 86340000, TYPES "Prefer: wait=60\nCancel-After: 86400s\n" },
        { 86340001, TYPES "Prefer: wait=60\n" },
        { INT64_MAX, TYPES "Prefer: wait=60\n" },
    };

    (void) state;

    g = test_request("sofa");

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        p = test_provider("replicate", FLUX);
        p.timeout_ms = t[i].ms;
        expect_call(&p, &g, "models/" FLUX "/predictions", t[i].headers,
                    REPLICATE("", ""));
    }
}


#define HF(more)                                                             \
    "{\"inputs\":\"sofa" TAIL "\",\"parameters\":{\"negative_prompt\":\"" NEG \
    "\"" more "}}"


static void
test_huggingface(void **state)
{
    size_t            i;
    at_generate_t     g;
    at_ai_provider_t  p;

    static const struct {
        unsigned     w, h;
        const char  *body;
    } t[] = {
        { 0, 0, HF("") },
        { 1024, 1024, HF(",\"width\":1024,\"height\":1024") },
        { 1000, 700, HF(",\"width\":1008,\"height\":704") },
        { 0, 500, HF(",\"width\":496,\"height\":496") },
        { 64, 64, HF(",\"width\":256,\"height\":256") },
        { 1920, 1080, HF(",\"width\":1920,\"height\":1088") },
        { 4096, 4096, HF(",\"width\":1440,\"height\":1440") },
        { 4096, 64, HF(",\"width\":2048,\"height\":256") },
    };

    (void) state;

    p = test_provider("huggingface", "");
    p.timeout_ms = 20000;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        g = test_request("sofa");
        g.width = t[i].w;
        g.height = t[i].h;
        expect_call(&p, &g, "", "Content-Type: application/json\n"
                    "Accept: */*\n", t[i].body);
    }

    g = test_request("a \"red\"\nsofa");
    g.negative = AT_STR("cats");
    g.seed = 9;
    g.has_seed = 1;
    expect_call(&p, &g, "", "Content-Type: application/json\nAccept: */*\n",
                "{\"inputs\":\"a \\\"red\\\"\\nsofa" TAIL "\",\"parameters\":"
                "{\"negative_prompt\":\"" NEG ", cats\",\"seed\":9}}");
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_replicate_models),
        cmocka_unit_test(test_replicate_refused),
        cmocka_unit_test(test_replicate_times),
        cmocka_unit_test(test_huggingface),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
