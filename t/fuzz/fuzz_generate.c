/*
 * at_generate_parse() and at_prompt_build(): a body that passes is within all
 * its bounds, one that does not gets a code and a sentence, and the prompt
 * made of it keeps the limits it was given.
 *
 * The first three bytes of the input choose the rules of the prompt, the rest
 * is the body.
 */

#include "fuzz.h"
#include "at_generate.h"
#include "at_text.h"


static const char *const  fuzz_codes[] = {
    "invalid_json", "not_an_object", "missing_field", "wrong_type",
    "duplicate_field", "empty_field", "too_long", "out_of_range",
    "invalid_text", "no_memory"
};


static void
fuzz_error(const at_generate_error_t *err)
{
    size_t  i;

    for (i = 0; strcmp(err->code, fuzz_codes[i]) != 0; i++) {
        FUZZ_CHECK(i + 1 < sizeof(fuzz_codes) / sizeof(char *));
    }

    FUZZ_CHECK(memchr(err->detail, '\0', sizeof(err->detail)) != NULL);
    FUZZ_CHECK(err->detail[0] != '\0');

    for (i = 0; err->detail[i]; i++) {
        FUZZ_CHECK(err->detail[i] >= ' ' && err->detail[i] <= '~');
    }
}


static void
fuzz_text(at_str_t s, size_t max)
{
    size_t  i;

    FUZZ_CHECK(at_utf8_valid(s));
    FUZZ_CHECK(at_utf8_count(s) <= max);

    for (i = 0; i < s.len; i++) {
        FUZZ_CHECK((uint8_t) s.data[i] >= ' ' || s.data[i] == '\t'
                   || s.data[i] == '\r' || s.data[i] == '\n');
    }
}


static void
fuzz_request(const at_generate_t *g)
{
    FUZZ_CHECK(g->prompt.len > 0);
    fuzz_text(g->prompt, AT_GENERATE_PROMPT_MAX);
    fuzz_text(g->negative, AT_GENERATE_NEGATIVE_MAX);
    fuzz_text(g->style, AT_GENERATE_WORD_MAX);
    fuzz_text(g->room_type, AT_GENERATE_WORD_MAX);

    FUZZ_CHECK(g->width == 0 || (g->width >= AT_GENERATE_SIDE_MIN
                                 && g->width <= AT_GENERATE_SIDE_MAX));
    FUZZ_CHECK(g->height == 0 || (g->height >= AT_GENERATE_SIDE_MIN
                                  && g->height <= AT_GENERATE_SIDE_MAX));
    FUZZ_CHECK(!g->has_seed || g->seed <= AT_GENERATE_SEED_MAX);
}


static void
fuzz_prompt(const at_generate_t *g, const at_prompt_rules_t *rules)
{
    int       cut;
    at_buf_t  prompt, negative;

    memset(&prompt, 0, sizeof(at_buf_t));
    memset(&negative, 0, sizeof(at_buf_t));
    cut = -1;

    FUZZ_CHECK(at_prompt_build(g, rules, &prompt,
                               rules->inlined ? NULL : &negative, &cut)
               == AT_OK);
    FUZZ_CHECK(cut == 0 || cut == 1);
    FUZZ_CHECK(cut == 0 || rules->max || rules->negative_max);
    FUZZ_CHECK(at_utf8_valid(at_buf_str(&prompt)));
    FUZZ_CHECK(at_utf8_valid(at_buf_str(&negative)));
    FUZZ_CHECK(rules->max == 0
               || at_utf8_count(at_buf_str(&prompt)) <= rules->max);
    FUZZ_CHECK(rules->negative_max == 0
               || at_utf8_count(at_buf_str(&negative)) <= rules->negative_max);

    at_buf_free(&prompt);
    at_buf_free(&negative);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_in_t            in = { data, data + size };
    at_generate_t        g;
    at_prompt_rules_t    rules;
    at_generate_error_t  err;

    memset(&rules, 0, sizeof(at_prompt_rules_t));
    rules.inlined = fuzz_byte(&in) & 1;
    rules.max = fuzz_byte(&in);
    rules.negative_max = fuzz_byte(&in);

    memset(&g, 0, sizeof(at_generate_t));
    memset(&err, 0, sizeof(at_generate_error_t));

    if (at_generate_parse(fuzz_rest(&in), &g, &err) != AT_OK) {
        fuzz_error(&err);
        return 0;
    }

    fuzz_request(&g);
    fuzz_prompt(&g, &rules);

    at_generate_free(&g);

    return 0;
}
