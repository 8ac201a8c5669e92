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
#include "../at_plain.h"


/* Tags between which words do not belong together. */

static const char *const  at_feed_breaks[] = {
    "br", "p", "div", "li", "ul", "ol", "tr", "td", "th", "table", "dd",
    "dt", "dl", "hr", "h1", "h2", "h3", "h4", "h5", "h6", NULL
};

static const char *const  at_feed_hidden[] = { "style", "script", NULL };


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
at_feed_text_hide(at_plain_t *t, at_str_t name)
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
at_feed_text_tag(at_plain_t *t)
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
        at_plain_put(t, ' ');
    }

    if (!closing && at_feed_text_named(name, at_feed_hidden)) {
        at_feed_text_hide(t, name);
    }

    return 1;
}


at_str_t
at_feed_text(at_feed_answer_t *a, at_str_t s, size_t max, int html)
{
    at_plain_t  t;

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

        if ((*t.p == '&' && at_plain_entity(&t))
            || (*t.p == '<' && html && at_feed_text_tag(&t)))
        {
            continue;
        }

        at_plain_next(&t);
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

    n = at_args_decode(slug, word);

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
