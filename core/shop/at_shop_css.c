/*
 * Selectors of recipes (at_shop_css.h).
 *
 * A selector is a list of steps, the last one first: what an element itself
 * must be, and by which way the step before it is found.  Ancestors are tried
 * from the inside out, with going back; the steps of a selector are few, and
 * the work on one page is bounded: behind that
 * nothing matches.
 */

#include <string.h>

#include "at_shop_css.h"
#include "at_shop_money.h"


#define AT_SHOP_CSS_STEPS  12


typedef enum {
    AT_SHOP_Q_CLASS,
    AT_SHOP_Q_ID,
    AT_SHOP_Q_HAS,
    AT_SHOP_Q_IS,
    AT_SHOP_Q_PART,
    AT_SHOP_Q_HEAD,
    AT_SHOP_Q_TAIL,
    AT_SHOP_Q_WORD,
    AT_SHOP_Q_NOT,
    AT_SHOP_Q_FIRST,
    AT_SHOP_Q_LAST,
    AT_SHOP_Q_MONEY
} at_shop_css_e;


typedef struct at_shop_step_s  at_shop_step_t;
typedef struct at_shop_test_s  at_shop_test_t;

struct at_shop_test_s {
    at_shop_test_t  *next;
    at_shop_css_e    type;
    uint32_t         name;      /* of an attribute */
    at_str_t         text;
    int              nocase;
    at_shop_step_t  *inner;     /* of :not() */
};


struct at_shop_step_s {
    at_shop_step_t  *next;      /* the one to its left */
    uint64_t         name;      /* 0: any */
    uint64_t         sig;
    at_shop_test_t  *tests;
    char             way;       /* to the one on its left: ' ', '>', '+', '~' */
};


struct at_shop_css_s {
    at_shop_css_t   *next;      /* behind a comma */
    at_shop_step_t  *steps;
};


typedef struct {
    const char      *p;
    const char      *end;
    at_shop_pool_t  *pool;
    const char      *why;
} at_shop_css_read_t;


static void *
at_shop_css_fail(at_shop_css_read_t *r, const char *why)
{
    if (r->why == NULL) {
        r->why = why;
    }

    return NULL;
}


static void *
at_shop_css_new(at_shop_css_read_t *r, size_t size)
{
    void  *p;

    p = at_shop_alloc(r->pool, size);
    if (p == NULL) {
        return at_shop_css_fail(r, "too much memory");
    }

    memset(p, 0, size);

    return p;
}


static int
at_shop_css_blank(at_shop_css_read_t *r)
{
    int  n;

    for (n = 0; r->p < r->end && (*r->p == ' ' || *r->p == '\t'); n++) {
        r->p++;
    }

    return n;
}


/* A name; backslashes make any character a part of it. */

static at_str_t
at_shop_css_name(at_shop_css_read_t *r)
{
    char      c, *out;
    at_str_t  name;

    out = at_shop_css_new(r, (size_t) (r->end - r->p) + 1);
    name = (at_str_t) { 0, out };

    while (out && r->p < r->end) {
        c = *r->p;

        if (c == '\\' && r->end - r->p > 1) {
            out[name.len++] = r->p[1];
            r->p += 2;
            continue;
        }

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '-' || c == '_'
              || (uint8_t) c >= 0x80))
        {
            break;
        }

        out[name.len++] = c;
        r->p++;
    }

    if (name.len == 0) {
        (void) at_shop_css_fail(r, "a name is missing");
    }

    return name;
}


static at_str_t
at_shop_css_string(at_shop_css_read_t *r)
{
    at_str_t     text;
    const char  *q;

    if (r->p == r->end || (*r->p != '"' && *r->p != '\'')) {
        return at_shop_css_name(r);
    }

    q = memchr(r->p + 1, *r->p, (size_t) (r->end - r->p - 1));

    if (q == NULL) {
        (void) at_shop_css_fail(r, "a quote is not closed");
        return AT_STR_NULL;
    }

    text = (at_str_t) { (size_t) (q - r->p - 1), r->p + 1 };
    r->p = q + 1;

    return text;
}


static int
at_shop_css_op(at_shop_css_read_t *r, at_shop_test_t *t)
{
    static const char           ops[] = "=*^$~";
    static const at_shop_css_e  types[] = {
        AT_SHOP_Q_IS, AT_SHOP_Q_PART, AT_SHOP_Q_HEAD, AT_SHOP_Q_TAIL,
        AT_SHOP_Q_WORD
    };

    const char  *op;

    op = r->p < r->end ? strchr(ops, *r->p) : NULL;

    if (op == NULL || *op == '\0'
        || (*op != '=' && (r->end - r->p < 2 || r->p[1] != '=')))
    {
        (void) at_shop_css_fail(r, "an attribute is tested by =, *=, ^=, $= "
                                   "or ~=");
        return AT_ERROR;
    }

    t->type = types[op - ops];
    r->p += *op == '=' ? 1 : 2;

    return AT_OK;
}


/* Behind "[". */

static void
at_shop_css_attr(at_shop_css_read_t *r, at_shop_test_t *t)
{
    (void) at_shop_css_blank(r);
    t->type = AT_SHOP_Q_HAS;
    t->name = at_shop_dom_hash(at_shop_css_name(r));
    (void) at_shop_css_blank(r);

    if (r->why == NULL && r->p < r->end && *r->p != ']') {

        if (at_shop_css_op(r, t) != AT_OK) {
            return;
        }

        (void) at_shop_css_blank(r);
        t->text = at_shop_css_string(r);

        if (at_shop_css_blank(r) && r->p < r->end && *r->p == 'i') {
            t->nocase = 1;
            r->p++;
            (void) at_shop_css_blank(r);
        }
    }

    if (r->p == r->end || *r->p != ']') {
        (void) at_shop_css_fail(r, "a [ is not closed");
        return;
    }

    r->p++;
}


static at_shop_step_t *at_shop_css_compound(at_shop_css_read_t *r, int inner);


/* Behind ":". */

static void
at_shop_css_pseudo(at_shop_css_read_t *r, at_shop_test_t *t, int inner)
{
    at_str_t  name;

    name = at_shop_css_name(r);

    if (at_str_is(name, "first-child")) {
        t->type = AT_SHOP_Q_FIRST;

    } else if (at_str_is(name, "last-child")) {
        t->type = AT_SHOP_Q_LAST;

    } else if (at_str_is(name, "money")) {
        t->type = AT_SHOP_Q_MONEY;

    } else if (at_str_is(name, "not") && !inner) {
        t->type = AT_SHOP_Q_NOT;

        if (r->p == r->end || *r->p != '(') {
            (void) at_shop_css_fail(r, ":not is followed by (");
            return;
        }

        r->p++;
        (void) at_shop_css_blank(r);
        t->inner = at_shop_css_compound(r, 1);
        (void) at_shop_css_blank(r);

        if (r->p == r->end || *r->p != ')') {
            (void) at_shop_css_fail(r, ":not( holds one simple selector");
            return;
        }

        r->p++;

    } else {
        (void) at_shop_css_fail(r, "of what begins with a colon only :not(), "
                                   ":first-child, :last-child and :money are "
                                   "known");
    }
}


static at_shop_test_t *
at_shop_css_test(at_shop_css_read_t *r, int inner)
{
    char             c;
    at_shop_test_t  *t;

    t = at_shop_css_new(r, sizeof(at_shop_test_t));
    if (t == NULL) {
        return NULL;
    }

    c = *r->p++;

    switch (c) {

    case '.':
        t->type = AT_SHOP_Q_CLASS;
        t->name = at_shop_dom_hash(AT_STR("class"));
        t->text = at_shop_css_name(r);
        break;

    case '#':
        t->type = AT_SHOP_Q_ID;
        t->name = at_shop_dom_hash(AT_STR("id"));
        t->text = at_shop_css_name(r);
        break;

    case '[':
        at_shop_css_attr(r, t);
        break;

    default:
        at_shop_css_pseudo(r, t, inner);
    }

    return t;
}


static at_shop_step_t *
at_shop_css_compound(at_shop_css_read_t *r, int inner)
{
    at_str_t          name;
    at_shop_step_t   *s;
    at_shop_test_t  **last;

    s = at_shop_css_new(r, sizeof(at_shop_step_t));
    if (s == NULL) {
        return NULL;
    }

    if (r->p < r->end && *r->p == '*') {
        r->p++;

    } else if (r->p == r->end || strchr(".#[:", *r->p) == NULL) {
        name = at_shop_css_name(r);
        s->name = at_shop_dom_name(name);
    }

    last = &s->tests;

    while (r->why == NULL && r->p < r->end && strchr(".#[:", *r->p)) {
        *last = at_shop_css_test(r, inner);

        if (r->why || *last == NULL) {
            return NULL;
        }

        switch ((*last)->type) {

        case AT_SHOP_Q_CLASS:
            s->sig |= at_shop_dom_sig_class((*last)->text)
                      | at_shop_dom_sig_attr((*last)->name);
            break;

        case AT_SHOP_Q_ID:
            s->sig |= at_shop_dom_sig_id((*last)->text)
                      | at_shop_dom_sig_attr((*last)->name);
            break;

        case AT_SHOP_Q_NOT:
        case AT_SHOP_Q_FIRST:
        case AT_SHOP_Q_LAST:
        case AT_SHOP_Q_MONEY:
            break;

        default:
            s->sig |= at_shop_dom_sig_attr((*last)->name);
        }

        last = &(*last)->next;
    }

    return r->why ? NULL : s;
}


static at_shop_step_t *
at_shop_css_steps(at_shop_css_read_t *r)
{
    char             way;
    unsigned         n;
    at_shop_step_t  *s, *left;

    left = NULL;
    way = ' ';

    for (n = 0; n < AT_SHOP_CSS_STEPS; n++) {
        s = at_shop_css_compound(r, 0);

        if (s == NULL) {
            return NULL;
        }

        s->next = left;
        s->way = way;
        left = s;

        way = at_shop_css_blank(r) ? ' ' : '\0';

        if (r->p == r->end || *r->p == ',') {
            return s;
        }

        if (strchr(">+~", *r->p)) {
            way = *r->p++;
            (void) at_shop_css_blank(r);
        }

        if (way == '\0') {
            return at_shop_css_fail(r, "a character that stands in no "
                                       "selector");
        }
    }

    return at_shop_css_fail(r, "more than 12 steps");
}


at_shop_css_t *
at_shop_css_compile(at_shop_pool_t *pool, at_str_t text, const char **why)
{
    at_shop_css_t       *css, **last;
    at_shop_css_read_t   r;

    if (text.len == 0 || text.len > AT_SHOP_CSS_MAX) {
        *why = text.len ? "longer than 1024 bytes" : "empty";
        return NULL;
    }

    css = NULL;
    last = &css;
    text = at_shop_copy(pool, text);

    if (text.len == 0) {
        *why = "too much memory";
        return NULL;
    }

    r = (at_shop_css_read_t) { text.data, text.data + text.len, pool, NULL };

    do {
        if (*r.p == ',') {
            r.p++;
        }

        (void) at_shop_css_blank(&r);
        *last = at_shop_css_new(&r, sizeof(at_shop_css_t));

        if (*last) {
            (*last)->steps = at_shop_css_steps(&r);
            last = &(*last)->next;
        }

    } while (r.why == NULL && r.p < r.end);

    *why = r.why;

    return r.why ? NULL : css;
}


static int
at_shop_css_equal(const char *a, const char *b, size_t n, int nocase)
{
    return nocase ? at_str_ieq((at_str_t) { n, a }, (at_str_t) { n, b })
                  : memcmp(a, b, n) == 0;
}


static int
at_shop_css_part(at_str_t value, at_str_t text, int nocase)
{
    size_t  i;

    if (!nocase) {
        return memmem(value.data, value.len, text.data, text.len) != NULL;
    }

    for (i = 0; i + text.len <= value.len; i++) {
        if (at_shop_css_equal(value.data + i, text.data, text.len, 1)) {
            return 1;
        }
    }

    return 0;
}


static int
at_shop_css_word(at_str_t value, at_str_t text, int nocase)
{
    size_t  i, n;

    for (i = 0; i < value.len; i += n + 1) {
        n = 0;

        while (i + n < value.len && (uint8_t) value.data[i + n] > ' ') {
            n++;
        }

        if (n == text.len
            && at_shop_css_equal(value.data + i, text.data, n, nocase))
        {
            return 1;
        }
    }

    return 0;
}


static int
at_shop_css_value(const at_shop_test_t *t, at_str_t value)
{
    size_t    n;
    at_str_t  text = t->text;

    if (value.data == NULL) {
        return 0;
    }

    n = text.len;

    switch (t->type) {

    case AT_SHOP_Q_HAS:
        return 1;

    case AT_SHOP_Q_IS:
    case AT_SHOP_Q_ID:
        return value.len == n
               && at_shop_css_equal(value.data, text.data, n, t->nocase);

    case AT_SHOP_Q_CLASS:
    case AT_SHOP_Q_WORD:
        return n && at_shop_css_word(value, text, t->nocase);

    case AT_SHOP_Q_PART:
        return n && at_shop_css_part(value, text, t->nocase);

    case AT_SHOP_Q_HEAD:
        return n && value.len >= n
               && at_shop_css_equal(value.data, text.data, n, t->nocase);

    default:
        return n && value.len >= n
               && at_shop_css_equal(value.data + value.len - n, text.data, n,
                                    t->nocase);
    }
}


/* The element before it among its siblings, or NONE. */

static uint32_t
at_shop_css_before(const at_shop_dom_t *dom, uint32_t node)
{
    do {
        node = dom->nodes[node].prev;
    } while (node != AT_SHOP_NONE && dom->nodes[node].name == 0);

    return node;
}


static int
at_shop_css_last(const at_shop_dom_t *dom, uint32_t node)
{
    uint32_t  i, end;

    end = dom->nodes[dom->nodes[node].parent].end;

    for (i = dom->nodes[node].end; i < end; i = dom->nodes[i].end) {
        if (dom->nodes[i].name) {
            return 0;
        }
    }

    return 1;
}


static int
at_shop_css_step(const at_shop_step_t *s, const at_shop_dom_t *dom,
    uint32_t node)
{
    int                    ok;
    at_str_t               leaf;
    const at_shop_node_t  *n;
    const at_shop_test_t  *t;

    n = &dom->nodes[node];

    if ((n->sig & s->sig) != s->sig || n->name == 0 || node == 0
        || (s->name && s->name != n->name))
    {
        return 0;
    }

    for (t = s->tests; t; t = t->next) {

        switch (t->type) {

        case AT_SHOP_Q_NOT:
            ok = !at_shop_css_step(t->inner, dom, node);
            break;

        case AT_SHOP_Q_FIRST:
            ok = at_shop_css_before(dom, node) == AT_SHOP_NONE;
            break;

        case AT_SHOP_Q_LAST:
            ok = at_shop_css_last(dom, node);
            break;

        case AT_SHOP_Q_MONEY:
            leaf = at_shop_dom_leaf(dom, node);
            ok = leaf.len && at_shop_money_like(leaf);
            break;

        default:
            ok = at_shop_css_value(t, at_shop_dom_attr(dom, node, t->name));
        }

        if (!ok) {
            return 0;
        }
    }

    return 1;
}


/* 1: the steps on the left of s lead to node, which is what s says. */

static int
at_shop_css_left(const at_shop_step_t *s, at_shop_dom_t *dom,
    uint32_t node)
{
    char                   way;
    const at_shop_step_t  *left;

    left = s->next;

    if (left == NULL) {
        return 1;
    }

    way = s->way;

    do {
        node = way == ' ' || way == '>' ? dom->nodes[node].parent
                                        : at_shop_css_before(dom, node);

        if (node == AT_SHOP_NONE || node == 0 || dom->work == 0) {
            return 0;
        }

        dom->work--;

        if (at_shop_css_step(left, dom, node)
            && at_shop_css_left(left, dom, node))
        {
            return 1;
        }

    } while (way == ' ' || way == '~');

    return 0;
}


int
at_shop_css_match(const at_shop_css_t *css, at_shop_dom_t *dom,
    uint32_t node)
{
    for ( /* void */ ; css; css = css->next) {
        if (at_shop_css_step(css->steps, dom, node)
            && at_shop_css_left(css->steps, dom, node))
        {
            return 1;
        }
    }

    return 0;
}


uint32_t
at_shop_css_next(const at_shop_css_t *css, at_shop_dom_t *dom,
    uint32_t from, uint32_t end)
{
    for ( /* void */ ; from < end; from++) {
        if (at_shop_css_match(css, dom, from)) {
            return from;
        }
    }

    return AT_SHOP_NONE;
}
