/*
 * Text of strangers, made fit to be shown.
 *
 * Titles and names come with entities, HTML, line ends, control characters
 * and broken UTF-8.  What comes out is one line of plain text; it is still
 * a stranger's text, so who puts it into HTML escapes it.  Copies lie in the
 * answer.
 */

#include <string.h>
#include <strings.h>

#include "at_feed_internal.h"


#define AT_FEED_ENTITY_MAX  10      /* bytes between "&" and ";" */


typedef struct {
    const char  *name;
    uint32_t     code;
} at_feed_entity_t;


/* The ones that software writes on its own; XML's five and the frequent. */

static const at_feed_entity_t  at_feed_entities[] = {
    { "amp",    '&' },
    { "lt",     '<' },
    { "gt",     '>' },
    { "quot",   '"' },
    { "apos",   '\'' },
    { "nbsp",   0xA0 },
    { "copy",   0xA9 },
    { "laquo",  0xAB },
    { "reg",    0xAE },
    { "middot", 0xB7 },
    { "raquo",  0xBB },
    { "ndash",  0x2013 },
    { "mdash",  0x2014 },
    { "lsquo",  0x2018 },
    { "rsquo",  0x2019 },
    { "ldquo",  0x201C },
    { "rdquo",  0x201D },
    { "bull",   0x2022 },
    { "hellip", 0x2026 },
    { "trade",  0x2122 }
};

#define AT_FEED_NENTITIES                                                    \
    (sizeof(at_feed_entities) / sizeof(at_feed_entities[0]))


/* Tags between which words do not belong together. */

static const char *const  at_feed_breaks[] = {
    "br", "p", "div", "li", "ul", "ol", "tr", "td", "th", "table", "dd",
    "dt", "dl", "hr", "h1", "h2", "h3", "h4", "h5", "h6", NULL
};

static const char *const  at_feed_hidden[] = { "style", "script", NULL };


/* What was read goes into out, of room for all. */
typedef struct {
    const char  *p;
    const char  *end;
    char        *out;
    size_t       len;
    size_t       left;          /* code points */
    unsigned     blank:1;       /* one is due before the next character */
} at_feed_text_t;


/* 1: a character that shows nothing, or turns the order of what follows. */

static int
at_feed_text_invisible(uint32_t c)
{
    return (c >= 0x200B && c <= 0x200F && c != 0x200C && c != 0x200D)
           || (c >= 0x202A && c <= 0x202E)
           || (c >= 0x2060 && c <= 0x206F)
           || c == 0xAD || c == 0xFEFF || c == 0xFFFE || c == 0xFFFF
           || (c >= 0xFFF9 && c <= 0xFFFB);
}


static int
at_feed_text_blank(uint32_t c)
{
    return c <= ' ' || (c >= 0x7F && c <= 0xA0) || c == 0x1680
           || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029
           || c == 0x202F || c == 0x205F || c == 0x3000;
}


static size_t
at_feed_text_encode(uint32_t c, char out[4])
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

static void
at_feed_text_put(at_feed_text_t *t, uint32_t c)
{
    if (at_feed_text_blank(c)) {
        t->blank = t->len > 0;
        return;
    }

    if (at_feed_text_invisible(c)) {
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

    t->len += at_feed_text_encode(c, t->out + t->len);
    t->left--;
}


/* "#38", "#x26" or a name; 0: none that is known. */

static uint32_t
at_feed_text_code(at_str_t s)
{
    char      c;
    size_t    i;
    uint32_t  code, base, digit;

    if (s.len < 2 || s.data[0] != '#') {

        for (i = 0; i < AT_FEED_NENTITIES; i++) {
            if (at_str_is(s, at_feed_entities[i].name)) {
                return at_feed_entities[i].code;
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


static int
at_feed_text_entity(at_feed_text_t *t)
{
    uint32_t     code;
    const char  *p, *end;

    end = t->end - t->p > AT_FEED_ENTITY_MAX + 2
          ? t->p + AT_FEED_ENTITY_MAX + 2 : t->end;

    p = memchr(t->p, ';', (size_t) (end - t->p));
    if (p == NULL) {
        return 0;
    }

    code = at_feed_text_code((at_str_t) { (size_t) (p - t->p - 1),
                                          t->p + 1 });
    if (code == 0) {
        return 0;
    }

    t->p = p + 1;
    at_feed_text_put(t, code);

    return 1;
}


static int
at_feed_text_named(at_str_t tag, const char *const *names)
{
    for ( /* void */ ; *names; names++) {
        if (at_str_ieq(tag, (at_str_t) { strlen(*names), *names })) {
            return 1;
        }
    }

    return 0;
}


/* Goes on behind "</name": what a style holds is no text. */

static void
at_feed_text_hide(at_feed_text_t *t, at_str_t name)
{
    const char  *p;

    for (p = t->p; (size_t) (t->end - p) > name.len + 2; p++) {
        if (p[0] == '<' && p[1] == '/'
            && strncasecmp(p + 2, name.data, name.len) == 0)
        {
            t->p = p;
            return;
        }
    }

    t->p = t->end;
}


/* A "<" that opens no tag is text. */

static int
at_feed_text_tag(at_feed_text_t *t)
{
    int          closing;
    at_str_t     name;
    const char  *p;

    p = t->p + 1;

    if (t->end - p >= 3 && memcmp(p, "!--", 3) == 0) {
        p = memmem(p + 3, (size_t) (t->end - p - 3), "-->", 3);
        t->p = p ? p + 3 : t->end;

        return 1;
    }

    closing = p < t->end && *p == '/';
    p += closing;

    name = (at_str_t) { 0, p };

    while (p < t->end && (((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')
                          || (p > name.data && *p >= '0' && *p <= '9')))
    {
        p++;
        name.len++;
    }

    if (name.len == 0) {
        return 0;
    }

    p = memchr(p, '>', (size_t) (t->end - p));
    t->p = p ? p + 1 : t->end;

    if (at_feed_text_named(name, at_feed_breaks)) {
        at_feed_text_put(t, ' ');
    }

    if (!closing && at_feed_text_named(name, at_feed_hidden)) {
        at_feed_text_hide(t, name);
    }

    return 1;
}


at_str_t
at_feed_text(at_feed_answer_t *a, at_str_t s, size_t max, int html)
{
    size_t          n;
    at_str_t        rest;
    at_feed_text_t  t;

    if (s.len == 0) {
        return AT_STR_NULL;
    }

    t.p = s.data;
    t.end = s.data + s.len;
    t.len = 0;
    t.left = max;
    t.blank = 0;

    /* In the end only what is used of it stays taken. */

    t.out = at_feed_alloc(a, s.len);
    if (t.out == NULL) {
        return AT_STR_NULL;
    }

    while (t.p < t.end && t.left > 0) {

        if ((*t.p == '&' && at_feed_text_entity(&t))
            || (*t.p == '<' && html && at_feed_text_tag(&t)))
        {
            continue;
        }

        rest = (at_str_t) { (size_t) (t.end - t.p), t.p };
        n = at_utf8_sequence(rest);

        if (n == 0) {
            t.p++;
            continue;
        }

        at_feed_text_put(&t, at_utf8_code(rest));
        t.p += n;
    }

    a->private->blocks->used -= s.len - t.len;

    return (at_str_t) { t.len, t.len ? t.out : NULL };
}


at_str_t
at_feed_text_slug(at_feed_answer_t *a, at_str_t url)
{
    char      word[AT_FEED_URL_MAX];
    size_t    i, n, dash;
    at_str_t  slug;

    slug = at_feed_url_path(url);

    while (slug.len && slug.data[slug.len - 1] == '/') {
        slug.len--;
    }

    slug = at_feed_url_last(slug);

    if (slug.len > sizeof(word)) {
        return AT_STR_NULL;
    }

    n = at_feed_decode(slug, word);

    /* Behind the last dash is the id; without a dash it is all there is. */

    dash = n;

    while (dash > 0 && word[dash - 1] != '-') {
        dash--;
    }

    n = dash ? dash - 1 : 0;

    for (i = 0; i < n; i++) {
        if (word[i] == '-' || word[i] == '_') {
            word[i] = ' ';
        }
    }

    return at_feed_text(a, (at_str_t) { n, word }, AT_FEED_TITLE_MAX, 0);
}
