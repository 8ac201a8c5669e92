/*
 * The body of POST /generate, checked, and the prompt made of it.
 *
 * at_generate_parse() either fills a request whose every field is valid or
 * says which field is wrong; nothing is sent to any provider before that.
 * The request owns its strings: at_generate_free() releases them.  After an
 * error it owns nothing.
 */

#ifndef AT_GENERATE_H
#define AT_GENERATE_H


#include "at.h"


#define AT_GENERATE_BODY_MAX      (256 * 1024)   /* bytes */
#define AT_GENERATE_PROMPT_MAX    10000          /* code points */
#define AT_GENERATE_NEGATIVE_MAX  10000
#define AT_GENERATE_WORD_MAX      100            /* style, roomType */
#define AT_GENERATE_SIDE_MIN      64             /* pixels */
#define AT_GENERATE_SIDE_MAX      4096
#define AT_GENERATE_SEED_MAX      4294967294u


typedef struct {
    at_str_t  prompt;           /* all without surrounding white space */
    at_str_t  style;            /* len 0: not given, or blank */
    at_str_t  room_type;
    at_str_t  negative;
    unsigned  width;            /* 0: not given */
    unsigned  height;
    uint32_t  seed;
    unsigned  has_seed:1;
    at_buf_t  store;            /* owns the strings */
} at_generate_t;


/* What is wrong, as the problem+json of the answer says it. */
typedef struct {
    const char  *code;          /* stable: see at_generate_parse() */
    const char  *field;         /* member name, or NULL */
    char         detail[160];   /* one sentence: name, value, remedy; ASCII */
} at_generate_error_t;


/*
 * Codes: "invalid_json" (not JSON, or broken UTF-8 outside a known member),
 * "not_an_object", "missing_field", "wrong_type", "duplicate_field",
 * "empty_field", "too_long", "out_of_range" (-0 too), "invalid_text" (broken
 * UTF-8, an unpaired surrogate, NUL or another control character; tab, CR and
 * LF are allowed in prompt and negativePrompt), "no_memory" (no fault of the
 * body).  null is taken as not given, except for prompt.  Unknown members are
 * ignored.  Lengths are code points.
 *
 * A body that is no JSON or no object is that before anything else; then the
 * first member that is wrong goes, then broken UTF-8 outside of the known
 * members, then a prompt that is missing.
 */
int at_generate_parse(at_str_t body, at_generate_t *g,
    at_generate_error_t *err);
void at_generate_free(at_generate_t *g);

/*
 * Appends the request as JSON: always the same text for the same request,
 * without what was not given; at_generate_parse() makes the same of it.
 */
int at_generate_write(const at_generate_t *g, at_buf_t *b);


/*
 * The prompt as sent: prompt ", high quality, professional photography, 8k
 * resolution" [", {style} style"] [", {roomType} interior"], and the negative
 * prompt "blurry, low quality, distorted, amateur"[", " own].  With inlined
 * set the negative goes behind the prompt as " | negative: ...".
 *
 * max bounds the code points of what is sent (0: none).  If it is passed, the
 * caller's own words give way first, the negative ones before the prompt, but
 * the prompt keeps half of max, as a picture without the wish is of no use;
 * then the end of the whole.  *cut is 1 then, else 0.  negative_max bounds
 * the negative prompt in the same way when it is not inlined.  The buffers
 * are appended to; the caller frees them.  negative may be NULL if inlined.
 */
typedef struct {
    unsigned  inlined:1;
    size_t    max;
    size_t    negative_max;
} at_prompt_rules_t;

int at_prompt_build(const at_generate_t *g, const at_prompt_rules_t *rules,
    at_buf_t *prompt, at_buf_t *negative, int *cut);


#endif /* AT_GENERATE_H */
