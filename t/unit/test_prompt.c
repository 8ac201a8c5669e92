/*
 * The prompt as sent, letter by letter, and what gives way at a limit.
 */

#include "at_test.h"
#include "at_generate.h"
#include "at_text.h"


#define QUALITY   ", high quality, professional photography, 8k resolution"
#define NEGATIVE  "blurry, low quality, distorted, amateur"


typedef struct {
    const char  *prompt;
    const char  *style;
    const char  *room_type;
    const char  *own;           /* negative words */
    unsigned     inlined;
    size_t       max;
    size_t       negative_max;

    const char  *sent;
    const char  *negative;
    int          cut;
} test_row_t;


static const test_row_t  test_rows[] = {
    { "a sofa", "", "", "", 0, 0, 0,
      "a sofa" QUALITY, NEGATIVE, 0 },
    { "a sofa", "modern", "", "", 0, 0, 0,
      "a sofa" QUALITY ", modern style", NEGATIVE, 0 },
    { "a sofa", "", "living room", "", 0, 0, 0,
      "a sofa" QUALITY ", living room interior", NEGATIVE, 0 },
    { "a sofa", "modern", "living room", "people, text", 0, 0, 0,
      "a sofa" QUALITY ", modern style, living room interior",
      NEGATIVE ", people, text", 0 },
    { "a sofa", "modern", "living room", "", 1, 0, 0,
      "a sofa" QUALITY ", modern style, living room interior"
      " | negative: " NEGATIVE, "", 0 },
    { "a sofa", "", "", "people", 1, 0, 0,
      "a sofa" QUALITY " | negative: " NEGATIVE ", people", "", 0 },

    /* 6 + 55 code points: exactly as long as allowed, and one less */

    { "a sofa", "", "", "", 0, 61, 39,
      "a sofa" QUALITY, NEGATIVE, 0 },
    { "a sofa", "", "", "", 0, 60, 0,
      "a sofa" ", high quality, professional photography, 8k resolutio",
      NEGATIVE, 1 },

    /* the prompt gives way, not the product's words */

    { "0123456789012345678901234567890123456789012345678901234567890123456789",
      "", "", "", 0, 120, 0,
      "01234567890123456789012345678901234567890123456789012345678901234"
      QUALITY, NEGATIVE, 1 },
    { "0123456789012345678901234567890123456789012345678901234567890123456789",
      "", "", "", 0, 125, 0,
      "0123456789012345678901234567890123456789012345678901234567890123456789"
      QUALITY, NEGATIVE, 0 },

    /* no blanks before the comma where it was cut */

    { "0123456789012345678901234567890123456789012345678901234567890  x", "",
      "", "", 0, 118, 0,
      "0123456789012345678901234567890123456789012345678901234567890"
      QUALITY, NEGATIVE, 1 },

    /* but it keeps half, and then the end of the whole gives way */

    { "01234567890123456789", "", "", "", 0, 20, 0,
      "0123456789, high qua", NEGATIVE, 1 },
    { "01234", "", "", "", 0, 20, 0,
      "01234, high quality,", NEGATIVE, 1 },
    { "01234", "", "", "", 0, 1, 0, ",", NEGATIVE, 1 },
    { "01234", "", "", "", 0, 2, 0, "0,", NEGATIVE, 1 },

    /* own negative words give way before the prompt: 61 + 13 + 39 = 113 */

    { "a sofa", "", "", "people", 1, 121, 0,
      "a sofa" QUALITY " | negative: " NEGATIVE ", people", "", 0 },
    { "a sofa", "", "", "people", 1, 120, 0,
      "a sofa" QUALITY " | negative: " NEGATIVE ", peopl", "", 1 },
    { "a sofa", "", "", "people", 1, 116, 0,
      "a sofa" QUALITY " | negative: " NEGATIVE ", p", "", 1 },
    { "a sofa", "", "", "people", 1, 115, 0,
      "a sofa" QUALITY " | negative: " NEGATIVE, "", 1 },
    { "a sofa", "", "", "people", 1, 113, 0,
      "a sofa" QUALITY " | negative: " NEGATIVE, "", 1 },
    { "a sofa", "", "", "ab  cd", 1, 118, 0,
      "a sofa" QUALITY " | negative: " NEGATIVE ", ab", "", 1 },

    /* negative_max is for the negative prompt alone: 39 code points */

    { "a sofa", "", "", "people", 0, 0, 47,
      "a sofa" QUALITY, NEGATIVE ", people", 0 },
    { "a sofa", "", "", "people", 0, 0, 46,
      "a sofa" QUALITY, NEGATIVE ", peopl", 1 },
    { "a sofa", "", "", "people", 0, 0, 41,
      "a sofa" QUALITY, NEGATIVE, 1 },
    { "a sofa", "", "", "people", 0, 0, 6,
      "a sofa" QUALITY, "blurry", 1 },
    { "a sofa", "", "", "people", 1, 0, 6,
      "a sofa" QUALITY " | negative: " NEGATIVE ", people", "", 0 },

    /* code points, not bytes */

    { "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "", "", "", 0, 58, 0,
      "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80" QUALITY, NEGATIVE, 0 },
    { "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "", "", "", 0, 4, 0,
      "\xC3\xA9\xE2\x82\xAC, ", NEGATIVE, 1 },
    { "a", "", "", "\xE2\x82\xAC\xF0\x9F\x98\x80", 0, 0, 42,
      "a" QUALITY, NEGATIVE ", \xE2\x82\xAC", 1 }
};


static void
test_request(const test_row_t *row, at_generate_t *g)
{
    memset(g, 0, sizeof(at_generate_t));

    g->prompt = at_test_str(row->prompt);
    g->style = at_test_str(row->style);
    g->room_type = at_test_str(row->room_type);
    g->negative = at_test_str(row->own);
}


static void
test_build(void **state)
{
    int                 cut;
    size_t              i;
    at_buf_t            prompt = { NULL, 0, 0, 0 };
    at_buf_t            negative = { NULL, 0, 0, 0 };
    at_generate_t       g;
    const test_row_t   *row;
    at_prompt_rules_t   rules;

    (void) state;

    for (i = 0; i < AT_TEST_N(test_rows); i++) {
        row = &test_rows[i];
        test_request(row, &g);

        rules.inlined = row->inlined & 1;
        rules.max = row->max;
        rules.negative_max = row->negative_max;

        cut = -1;
        prompt.len = 0;
        negative.len = 0;

        assert_int_equal(at_prompt_build(&g, &rules, &prompt, &negative,
                                         &cut), AT_OK);

        at_test_true(at_str_is(at_buf_str(&prompt), row->sent),
                     "row %zu gave \"%.*s\"", i, (int) prompt.len,
                     (char *) prompt.data);
        at_test_true(at_str_is(at_buf_str(&negative), row->negative),
                     "row %zu gave \"%.*s\"", i, (int) negative.len,
                     (char *) negative.data);
        at_test_true(cut == row->cut, "row %zu", i);
    }

    at_buf_free(&prompt);
    at_buf_free(&negative);
}


/* At every limit: never longer, never a split character, cut as it should. */
static void
test_every_limit(void **state)
{
    int                cut, inlined;
    size_t             max, full, n;
    at_buf_t           prompt = { NULL, 0, 0, 0 };
    at_buf_t           negative = { NULL, 0, 0, 0 };
    at_generate_t      g;
    at_prompt_rules_t  rules;

    (void) state;

    memset(&g, 0, sizeof(at_generate_t));

    g.prompt = AT_STR("\xE2\x82\xAC\xF0\x9F\x98\x80 a b  c \xC3\xA9 sofa");
    g.style = AT_STR("\xC3\xA9tag\xC3\xA8re");
    g.room_type = AT_STR("salle \xC3\xA0 manger");
    g.negative = AT_STR("\xF0\x9F\x98\x80, \xE2\x82\xAC");

    for (inlined = 0; inlined <= 1; inlined++) {
        full = 0;

        for (max = 0; max < 250; max++) {
            rules.inlined = inlined & 1;
            rules.max = max;
            rules.negative_max = max;

            prompt.len = 0;
            negative.len = 0;

            assert_int_equal(at_prompt_build(&g, &rules, &prompt, &negative,
                                             &cut), AT_OK);
            assert_true(at_utf8_valid(at_buf_str(&prompt)));
            assert_true(at_utf8_valid(at_buf_str(&negative)));

            n = at_utf8_count(at_buf_str(&prompt));

            if (max == 0) {
                full = n;
                assert_int_equal(cut, 0);
                continue;
            }

            assert_true(n <= max);
            assert_true(at_utf8_count(at_buf_str(&negative)) <= max);
            assert_int_equal(cut, full > max);
        }
    }

    at_buf_free(&prompt);
    at_buf_free(&negative);
}


/* The buffers are appended to; the limit is for what is new. */
static void
test_appends(void **state)
{
    int                cut;
    at_buf_t           prompt = { NULL, 0, 0, 0 };
    at_generate_t      g;
    at_prompt_rules_t  rules = { 1, 10, 0 };

    (void) state;

    memset(&g, 0, sizeof(at_generate_t));
    g.prompt = AT_STR("abc");

    assert_int_equal(at_buf_append(&prompt, "prompt=", 7), AT_OK);
    assert_int_equal(at_prompt_build(&g, &rules, &prompt, NULL, &cut), AT_OK);
    assert_true(at_str_is(at_buf_str(&prompt), "prompt=abc, high "));
    assert_int_equal(cut, 1);

    at_buf_free(&prompt);

    prompt.max = 20;
    rules.max = 0;
    assert_int_equal(at_prompt_build(&g, &rules, &prompt, NULL, &cut),
                     AT_ERROR);

    at_buf_free(&prompt);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_build),
        cmocka_unit_test(test_every_limit),
        cmocka_unit_test(test_appends)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
