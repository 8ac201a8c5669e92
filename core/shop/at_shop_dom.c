/*
 * A page as a tree (at_shop_dom.h).
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "at_shop_dom.h"


#define AT_SHOP_POP_MAX  64     /* levels an end tag looks up */


typedef struct {
    at_shop_dom_t  *dom;
    const char     *p;
    const char     *end;
    uint32_t        stack[AT_SHOP_DOM_DEPTH];
    uint32_t        last[AT_SHOP_DOM_DEPTH];    /* child of each so far */
    unsigned        depth;
    unsigned        over;       /* open elements that are too deep */
    unsigned        svg;        /* open svg elements */
    unsigned        space;
} at_shop_html_t;


static int
at_shop_lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}


uint64_t
at_shop_dom_name(at_str_t name)
{
    size_t    i;
    uint64_t  v;

    v = 0;

    for (i = 0; i < name.len && i < 8; i++) {
        v |= (uint64_t) (uint8_t) at_shop_lower(name.data[i]) << (8 * i);
    }

    for ( /* void */ ; i < name.len; i++) {
        v = (v ^ (uint8_t) at_shop_lower(name.data[i])) * 0x100000001B3u;
    }

    return v;
}


uint32_t
at_shop_dom_hash(at_str_t s)
{
    size_t    i;
    uint32_t  h;

    h = 2166136261u;

    for (i = 0; i < s.len; i++) {
        h = (h ^ (uint8_t) at_shop_lower(s.data[i])) * 16777619u;
    }

    return h;
}


/* Case counts in classes and ids. */

static uint32_t
at_shop_dom_exact(at_str_t s, uint32_t h)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        h = (h ^ (uint8_t) s.data[i]) * 16777619u;
    }

    return h;
}


uint64_t
at_shop_dom_sig_class(at_str_t word)
{
    return (uint64_t) 1 << (at_shop_dom_exact(word, 2166136261u) >> 26);
}


uint64_t
at_shop_dom_sig_id(at_str_t id)
{
    return (uint64_t) 1 << (at_shop_dom_exact(id, 84696351u) >> 26);
}


uint64_t
at_shop_dom_sig_attr(uint32_t name)
{
    return (uint64_t) 1 << (name * 2654435761u >> 26);
}


static int
at_shop_html_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}


static uint32_t
at_shop_html_at(const at_shop_html_t *h, const char *p)
{
    return (uint32_t) (p - h->dom->page.data);
}


static int
at_shop_dom_grow(void **items, uint32_t *cap, size_t size)
{
    void      *p;
    uint32_t   n;

    n = *cap ? *cap * 2 : 4096;

    p = realloc(*items, n * size);
    if (p == NULL) {
        return AT_ERROR;
    }

    *items = p;
    *cap = n;

    return AT_OK;
}


/* A new node under the innermost open one, or NULL. */

static at_shop_node_t *
at_shop_html_node(at_shop_html_t *h, uint64_t name, const char *start)
{
    at_shop_dom_t   *dom = h->dom;
    at_shop_node_t  *node;

    if (dom->n == dom->cap
        && at_shop_dom_grow((void **) &dom->nodes, &dom->cap,
                            sizeof(at_shop_node_t)) != AT_OK)
    {
        return NULL;
    }

    node = &dom->nodes[dom->n];
    node->name = name;
    node->sig = 0;
    node->start = at_shop_html_at(h, start);
    node->stop = node->start;
    node->end = dom->n + 1;
    node->parent = h->stack[h->depth - 1];
    node->prev = h->last[h->depth - 1];
    node->attr = dom->nattrs;
    node->attrs = 0;
    node->space = h->space != 0;

    h->space = 0;
    h->last[h->depth - 1] = dom->n++;

    return node;
}


static int
at_shop_html_text(at_shop_html_t *h, const char *start, const char *end)
{
    at_shop_node_t  *node;

    while (start < end && at_shop_html_blank(*start)) {
        start++;
        h->space = 1;
    }

    if (start == end) {
        return AT_OK;
    }

    node = at_shop_html_node(h, 0, start);
    if (node == NULL) {
        return AT_ERROR;
    }

    node->stop = at_shop_html_at(h, end);
    h->space = at_shop_html_blank(end[-1]);

    return AT_OK;
}


static void
at_shop_html_pop(at_shop_html_t *h, unsigned depth, const char *p)
{
    at_shop_node_t  *node;

    while (h->depth > depth) {
        node = &h->dom->nodes[h->stack[--h->depth]];
        node->end = h->dom->n;
        node->stop = at_shop_html_at(h, p);

        if (node->name == AT_SHOP_T3('s', 'v', 'g') && h->svg) {
            h->svg--;
        }
    }
}


/* The ends that the beginning of a name stands for. */

static void
at_shop_html_imply(at_shop_html_t *h, uint64_t name, unsigned tag,
    const char *p)
{
    unsigned  i, open;
    uint64_t  other;

    if (tag == 0) {
        return;
    }

    if ((tag & AT_SHOP_G_BLOCK) && h->depth > 1
        && h->dom->nodes[h->stack[h->depth - 1]].name == AT_SHOP_T1('p'))
    {
        at_shop_html_pop(h, h->depth - 1, p);
    }

    if ((tag & (AT_SHOP_G_ITEM|AT_SHOP_G_CELL|AT_SHOP_G_ROW
                |AT_SHOP_G_GROUP)) == 0)
    {
        return;
    }

    for (i = h->depth; i > 1 && h->depth - i < 16; i--) {
        other = h->dom->nodes[h->stack[i - 1]].name;
        open = at_shop_tag(other);

        if (((tag & AT_SHOP_G_ITEM)
             && (other == name
                 || (name != AT_SHOP_T2('l', 'i')
                     && (other == AT_SHOP_T2('d', 't')
                         || other == AT_SHOP_T2('d', 'd')))))
            || ((tag & AT_SHOP_G_CELL) && (open & AT_SHOP_G_CELL))
            || ((tag & AT_SHOP_G_ROW) && (open & AT_SHOP_G_ROW))
            || ((tag & AT_SHOP_G_GROUP) && (open & AT_SHOP_G_GROUP)))
        {
            at_shop_html_pop(h, i - 1, p);
            return;
        }

        if (other == AT_SHOP_T2('u', 'l') || other == AT_SHOP_T2('o', 'l')
            || other == AT_SHOP_T2('d', 'l')
            || other == AT_SHOP_T5('t', 'a', 'b', 'l', 'e')
            || ((open & AT_SHOP_G_CELL) && (tag & AT_SHOP_G_ITEM)))
        {
            return;
        }
    }
}


static void
at_shop_html_end(at_shop_html_t *h, uint64_t name, const char *p)
{
    unsigned  i, tag;
    uint64_t  other;

    if (h->over) {
        h->over--;
        return;
    }

    if (name == AT_SHOP_T4('b', 'o', 'd', 'y')
        || name == AT_SHOP_T4('h', 't', 'm', 'l'))
    {
        h->dom->closed = 1;
        return;
    }

    tag = at_shop_tag(name);

    for (i = h->depth; i > 1 && h->depth - i < AT_SHOP_POP_MAX; i--) {
        other = h->dom->nodes[h->stack[i - 1]].name;

        if (other == name) {
            at_shop_html_pop(h, i - 1, p);
            return;
        }

        if ((at_shop_tag(other) & AT_SHOP_G_WALL)
            && (tag & (AT_SHOP_G_WALL|AT_SHOP_G_ROW|AT_SHOP_G_GROUP)) == 0)
        {
            return;
        }
    }
}


static void
at_shop_html_sign(at_shop_node_t *node, at_str_t name, uint32_t hash,
    at_str_t value)
{
    size_t    i;
    at_str_t  word;

    node->sig |= at_shop_dom_sig_attr(hash);

    if (name.len == 2 && at_shop_lower(name.data[0]) == 'i'
        && at_shop_lower(name.data[1]) == 'd')
    {
        node->sig |= at_shop_dom_sig_id(value);
        return;
    }

    if (name.len != 5 || strncasecmp(name.data, "class", 5) != 0) {
        return;
    }

    word = (at_str_t) { 0, value.data };

    for (i = 0; i <= value.len; i++) {

        if (i < value.len && !at_shop_html_blank(value.data[i])) {
            word.len++;
            continue;
        }

        if (word.len) {
            node->sig |= at_shop_dom_sig_class(word);
        }

        word = (at_str_t) { 0, value.data + i + 1 };
    }
}


/* The value behind "=", at p; returns what is behind it, or NULL at the end. */

static const char *
at_shop_html_value(const char *p, const char *end, at_str_t *value)
{
    const char  *q;

    while (p < end && at_shop_html_blank(*p)) {
        p++;
    }

    if (p == end) {
        return NULL;
    }

    if (*p == '"' || *p == '\'') {
        q = memchr(p + 1, *p, (size_t) (end - p - 1));

        if (q == NULL) {
            return NULL;
        }

        *value = (at_str_t) { (size_t) (q - p - 1), p + 1 };
        return q + 1;
    }

    for (q = p; q < end && !at_shop_html_blank(*q) && *q != '>'; q++) {
        /* void */
    }

    *value = (at_str_t) { (size_t) (q - p), p };

    return q;
}


/* The attributes; returns what is at or behind ">", or NULL. */

static const char *
at_shop_html_attrs(at_shop_html_t *h, const char *p, uint32_t index)
{
    at_str_t         name, value;
    at_shop_dom_t   *dom = h->dom;
    at_shop_attr_t  *a;

    for ( ;; ) {
        while (p < h->end && (at_shop_html_blank(*p) || *p == '/')) {
            p++;
        }

        if (p == h->end) {
            return NULL;
        }

        if (*p == '>') {
            return p;
        }

        name = (at_str_t) { 1, p++ };

        while (p < h->end && !at_shop_html_blank(*p) && *p != '='
               && *p != '>' && *p != '/')
        {
            p++;
            name.len++;
        }

        while (p < h->end && at_shop_html_blank(*p)) {
            p++;
        }

        value = (at_str_t) { 0, name.data };

        if (p < h->end && *p == '=') {
            p = at_shop_html_value(p + 1, h->end, &value);

            if (p == NULL) {
                return NULL;
            }
        }

        if (dom->nodes[index].attrs == AT_SHOP_DOM_TAG_MAX
            || dom->nattrs == AT_SHOP_DOM_ATTRS)
        {
            dom->bomb = 1;
            return NULL;
        }

        if (dom->nattrs == dom->attrs_cap
            && at_shop_dom_grow((void **) &dom->attrs, &dom->attrs_cap,
                                sizeof(at_shop_attr_t)) != AT_OK)
        {
            dom->large = 1;
            return NULL;
        }

        a = &dom->attrs[dom->nattrs++];
        a->name = at_shop_dom_hash(name);
        a->start = at_shop_html_at(h, value.data);
        a->len = (uint32_t) value.len;

        dom->nodes[index].attrs++;
        at_shop_html_sign(&dom->nodes[index], name, a->name, value);
    }
}


/* The end of raw text: at "</name", or NULL. */

static const char *
at_shop_html_raw(const char *p, const char *end, at_str_t name)
{
    for ( ;; ) {
        p = memchr(p, '<', (size_t) (end - p));

        if (p == NULL || (size_t) (end - p) < name.len + 2) {
            return NULL;
        }

        if (p[1] == '/' && strncasecmp(p + 2, name.data, name.len) == 0) {
            return p;
        }

        p++;
    }
}


/* Behind a tag that holds raw text. */

static int
at_shop_html_hold(at_shop_html_t *h, uint64_t name, at_str_t word)
{
    const char  *q;

    q = at_shop_html_raw(h->p, h->end, word);

    if (q == NULL) {
        h->dom->cut = 1;
        h->p = h->end;
        return AT_OK;
    }

    if ((name == AT_SHOP_T5('t', 'i', 't', 'l', 'e')
         || name == AT_SHOP_T8('t', 'e', 'x', 't', 'a', 'r', 'e', 'a'))
        && at_shop_html_text(h, h->p, q) != AT_OK)
    {
        return AT_ERROR;
    }

    h->p = q;

    return AT_OK;
}


/* p is at the "<" of a beginning. */

static int
at_shop_html_begin(at_shop_html_t *h, const char *start)
{
    unsigned     tag;
    uint32_t     index;
    uint64_t     name;
    at_str_t     word;
    const char  *p;

    for (p = start + 1; p < h->end && !at_shop_html_blank(*p) && *p != '>'
                        && *p != '/'; p++)
    {
        /* void */
    }

    word = (at_str_t) { (size_t) (p - start - 1), start + 1 };
    name = at_shop_dom_name(word);
    tag = at_shop_tag(name);

    at_shop_html_imply(h, name, tag, start);

    if (at_shop_html_node(h, name, start) == NULL) {
        return AT_ERROR;
    }

    index = h->dom->n - 1;
    p = at_shop_html_attrs(h, p, index);

    if (p == NULL) {
        h->dom->cut = 1;
        h->p = h->end;
        return AT_OK;
    }

    h->p = p + 1;
    h->dom->nodes[index].stop = at_shop_html_at(h, h->p);

    if ((tag & AT_SHOP_G_VOID) || (p[-1] == '/' && h->svg)) {
        return AT_OK;
    }

    if (h->depth == AT_SHOP_DOM_DEPTH) {
        h->over += (tag & AT_SHOP_G_RAW) == 0;
        return AT_OK;
    }

    h->svg += name == AT_SHOP_T3('s', 'v', 'g');
    h->stack[h->depth] = index;
    h->last[h->depth] = AT_SHOP_NONE;
    h->depth++;

    return tag & AT_SHOP_G_RAW ? at_shop_html_hold(h, name, word) : AT_OK;
}


/* A comment, a declaration, or an end; p is at its "<". */

static void
at_shop_html_other(at_shop_html_t *h, const char *start)
{
    size_t       left;
    const char  *p, *q;

    left = (size_t) (h->end - start);

    if (left > 4 && memcmp(start, "<!--", 4) == 0) {
        p = memmem(start + 4, left - 4, "-->", 3);
        p = p ? p + 2 : NULL;

    } else {
        p = memchr(start, '>', left);

        if (p && start[1] == '/') {

            for (q = start + 2; q < p && !at_shop_html_blank(*q)
                                && *q != '/'; q++)
            {
                /* void */
            }

            at_shop_html_end(h, at_shop_dom_name(
                                    (at_str_t) { (size_t) (q - start - 2),
                                                 start + 2 }), p + 1);
        }
    }

    if (p == NULL) {
        h->dom->cut = 1;
    }

    h->p = p ? p + 1 : h->end;
}


static int
at_shop_html_step(at_shop_html_t *h)
{
    char         c;
    const char  *lt;

    lt = memchr(h->p, '<', (size_t) (h->end - h->p));

    while (lt && lt + 1 < h->end) {
        c = (char) at_shop_lower(lt[1]);

        if ((c >= 'a' && c <= 'z') || c == '/' || c == '!' || c == '?') {
            break;
        }

        lt = memchr(lt + 1, '<', (size_t) (h->end - lt - 1));
    }

    if (lt == NULL || lt + 1 == h->end) {
        lt = h->end;
    }

    if (lt > h->p && at_shop_html_text(h, h->p, lt) != AT_OK) {
        return AT_ERROR;
    }

    if (lt == h->end) {
        h->p = lt;
        return AT_OK;
    }

    c = (char) at_shop_lower(lt[1]);

    if (c >= 'a' && c <= 'z') {
        return at_shop_html_begin(h, lt);
    }

    at_shop_html_other(h, lt);

    return AT_OK;
}


int
at_shop_dom_parse(at_shop_dom_t *dom, at_str_t page)
{
    at_shop_html_t  h;

    dom->page = page;
    dom->n = 0;
    dom->nattrs = 0;
    dom->work = AT_SHOP_DOM_WORK;
    dom->cut = 0;
    dom->closed = 0;
    dom->bomb = 0;
    dom->large = 0;

    h.dom = dom;
    h.p = page.len ? page.data : "";
    h.end = h.p + page.len;
    h.stack[0] = 0;
    h.last[0] = AT_SHOP_NONE;
    h.depth = 1;
    h.over = 0;
    h.svg = 0;
    h.space = 0;

    dom->page.data = h.p;

    if (at_shop_html_node(&h, AT_SHOP_T1('#'), h.p) == NULL) {
        return AT_ERROR;
    }

    h.last[0] = AT_SHOP_NONE;
    dom->nodes[0].parent = AT_SHOP_NONE;

    while (h.p < h.end) {

        if (dom->n >= AT_SHOP_DOM_NODES) {
            dom->large = 1;
            break;
        }

        if (at_shop_html_step(&h) != AT_OK) {
            return AT_ERROR;
        }
    }

    at_shop_html_pop(&h, 0, h.p);

    return AT_OK;
}


void
at_shop_dom_free(at_shop_dom_t *dom)
{
    free(dom->nodes);
    free(dom->attrs);
    memset(dom, 0, sizeof(at_shop_dom_t));
}
