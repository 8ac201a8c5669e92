/*
 * The prompt as providers get it (at_generate.h).
 *
 * The fixed words are the product's and are kept to the letter.  A provider
 * that has no negative field gets the negative prompt behind the prompt, and
 * every provider has its own limit; both come in as rules, so no provider is
 * known here.  The caller owns the buffers and the request.
 */

#include "at_generate.h"
#include "at_text.h"


#define AT_PROMPT_QUALITY                                                    \
    AT_STR(", high quality, professional photography, 8k resolution")
#define AT_PROMPT_NEGATIVE                                                   \
    AT_STR("blurry, low quality, distorted, amateur")

/* The fixed words with all that stands between and around them. */
#define AT_PROMPT_FIXED_MAX  160


static int at_prompt_fixed(const at_generate_t *g, int inlined,
    at_buf_t *fixed);
static int at_prompt_compose(at_buf_t *b, at_str_t words, at_str_t fixed,
    at_str_t own, size_t max, int *cut);
static int at_prompt_shorten(at_str_t *words, at_str_t fixed, at_str_t *own,
    size_t max);
static at_str_t at_prompt_cut(at_str_t s, size_t n);


int
at_prompt_build(const at_generate_t *g, const at_prompt_rules_t *rules,
    at_buf_t *prompt, at_buf_t *negative, int *cut)
{
    int       rc;
    at_buf_t  fixed;

    *cut = 0;

    fixed = (at_buf_t) { NULL, 0, 0, 0 };

    rc = at_prompt_fixed(g, rules->inlined, &fixed);

    if (rc == AT_OK) {
        rc = at_prompt_compose(prompt, g->prompt, at_buf_str(&fixed),
                               rules->inlined ? g->negative : AT_STR_NULL,
                               rules->max, cut);
    }

    if (rc == AT_OK && !rules->inlined && negative) {
        rc = at_prompt_compose(negative, AT_STR_NULL, AT_PROMPT_NEGATIVE,
                               g->negative, rules->negative_max, cut);
    }

    at_buf_free(&fixed);

    return rc;
}


/* All between the prompt and the caller's own negative words. */
static int
at_prompt_fixed(const at_generate_t *g, int inlined, at_buf_t *fixed)
{
    if (at_buf_reserve(fixed, AT_PROMPT_FIXED_MAX + g->style.len
                              + g->room_type.len)
        != AT_OK
        || at_buf_append_str(fixed, AT_PROMPT_QUALITY) != AT_OK)
    {
        return AT_ERROR;
    }

    if (g->style.len > 0
        && (at_buf_append_str(fixed, AT_STR(", ")) != AT_OK
            || at_buf_append_str(fixed, g->style) != AT_OK
            || at_buf_append_str(fixed, AT_STR(" style")) != AT_OK))
    {
        return AT_ERROR;
    }

    if (g->room_type.len > 0
        && (at_buf_append_str(fixed, AT_STR(", ")) != AT_OK
            || at_buf_append_str(fixed, g->room_type) != AT_OK
            || at_buf_append_str(fixed, AT_STR(" interior")) != AT_OK))
    {
        return AT_ERROR;
    }

    if (inlined
        && (at_buf_append_str(fixed, AT_STR(" | negative: ")) != AT_OK
            || at_buf_append_str(fixed, AT_PROMPT_NEGATIVE) != AT_OK))
    {
        return AT_ERROR;
    }

    return AT_OK;
}


/* Appends words, fixed, and own behind a comma, shortened to max. */
static int
at_prompt_compose(at_buf_t *b, at_str_t words, at_str_t fixed, at_str_t own,
    size_t max, int *cut)
{
    size_t    start, len;
    at_str_t  whole;

    start = b->len;
    len = words.len + fixed.len + own.len + 2;

    /* nothing has more code points than bytes */

    if (max != 0 && len > max) {
        *cut |= at_prompt_shorten(&words, fixed, &own, max);
    }

    if (at_buf_reserve(b, len) != AT_OK
        || at_buf_append_str(b, words) != AT_OK
        || at_buf_append_str(b, fixed) != AT_OK)
    {
        return AT_ERROR;
    }

    if (own.len > 0
        && (at_buf_append_str(b, AT_STR(", ")) != AT_OK
            || at_buf_append_str(b, own) != AT_OK))
    {
        return AT_ERROR;
    }

    if (max != 0) {
        whole.data = (const char *) b->data + start;
        whole.len = b->len - start;

        b->len = start + at_utf8_cut(whole, max).len;
    }

    return AT_OK;
}


/* 1 if words or own had to be cut for all of it to have max code points. */
static int
at_prompt_shorten(at_str_t *words, at_str_t fixed, at_str_t *own, size_t max)
{
    size_t  nwords, nfixed, nown, room;

    nwords = at_utf8_count(*words);
    nfixed = at_utf8_count(fixed);
    nown = own->len > 0 ? at_utf8_count(*own) + 2 : 0;

    if (nwords + nfixed + nown <= max) {
        return 0;
    }

    room = max > nwords + nfixed ? max - nwords - nfixed : 0;
    *own = at_prompt_cut(*own, room > 2 ? room - 2 : 0);

    room = max > nfixed ? max - nfixed : 0;

    if (room < max / 2) {
        room = max / 2;
    }

    if (room < nwords) {
        *words = at_prompt_cut(*words, room);
    }

    return 1;
}


/* At most n code points, with no white space left where the end was. */
static at_str_t
at_prompt_cut(at_str_t s, size_t n)
{
    s = at_utf8_cut(s, n);

    while (s.len > 0
           && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'
               || s.data[s.len - 1] == '\r' || s.data[s.len - 1] == '\n'))
    {
        s.len--;
    }

    return s;
}
