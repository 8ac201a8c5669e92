/*
 * Text of strangers, made one line of plain text (at_plain.h).
 */

#include <string.h>

#include "at_plain.h"
#include "at_text.h"


#define AT_PLAIN_ENTITY_MAX  10     /* bytes between "&" and ";" */


typedef struct {
    const char  *name;
    uint32_t     code;
} at_plain_entity_t;


/* The ones that software writes on its own; XML's five and the frequent. */

static const at_plain_entity_t  at_plain_entities[] = {
    { "amp",    '&' },
    { "lt",     '<' },
    { "gt",     '>' },
    { "quot",   '"' },
    { "apos",   '\'' },
    { "nbsp",   0xA0 },
    { "cent",   0xA2 },
    { "pound",  0xA3 },
    { "yen",    0xA5 },
    { "copy",   0xA9 },
    { "laquo",  0xAB },
    { "reg",    0xAE },
    { "middot", 0xB7 },
    { "raquo",  0xBB },
    { "frac12", 0xBD },
    { "times",  0xD7 },
    { "szlig",  0xDF },
    { "auml",   0xE4 },
    { "eacute", 0xE9 },
    { "ouml",   0xF6 },
    { "uuml",   0xFC },
    { "ensp",   0x2002 },
    { "emsp",   0x2003 },
    { "thinsp", 0x2009 },
    { "ndash",  0x2013 },
    { "mdash",  0x2014 },
    { "lsquo",  0x2018 },
    { "rsquo",  0x2019 },
    { "ldquo",  0x201C },
    { "rdquo",  0x201D },
    { "bull",   0x2022 },
    { "hellip", 0x2026 },
    { "euro",   0x20AC },
    { "trade",  0x2122 }
};

#define AT_PLAIN_NENTITIES                                                    \
    (sizeof(at_plain_entities) / sizeof(at_plain_entities[0]))


/* 1: a character that shows nothing, or turns the order of what follows. */

static int
at_plain_invisible(uint32_t c)
{
    return (c >= 0x200B && c <= 0x200F && c != 0x200C && c != 0x200D)
           || (c >= 0x202A && c <= 0x202E)
           || (c >= 0x2060 && c <= 0x206F)
           || c == 0xAD || c == 0xFEFF || c == 0xFFFE || c == 0xFFFF
           || (c >= 0xFFF9 && c <= 0xFFFB);
}


static int
at_plain_blank(uint32_t c)
{
    return c <= ' ' || (c >= 0x7F && c <= 0xA0) || c == 0x1680
           || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029
           || c == 0x202F || c == 0x205F || c == 0x3000;
}


static size_t
at_plain_encode(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char) c;
        return 1;
    }

    if (c < 0x800) {
        out[0] = (char) (0xC0 | c >> 6);
        out[1] = (char) (0x80 | (c & 0x3F));
        return 2;
    }

    if (c < 0x10000) {
        out[0] = (char) (0xE0 | c >> 12);
        out[1] = (char) (0x80 | (c >> 6 & 0x3F));
        out[2] = (char) (0x80 | (c & 0x3F));
        return 3;
    }

    out[0] = (char) (0xF0 | c >> 18);
    out[1] = (char) (0x80 | (c >> 12 & 0x3F));
    out[2] = (char) (0x80 | (c >> 6 & 0x3F));
    out[3] = (char) (0x80 | (c & 0x3F));

    return 4;
}


/* The text never gets longer: a blank stands for a byte at least. */

void
at_plain_put(at_plain_t *t, uint32_t c)
{
    if (at_plain_blank(c)) {
        t->blank = t->len > 0;
        return;
    }

    if (at_plain_invisible(c)) {
        return;
    }

    if (t->blank) {
        t->blank = 0;

        if (t->left < 2) {
            t->left = 0;
            return;
        }

        t->out[t->len++] = ' ';
        t->left--;
    }

    t->len += at_plain_encode(c, t->out + t->len);
    t->left--;
}


/* "#38", "#x26" or a name; 0: none that is known. */

static uint32_t
at_plain_code(at_str_t s)
{
    char      c;
    size_t    i;
    uint32_t  code, base, digit;

    if (s.len < 2 || s.data[0] != '#') {

        for (i = 0; i < AT_PLAIN_NENTITIES; i++) {
            if (at_str_is(s, at_plain_entities[i].name)) {
                return at_plain_entities[i].code;
            }
        }

        return 0;
    }

    base = (s.data[1] | 0x20) == 'x' ? 16 : 10;
    code = 0;

    for (i = base == 16 ? 2 : 1; i < s.len; i++) {
        c = s.data[i];

        if (c >= '0' && c <= '9') {
            digit = (uint32_t) (c - '0');

        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = (uint32_t) ((c | 0x20) - 'a') + 10;

        } else {
            return 0;
        }

        code = code * base + digit;

        if (digit >= base || code > 0x10FFFF) {
            return 0;
        }
    }

    return code >= 0xD800 && code <= 0xDFFF ? 0 : code;
}


int
at_plain_entity(at_plain_t *t)
{
    uint32_t     code;
    const char  *p, *end;

    end = t->end - t->p > AT_PLAIN_ENTITY_MAX + 2
          ? t->p + AT_PLAIN_ENTITY_MAX + 2 : t->end;

    p = memchr(t->p, ';', (size_t) (end - t->p));
    if (p == NULL) {
        return 0;
    }

    code = at_plain_code((at_str_t) { (size_t) (p - t->p - 1),
                                          t->p + 1 });
    if (code == 0) {
        return 0;
    }

    t->p = p + 1;
    at_plain_put(t, code);

    return 1;
}


void
at_plain_next(at_plain_t *t)
{
    size_t    n;
    at_str_t  rest;

    rest = (at_str_t) { (size_t) (t->end - t->p), t->p };
    n = at_utf8_sequence(rest);

    if (n == 0) {
        t->p++;
        return;
    }

    at_plain_put(t, at_utf8_code(rest));
    t->p += n;
}
