/*
 * A price text as a row of tokens (at_shop_token.h).
 */

#include <string.h>

#include "at_plain.h"
#include "at_text.h"
#include "at_shop_number.h"
#include "at_shop_token.h"


/* Digits and signs of other scripts, and what looks like a dash. */

static uint32_t
at_shop_ascii(uint32_t c)
{
    static const uint32_t  zeros[] = {
        0x660, 0x6F0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xBE6, 0xC66, 0xE50, 0xFF10
    };

    size_t  i;

    for (i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++) {
        if (c >= zeros[i] && c <= zeros[i] + 9) {
            return '0' + (c - zeros[i]);
        }
    }

    switch (c) {

    case 0x66B:
        return '.';

    case 0x66C:
        return ',';

    case 0x66A:
        return '%';

    case 0x2019:
        return '\'';

    case 0xD7:
        return 'x';

    case 0x2010:
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2212:
    case '~':
        return '-';

    default:
        return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
    }
}


static int
at_shop_read(at_shop_read_t *r, at_str_t text)
{
    char        plain[AT_SHOP_MONEY_MAX];
    size_t      i, n;
    uint32_t    c;
    at_str_t    rest;
    at_plain_t  t;

    if (text.len == 0 || text.len > AT_SHOP_MONEY_MAX) {
        r->why = text.len ? "too long for a price" : "empty";
        return AT_ERROR;
    }

    t = (at_plain_t) { text.data, text.data + text.len, plain, 0,
                       AT_SHOP_MONEY_MAX, 0 };

    while (t.p < t.end) {
        if (*t.p != '&' || !at_plain_entity(&t)) {
            at_plain_next(&t);
        }
    }

    for (i = 0; i < t.len; i += n) {
        rest = (at_str_t) { t.len - i, plain + i };
        n = at_utf8_sequence(rest);
        c = at_shop_ascii(at_utf8_code(rest));

        if (c < 0x80) {
            r->text[r->len++] = (char) c;

        } else {
            memcpy(r->text + r->len, plain + i, n);
            r->len += n;
        }
    }

    r->text[r->len] = '\0';

    return AT_OK;
}


/* "m.r.p." is a word. */

static void
at_shop_read_mrp(at_shop_read_t *r)
{
    char  *p;

    p = r->text;

    while ((p = strstr(p, "m.r.p")) != NULL) {
        memcpy(p, "mrp  ", 5);
        p += 5;

        if (*p == '.') {
            *p = ' ';
        }
    }
}


static int
at_shop_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (uint8_t) c >= 0x80;
}


/* The length of the number that s, which has a digit, begins with. */

static size_t
at_shop_digits(at_str_t s, int blanks)
{
    char    c;
    size_t  i;

    for (i = 1; i < s.len; i++) {
        c = s.data[i];

        if (at_shop_digit(c)) {
            continue;
        }

        if ((c == '.' || c == ',' || c == '\'') && i + 1 < s.len
            && at_shop_digit(s.data[i + 1]))
        {
            continue;
        }

        if (c == ' ' && blanks && s.len - i > 3
            && at_shop_digit(s.data[i + 1]) && at_shop_digit(s.data[i + 2])
            && at_shop_digit(s.data[i + 3])
            && (s.len - i == 4 || !at_shop_digit(s.data[i + 4])))
        {
            continue;
        }

        break;
    }

    return i;
}


/* 1: a word that multiplies, as in "2.5L"; the number's token gets it. */

static int
at_shop_times(at_str_t word, at_shop_token_t *number)
{
    static const struct {
        const char  *word;
        uint64_t     times;
    } words[] = {
        { "l", 100000 }, { "lakh", 100000 }, { "lakhs", 100000 },
        { "lac", 100000 }, { "lacs", 100000 }, { "cr", 10000000 },
        { "crore", 10000000 }, { "crores", 10000000 }
    };

    size_t  i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (at_str_is(word, words[i].word)) {
            number->times = words[i].times;
            return 1;
        }
    }

    return 0;
}


static size_t
at_shop_word_len(at_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len && at_shop_alpha(s.data[i]); i++) { /* void */ }

    return i;
}


/* What stands directly behind a number. */

static size_t
at_shop_tail(at_str_t rest, at_shop_token_t *number)
{
    char      code[4];
    size_t    n, blank;
    at_str_t  word;

    blank = rest.len && rest.data[0] == ' ';
    word = (at_str_t) { rest.len - blank, rest.data + blank };
    word.len = at_shop_word_len(word);

    if (word.len == 0) {
        return 0;
    }

    if (at_shop_times(word, number)) {
        return blank + word.len;
    }

    if (blank) {
        return 0;
    }

    n = at_shop_currency_at(rest, code);

    if (n == 0) {
        number->glued = 1;
        return word.len;
    }

    return 0;
}


/* The next token of s; returns its length. */

static size_t
at_shop_token(at_shop_read_t *r, at_str_t s, at_shop_token_t *t)
{
    size_t  n;

    memset(t, 0, sizeof(at_shop_token_t));
    t->times = 1;
    t->apart = s.data > r->text && s.data[-1] == ' ';

    if (at_shop_digit(s.data[0])) {
        t->type = AT_SHOP_T_NUMBER;
        n = at_shop_digits(s, at_shop_spaced(r->code));
        t->text = (at_str_t) { n, s.data };

        return n + at_shop_tail((at_str_t) { s.len - n, s.data + n }, t);
    }

    n = at_shop_currency_at(s, t->code);

    if (n) {
        t->type = AT_SHOP_T_CURRENCY;
        t->text = (at_str_t) { n, s.data };

        return n;
    }

    n = at_shop_word_len(s);
    t->type = n ? AT_SHOP_T_WORD : AT_SHOP_T_SIGN;
    t->text = (at_str_t) { n ? n : 1, s.data };

    return t->text.len;
}


/* The currency of the text decides how its numbers are read. */

static void
at_shop_read_code(at_shop_read_t *r)
{
    char        code[4];
    size_t      i, n;
    const char *shop;

    shop = r->hint->currency ? r->hint->currency : "";
    memcpy(r->code, shop, strlen(shop) < 4 ? strlen(shop) + 1 : 0);

    for (i = 0; i < r->len; i += n) {
        n = 1;

        if (at_shop_alpha(r->text[i])
            || strchr("$", r->text[i]) != NULL)
        {
            n = at_shop_currency_at((at_str_t) { r->len - i, r->text + i },
                                    code);

            if (n) {
                if ((code[0] != '$' && code[0] != 'k')
                    || !at_shop_shares(shop, code))
                {
                    memcpy(r->code, code[0] == '$' ? "USD" : code, 4);
                }

                return;
            }

            n = at_shop_word_len((at_str_t) { r->len - i, r->text + i });
            n = n ? n : 1;
        }
    }
}


int
at_shop_tokens(at_shop_read_t *r, at_str_t text)
{
    size_t  i;

    r->why = "no amount";
    r->len = 0;
    r->n = 0;
    memset(r->code, 0, sizeof(r->code));

    if (at_shop_read(r, text) != AT_OK) {
        return AT_ERROR;
    }

    at_shop_read_mrp(r);
    at_shop_read_code(r);

    for (i = 0; i < r->len; /* void */ ) {

        if (r->text[i] == ' ') {
            i++;
            continue;
        }

        if (r->n == AT_SHOP_TOKENS) {
            r->why = "too long for a price";
            return AT_ERROR;
        }

        i += at_shop_token(r, (at_str_t) { r->len - i, r->text + i },
                           &r->tokens[r->n++]);
    }

    return AT_OK;
}
