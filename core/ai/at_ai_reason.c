/*
 * Reasons: one printable line made of whatever a provider said.
 *
 * Every reason of a lane passes through at_ai_reason(), because providers
 * quote what they were sent: OpenAI's 401 repeats part of the key, others
 * echo headers, URLs with signatures or whole requests.  What looks like a
 * secret becomes "***": the value behind a name such as api_key, in JSON, in
 * a header or in a sentence; the user part and the query of a URL; a word
 * that begins as keys do; and long mixes of letters and digits.  In doubt a
 * word too many is hidden.  Bytes that are not UTF-8, control characters and
 * characters nobody sees do not reach a log.  Works in the caller's buffer,
 * nothing is allocated.
 */

#include <string.h>

#include "at_ai_internal.h"


#define AT_AI_OPAQUE_MIN    20          /* a longer mix of letters, digits */
#define AT_AI_OPAQUE_TURNS  4           /* abC3: b to C and C to 3 */
#define AT_AI_REST_MIN      8           /* of what follows a masked word */
#define AT_AI_REASON_STOPS  " \"'<>`"   /* what no URL or token holds */
#define AT_AI_QUOTES        "\"'`"


typedef enum {
    AT_AI_KEY_NONE,
    AT_AI_KEY_WORD,             /* one word behind it is a secret */
    AT_AI_KEY_LINE              /* all behind it is */
} at_ai_key_e;


typedef struct {
    char        *out;
    size_t       size;
    size_t       len;
    unsigned     full:1;

    const char  *in;            /* the cleaned line, NUL-ended */
    size_t       pos;
    unsigned     url:1;         /* inside a URL */
    unsigned     rest:1;        /* the word before was masked for its looks */
} at_ai_mask_t;


static const char  *const at_ai_key_prefixes[] = {
    "sk-", "sk_", "rk-", "pk-", "pk_", "r8_", "hf_", "api_org_", "gsk_",
    "xai-", "fw_", "tgp_", "key-", "AIza", "eyJ", NULL
};


/*
 * Ends of names that have a secret behind them, without "-" and "_".  Those
 * of the second list may have several words.
 */

static const char  *const at_ai_key_words[] = {
    "key", "token", "secret", "password", "passwd", "passphrase", "pwd",
    "signature", "sig", "credential", "credentials", "jwt", "session", NULL
};

static const char  *const at_ai_key_lines[] = {
    "authorization", "auth", "cookie", NULL
};


/* What may stand between the name and its value: "API key provided: ". */

static const char  *const at_ai_key_nouns[] = {
    "provided", "given", "used", "received", "sent", "value", "header", "is",
    "was", NULL
};


static const char  *const at_ai_auth_schemes[] = {
    "bearer", "basic", "token", "key", "apikey", "api-key", NULL
};


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


/* strchr() finds the NUL, too. */

static int
at_ai_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}


static int
at_ai_word_listed(at_str_t w, const char *const *list)
{
    for ( /* void */ ; *list; list++) {
        if (at_str_ieq(w, (at_str_t) { strlen(*list), *list })) {
            return 1;
        }
    }

    return 0;
}


/*
 * What nobody sees.  Some of it parts words, and becomes a blank; the rest
 * can stand inside of a word, and must not part a secret.
 */

static int
at_ai_code_blank(uint32_t c)
{
    return c <= 0x20 || (c >= 0x7f && c <= 0x9f)
           || c == 0x2028 || c == 0x2029;
}


static int
at_ai_code_hidden(uint32_t c)
{
    return c == 0xad || c == 0x61c || c == 0x180e
           || (c >= 0x200b && c <= 0x200f)
           || (c >= 0x202a && c <= 0x202e)
           || (c >= 0x2060 && c <= 0x206f)
           || c == 0xfeff
           || (c >= 0xfff9 && c <= 0xfffb)
           || (c >= 0xe0000 && c <= 0xe0fff);
}


/* Runs of blanks become one, "\/" of JSON in JSON becomes "/". */

static void
at_ai_reason_clean(const char *text, char *out, size_t size)
{
    size_t    n, o;
    at_str_t  s;
    uint32_t  code;

    s = (at_str_t) { strlen(text), text };
    o = 0;

    for ( /* void */ ; s.len; s.data += n, s.len -= n) {
        n = at_utf8_sequence(s);

        code = (n > 0) ? at_utf8_code(s) : '?';
        n = (n > 0) ? n : 1;

        if (at_ai_code_hidden(code)
            || (code == '\\' && s.len > 1 && s.data[1] == '/')
            || (at_ai_code_blank(code) && (o == 0 || out[o - 1] == ' ')))
        {
            continue;
        }

        if (o + n >= size) {
            break;
        }

        if (at_ai_code_blank(code)) {
            out[o++] = ' ';

        } else if (code == '?') {
            out[o++] = '?';

        } else {
            memcpy(out + o, s.data, n);
            o += n;
        }
    }

    while (o > 0 && out[o - 1] == ' ') {
        o--;
    }

    out[o] = '\0';
}


/* Whole characters only, so a full line is still UTF-8. */

static void
at_ai_mask_put(at_ai_mask_t *m, const char *p, size_t len)
{
    size_t  n;

    while (len && !m->full) {
        n = at_utf8_sequence((at_str_t) { len, p });

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


/* Shows the line up to end. */

static void
at_ai_mask_show(at_ai_mask_t *m, size_t end)
{
    at_ai_mask_put(m, m->in + m->pos, end - m->pos);
    m->pos = end;
}


static void
at_ai_mask_hide(at_ai_mask_t *m, size_t end)
{
    at_ai_mask_put(m, "***", 3);
    m->pos = end;
}


static size_t
at_ai_mask_blanks(const at_ai_mask_t *m, size_t i)
{
    while (m->in[i] == ' ') {
        i++;
    }

    return i;
}


/* The end of the URL or token at i. */

static size_t
at_ai_mask_token(const at_ai_mask_t *m, size_t i)
{
    while (m->in[i] && !at_ai_one_of(m->in[i], AT_AI_REASON_STOPS)) {
        i++;
    }

    return i;
}


static at_str_t
at_ai_mask_word(const at_ai_mask_t *m, size_t i)
{
    size_t  n;

    n = i;

    while (at_ai_word_char(m->in[n])) {
        n++;
    }

    return (at_str_t) { n - i, m->in + i };
}


/* Whether name ends in one of the list, "-" and "_" left out. */

static int
at_ai_name_ends(at_str_t name, const char *const *list)
{
    char    plain[32];
    size_t  i, n, len;

    n = sizeof(plain);

    for (i = name.len; i > 0 && n > 0; i--) {
        if (name.data[i - 1] != '-' && name.data[i - 1] != '_') {
            plain[--n] = name.data[i - 1];
        }
    }

    for ( /* void */ ; *list; list++) {
        len = strlen(*list);

        if (len <= sizeof(plain) - n
            && at_str_ieq((at_str_t) { len, plain + sizeof(plain) - len },
                          (at_str_t) { len, *list }))
        {
            return 1;
        }
    }

    return 0;
}


static at_ai_key_e
at_ai_name_key(at_str_t name)
{
    while (name.len && at_ai_digit(name.data[name.len - 1])) {
        name.len--;
    }

    if (at_ai_name_ends(name, at_ai_key_lines)) {
        return AT_AI_KEY_LINE;
    }

    return at_ai_name_ends(name, at_ai_key_words) ? AT_AI_KEY_WORD
                                                  : AT_AI_KEY_NONE;
}


/*
 * Where the value begins of a name that ends at i, or 0: name: v, name=v,
 * "name":"v", name provided: v, name "v".
 */

static size_t
at_ai_mask_value_at(const at_ai_mask_t *m, at_str_t name, size_t i)
{
    int       n;
    char      before;
    size_t    k;
    unsigned  quoted;
    at_str_t  w;

    before = (name.data > m->in) ? name.data[-1] : ' ';
    quoted = at_ai_one_of(before, AT_AI_QUOTES);

    while (quoted && (m->in[i] == before || m->in[i] == '\\')) {
        i++;
    }

    for (n = 0; n < 2; n++) {
        k = at_ai_mask_blanks(m, i);
        w = at_ai_mask_word(m, k);

        if (k == i || !at_ai_word_listed(w, at_ai_key_nouns)) {
            break;
        }

        i = k + w.len;
    }

    k = at_ai_mask_blanks(m, i);

    if (at_ai_one_of(m->in[k], ":=")) {
        while (at_ai_one_of(m->in[k], ":=> ")) {
            k++;
        }

        return k;
    }

    /* The quote behind 'name' may begin something else. */

    return (!quoted && k > i && at_ai_one_of(m->in[k], AT_AI_QUOTES "<"))
           ? k : 0;
}


/* "***" between the quotes; the one that ends it may be missing. */

static void
at_ai_mask_quoted(at_ai_mask_t *m)
{
    char      quote;
    size_t    end;
    unsigned  escaped;

    escaped = (m->in[m->pos] == '\\');
    at_ai_mask_show(m, m->pos + escaped + 1);

    quote = m->in[m->pos - 1];
    end = m->pos;

    while (m->in[end]
           && (m->in[end] != quote
               || (m->in[end - 1] == '\\') != (int) escaped))
    {
        end++;
    }

    at_ai_mask_hide(m, (m->in[end] && escaped) ? end - 1 : end);
}


static void
at_ai_mask_value(at_ai_mask_t *m, at_ai_key_e key)
{
    size_t    end;
    at_str_t  w;

    if (at_ai_one_of(m->in[m->pos], AT_AI_QUOTES)
        || (m->in[m->pos] == '\\'
            && at_ai_one_of(m->in[m->pos + 1], AT_AI_QUOTES)))
    {
        at_ai_mask_quoted(m);
        return;
    }

    if (m->in[m->pos] == '<') {
        at_ai_mask_show(m, m->pos + 1);
    }

    w = at_ai_mask_word(m, m->pos);

    if (at_ai_word_listed(w, at_ai_auth_schemes)
        && m->in[m->pos + w.len] == ' ')
    {
        at_ai_mask_show(m, m->pos + w.len + 1);
        key = AT_AI_KEY_WORD;
    }

    if (key == AT_AI_KEY_LINE || at_ai_one_of(m->in[m->pos], "{[(")) {
        at_ai_mask_hide(m, m->pos + strlen(m->in + m->pos));
        return;
    }

    end = at_ai_mask_token(m, m->pos);

    while (end > m->pos && at_ai_one_of(m->in[end - 1], ".,;:!?)]}")) {
        end--;
    }

    if (end > m->pos) {
        at_ai_mask_hide(m, end);
    }
}


/*
 * The letters, digits and signs that keys, tokens, base64 and hashes are made
 * of.  In a URL the parts of a path are words of their own.
 */

static at_str_t
at_ai_mask_run(const at_ai_mask_t *m)
{
    size_t  end;

    end = m->pos;

    while (at_ai_word_char(m->in[end])
           || (!m->url && at_ai_one_of(m->in[end], "+/.")))
    {
        end++;
    }

    while (m->in[end] == '=') {
        end++;
    }

    while (end > m->pos && m->in[end - 1] == '.') {
        end--;
    }

    return (at_str_t) { end - m->pos, m->in + m->pos };
}


/* 8-4-4-4-12: names a request, is no key. */

static int
at_ai_run_uuid(at_str_t s)
{
    size_t  i;

    if (s.len != 36) {
        return 0;
    }

    for (i = 0; i < s.len; i++) {
        if ((i == 8 || i == 13 || i == 18 || i == 23)
            ? s.data[i] != '-'
            : !at_ai_one_of(s.data[i], "0123456789abcdefABCDEF"))
        {
            return 0;
        }
    }

    return 1;
}


/*
 * Words change from letters to digits or from small letters to capitals once
 * or twice, secrets all the time.
 */

static int
at_ai_run_opaque(at_str_t s, size_t min, unsigned turns)
{
    char      c, last;
    size_t    i, run;
    unsigned  turned, digits, letters, digit;

    run = 0;
    turned = 0;
    digits = 0;
    letters = 0;
    digit = 0;
    last = ' ';

    for (i = 0; i < s.len; i++, last = c) {
        c = s.data[i];

        if (!at_ai_letter(c) && !at_ai_digit(c)) {
            run = 0;
            digits = 0;
            letters = 0;
            continue;
        }

        run++;
        digits += at_ai_digit(c) != 0;
        letters += at_ai_letter(c) != 0;
        digit |= (digits != 0);

        turned += (at_ai_digit(c) && at_ai_letter(last))
                  || (at_ai_letter(c) && at_ai_digit(last))
                  || (c >= 'A' && c <= 'Z' && last >= 'a' && last <= 'z');

        if (run >= AT_AI_OPAQUE_MIN && digits && letters) {
            return 1;
        }
    }

    return s.len >= min && turned >= turns && digit && !at_ai_run_uuid(s);
}


/* 1: the word at pos is a name with a secret, and both are dealt with. */

static int
at_ai_mask_named(at_ai_mask_t *m, at_str_t name)
{
    size_t       end, value;
    at_str_t     next;
    at_ai_key_e  key;

    end = m->pos + name.len;

    if (at_str_ieq(name, AT_STR("bearer")) && m->in[end] == ' ') {
        next = at_ai_mask_word(m, end + 1);

        if (at_ai_name_key(next) == AT_AI_KEY_NONE) {
            at_ai_mask_show(m, end + 1);
            at_ai_mask_value(m, AT_AI_KEY_WORD);
            return 1;
        }
    }

    key = at_ai_name_key(name);

    if (key == AT_AI_KEY_NONE) {
        return 0;
    }

    value = at_ai_mask_value_at(m, name, end);

    if (value == 0 || m->in[value] == '\0') {
        return 0;
    }

    if (at_ai_run_opaque(name, AT_AI_OPAQUE_MIN, AT_AI_OPAQUE_TURNS)) {
        at_ai_mask_hide(m, end);
    }

    at_ai_mask_show(m, value);
    at_ai_mask_value(m, key);

    return 1;
}


/* 1: the word at pos looks like a secret, and is hidden. */

static int
at_ai_mask_secret(at_ai_mask_t *m)
{
    size_t              n;
    at_str_t            run;
    const char *const  *p;

    run = at_ai_mask_run(m);

    for (p = at_ai_key_prefixes; *p; p++) {
        n = strlen(*p);

        if (run.len > n + 3 && memcmp(run.data, *p, n) == 0) {
            at_ai_mask_put(m, *p, n);
            at_ai_mask_hide(m, m->pos + run.len);
            m->rest = 1;
            return 1;
        }
    }

    if (memmem(run.data, run.len, "**", 2)
        || at_ai_run_opaque(run, AT_AI_OPAQUE_MIN, AT_AI_OPAQUE_TURNS)
        || (m->rest && at_ai_run_opaque(run, AT_AI_REST_MIN, 2)))
    {
        at_ai_mask_hide(m, m->pos + run.len);
        m->rest = 1;
        return 1;
    }

    m->rest = 0;

    return 0;
}


/* Behind "//": the user part goes, and all if it is not clear which it is. */

static void
at_ai_mask_url(at_ai_mask_t *m)
{
    size_t  i, end, at, query;

    at_ai_mask_show(m, m->pos + 2);
    m->url = 1;

    end = at_ai_mask_token(m, m->pos);
    query = m->pos + strcspn(m->in + m->pos, "?#");
    at = 0;

    for (i = m->pos; i < end; i++) {
        if (m->in[i] == '@') {
            at = i + 1;

            if (i >= query) {
                at_ai_mask_hide(m, end);
                return;
            }
        }
    }

    if (at) {
        at_ai_mask_hide(m, at - 1);
    }
}


void
at_ai_reason(char *out, size_t size, const char *text)
{
    char          line[2 * AT_AI_MESSAGE_MAX];
    size_t        n;
    at_str_t      word;
    at_ai_mask_t  m;

    at_ai_reason_clean(text, line, sizeof(line));

    memset(&m, 0, sizeof(at_ai_mask_t));
    m.out = out;
    m.size = size;
    m.in = line;
    out[0] = '\0';

    while (line[m.pos] && !m.full) {

        if (at_ai_word_char(line[m.pos])) {
            word = at_ai_mask_word(&m, m.pos);

            if (!at_ai_mask_named(&m, word) && !at_ai_mask_secret(&m)) {
                at_ai_mask_show(&m, m.pos + word.len);
            }

            continue;
        }

        if (line[m.pos] == '/' && line[m.pos + 1] == '/') {
            at_ai_mask_url(&m);
            continue;
        }

        if (m.url && at_ai_one_of(line[m.pos], "?#")) {
            at_ai_mask_show(&m, m.pos + 1);
            at_ai_mask_hide(&m, at_ai_mask_token(&m, m.pos));
            continue;
        }

        if (at_ai_one_of(line[m.pos], AT_AI_REASON_STOPS)) {
            m.url = 0;
        }

        n = at_utf8_sequence((at_str_t) { strlen(line + m.pos),
                                          line + m.pos });
        at_ai_mask_show(&m, m.pos + n);
    }
}
