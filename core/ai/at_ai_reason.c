/*
 * Reasons: one printable line made of whatever a provider said.
 *
 * Every reason of a lane passes through at_ai_reason(), because providers
 * quote what they were sent: OpenAI's 401 repeats part of the key, others
 * echo URLs with signatures.  What looks like a secret becomes "***"; bytes
 * that are not UTF-8, control characters and characters that reorder text do
 * not reach a log.  Works in the caller's buffer, nothing is allocated.
 */

#include <string.h>

#include "at_ai_internal.h"


#define AT_AI_OPAQUE_MIN    20          /* a longer mix of letters, digits */
#define AT_AI_REASON_STOPS  " \"'<>`"   /* what no URL or token holds */


typedef struct {
    char        *out;
    size_t       size;
    size_t       len;
    unsigned     full:1;

    unsigned     url:1;         /* inside a URL */
    unsigned     hide:1;        /* the next word is a secret */
    at_str_t     word;          /* the word before */
} at_ai_mask_t;


static const char  *const at_ai_key_prefixes[] = {
    "sk-", "sk_", "rk-", "pk-", "pk_", "r8_", "hf_", "api_org_", "gsk_",
    "xai-", "fw_", "tgp_", "key-", "AIza", NULL
};


/* Words that have a secret after "=" or ":". */

static const char  *const at_ai_key_words[] = {
    "token", "secret", "password", "signature", "sig", "apikey", "api_key",
    "api-key", "api_token", "access_token", "x-api-key", NULL
};


/* The length of the well-formed character at p, or 0. */

static size_t
at_ai_char_len(const char *p, size_t len)
{
    size_t         n;
    unsigned char  c;

    c = (unsigned char) *p;
    n = (c < 0x80) ? 1 : (c < 0xe0) ? 2 : (c < 0xf0) ? 3 : 4;

    if (n > len || !at_utf8_valid((at_str_t) { n, p })) {
        return 0;
    }

    return n;
}


/* C0, DEL, C1, zero-width, line separators and direction controls. */

static int
at_ai_char_hidden(const char *p, size_t n)
{
    const unsigned char  *u;

    u = (const unsigned char *) p;

    if (n == 1) {
        return u[0] < 0x20 || u[0] == 0x7f;
    }

    if (n == 2) {
        return u[0] == 0xc2 && u[1] < 0xa0;
    }

    if (n == 3 && u[0] == 0xe2) {
        return (u[1] == 0x80 && u[2] >= 0x8b && u[2] <= 0x8f)
               || (u[1] == 0x80 && u[2] >= 0xa8 && u[2] <= 0xae)
               || (u[1] == 0x81 && u[2] >= 0xa0 && u[2] <= 0xaf);
    }

    return n == 3 && u[0] == 0xef && u[1] == 0xbb && u[2] == 0xbf;
}


/* Runs of blanks and hidden characters become one blank. */

static size_t
at_ai_reason_clean(const char *text, char *out, size_t size)
{
    size_t  i, n, len, o;

    len = strlen(text);
    o = 0;
    i = 0;

    while (i < len) {
        n = at_ai_char_len(text + i, len - i);

        if (n == 0) {
            if (o + 1 >= size) {
                break;
            }

            out[o++] = '?';
            i++;
            continue;
        }

        if (text[i] == ' ' || at_ai_char_hidden(text + i, n)) {
            if (o > 0 && out[o - 1] != ' ' && o + 1 < size) {
                out[o++] = ' ';
            }

            i += n;
            continue;
        }

        if (o + n >= size) {
            break;
        }

        memcpy(out + o, text + i, n);
        o += n;
        i += n;
    }

    while (o > 0 && out[o - 1] == ' ') {
        o--;
    }

    out[o] = '\0';

    return o;
}


/* Whole characters only, so a full line is still UTF-8. */

static void
at_ai_mask_put(at_ai_mask_t *m, const char *p, size_t len)
{
    size_t  n;

    while (len && !m->full) {
        n = at_ai_char_len(p, len);

        if (n == 0 || m->len + n >= m->size) {
            m->full = 1;
            break;
        }

        memcpy(m->out + m->len, p, n);
        m->len += n;
        p += n;
        len -= n;
    }

    m->out[m->len] = '\0';
}


static int
at_ai_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}


static int
at_ai_digit(char c)
{
    return c >= '0' && c <= '9';
}


static int
at_ai_word_char(char c)
{
    return at_ai_letter(c) || at_ai_digit(c) || c == '_' || c == '-'
           || c == '*';
}


/* Letters and digits in one long run: a key, a token, a signature. */

static int
at_ai_word_opaque(at_str_t w)
{
    size_t  i, run, digits, letters;

    run = 0;
    digits = 0;
    letters = 0;

    for (i = 0; i < w.len; i++) {

        if (at_ai_digit(w.data[i])) {
            digits++;

        } else if (at_ai_letter(w.data[i])) {
            letters++;

        } else {
            run = 0;
            digits = 0;
            letters = 0;
            continue;
        }

        run++;

        if (run >= AT_AI_OPAQUE_MIN && digits && letters) {
            return 1;
        }
    }

    return 0;
}


/* How much of w may be shown; w.len: all of it. */

static size_t
at_ai_word_shown(at_str_t w)
{
    size_t             n;
    const char *const  *p;

    for (p = at_ai_key_prefixes; *p; p++) {
        n = strlen(*p);

        if (w.len > n + 3 && memcmp(w.data, *p, n) == 0) {
            return n;
        }
    }

    if (memmem(w.data, w.len, "**", 2) || at_ai_word_opaque(w)) {
        return 0;
    }

    return w.len;
}


/* Whether what follows w, and next after it, is a secret. */

static int
at_ai_word_announces(at_str_t w, at_str_t before, char next)
{
    const char *const  *p;

    if (at_str_ieq(w, AT_STR("bearer"))) {
        return next == ' ';
    }

    if (at_str_ieq(w, AT_STR("basic"))
        && at_str_ieq(before, AT_STR("authorization")))
    {
        return next == ' ';
    }

    if (next != ':' && next != '=') {
        return 0;
    }

    if (at_str_ieq(before, AT_STR("key"))
        && at_str_ieq(w, AT_STR("provided")))
    {
        return 1;
    }

    if (at_str_ieq(before, AT_STR("api")) && at_str_ieq(w, AT_STR("key"))) {
        return 1;
    }

    for (p = at_ai_key_words; *p; p++) {
        if (at_str_ieq(w, (at_str_t) { strlen(*p), *p })) {
            return 1;
        }
    }

    return 0;
}


static size_t
at_ai_mask_word(at_ai_mask_t *m, const char *p)
{
    size_t    n, shown;
    at_str_t  w;

    n = 0;

    while (at_ai_word_char(p[n])) {
        n++;
    }

    w = (at_str_t) { n, p };

    if (m->hide) {

        /* A token may hold what ends an ordinary word. */

        while (p[n] && strchr(AT_AI_REASON_STOPS, p[n]) == NULL) {
            n++;
        }

        while (n > w.len && strchr(".,;:!?)]}", p[n - 1])) {
            n--;
        }

        m->hide = 0;
        m->word = AT_STR_NULL;
        at_ai_mask_put(m, "***", 3);

        return n;
    }

    shown = at_ai_word_shown(w);
    at_ai_mask_put(m, p, shown);

    if (shown < n) {
        at_ai_mask_put(m, "***", 3);
    }

    m->url = m->url || strncmp(p + n, "://", 3) == 0;
    m->hide = at_ai_word_announces(w, m->word, p[n]);
    m->word = w;

    return n;
}


void
at_ai_reason(char *out, size_t size, const char *text)
{
    char           line[2 * AT_AI_MESSAGE_MAX];
    size_t         i, n, len;
    at_ai_mask_t   m;

    memset(&m, 0, sizeof(at_ai_mask_t));
    m.out = out;
    m.size = size;
    out[0] = '\0';

    len = at_ai_reason_clean(text, line, sizeof(line));
    i = 0;

    while (i < len && !m.full) {

        if (at_ai_word_char(line[i])) {
            i += at_ai_mask_word(&m, line + i);
            continue;
        }

        if (m.url && line[i] == '?') {
            at_ai_mask_put(&m, "?***", 4);

            while (i < len && strchr(AT_AI_REASON_STOPS, line[i]) == NULL)
            {
                i++;
            }

            continue;
        }

        if (strchr(AT_AI_REASON_STOPS, line[i])) {
            m.url = 0;
        }

        n = at_ai_char_len(line + i, len - i);
        at_ai_mask_put(&m, line + i, n);
        i += n;
    }
}
