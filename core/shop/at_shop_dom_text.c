/*
 * What a tree's nodes say: attributes and text (at_shop_dom.h).
 *
 * Blanks in the page are blanks in the text; so are the edges of blocks, but
 * not those of spans: the parts of a price stand in spans of their own.
 */

#include <string.h>

#include "at_plain.h"
#include "at_shop_dom.h"


#define AT_SHOP_RAW_MAX  (64 * 1024)    /* bytes of raw text looked at */


at_str_t
at_shop_dom_attr(const at_shop_dom_t *dom, uint32_t node, uint32_t name)
{
    uint32_t               i;
    const at_shop_attr_t  *a;
    const at_shop_node_t  *n;

    n = &dom->nodes[node];

    if ((n->sig & at_shop_dom_sig_attr(name)) == 0) {
        return AT_STR_NULL;
    }

    for (i = 0; i < n->attrs; i++) {
        a = &dom->attrs[n->attr + i];

        if (a->name == name) {
            return (at_str_t) { a->len, dom->page.data + a->start };
        }
    }

    return AT_STR_NULL;
}


static int
at_shop_dom_edge(uint64_t name)
{
    switch (name) {

    case AT_SHOP_T2('b', 'r'):
    case AT_SHOP_T1('p'):
    case AT_SHOP_T2('l', 'i'):
    case AT_SHOP_T2('t', 'd'):
    case AT_SHOP_T2('t', 'h'):
    case AT_SHOP_T2('t', 'r'):
    case AT_SHOP_T2('d', 't'):
    case AT_SHOP_T2('d', 'd'):
    case AT_SHOP_T2('h', '1'):
    case AT_SHOP_T2('h', '2'):
    case AT_SHOP_T2('h', '3'):
    case AT_SHOP_T2('h', '4'):
    case AT_SHOP_T3('d', 'i', 'v'):
    case AT_SHOP_T5('t', 'a', 'b', 'l', 'e'):
        return 1;

    default:
        return 0;
    }
}


static int
at_shop_dom_hidden(uint64_t name)
{
    return name == AT_SHOP_T3('s', 'v', 'g')
           || name == AT_SHOP_T8('t', 'e', 'm', 'p', 'l', 'a', 't', 'e')
           || name == AT_SHOP_T8('n', 'o', 's', 'c', 'r', 'i', 'p', 't');
}


static void
at_shop_plain(at_plain_t *t, const char *p, size_t len)
{
    t->p = p;
    t->end = p + len;

    while (t->p < t->end && t->left > 0) {
        if (*t->p != '&' || !at_plain_entity(t)) {
            at_plain_next(t);
        }
    }
}


at_str_t
at_shop_dom_plain(at_shop_pool_t *pool, at_str_t raw, size_t max)
{
    at_plain_t  t;

    if (raw.len == 0) {
        return AT_STR_NULL;
    }

    if (raw.len > AT_SHOP_RAW_MAX) {
        raw.len = AT_SHOP_RAW_MAX;
    }

    memset(&t, 0, sizeof(at_plain_t));
    t.left = max;
    t.out = at_shop_alloc(pool, raw.len);

    if (t.out == NULL) {
        return AT_STR_NULL;
    }

    at_shop_plain(&t, raw.data, raw.len);
    at_shop_shrink(pool, raw.len, t.len);

    return (at_str_t) { t.len, t.len ? t.out : NULL };
}


at_str_t
at_shop_dom_text(const at_shop_dom_t *dom, uint32_t node,
    at_shop_pool_t *pool, size_t max)
{
    size_t                 room;
    uint32_t               i, end;
    at_plain_t             t;
    const at_shop_node_t  *n;

    n = &dom->nodes[node];
    room = n->stop - n->start;

    /* no character is longer than 4 bytes, and a blank stands for a byte */

    if (room > 4 * max + 8) {
        room = 4 * max + 8;
    }

    memset(&t, 0, sizeof(at_plain_t));
    t.left = max;
    t.out = at_shop_alloc(pool, room);

    if (t.out == NULL) {
        return AT_STR_NULL;
    }

    end = n->end;

    for (i = node; i < end && t.left > 0; i++) {
        n = &dom->nodes[i];

        if (n->name) {

            if (at_shop_dom_hidden(n->name)) {
                i = n->end - 1;
                continue;
            }

            if (n->space || at_shop_dom_edge(n->name)) {
                at_plain_put(&t, ' ');
            }

            continue;
        }

        if (n->space) {
            at_plain_put(&t, ' ');
        }

        at_shop_plain(&t, dom->page.data + n->start, n->stop - n->start);
    }

    at_shop_shrink(pool, room, t.len);

    return (at_str_t) { t.len, t.len ? t.out : NULL };
}


at_str_t
at_shop_dom_leaf(const at_shop_dom_t *dom, uint32_t node)
{
    const at_shop_node_t  *n, *text;

    n = &dom->nodes[node];

    if (n->end != node + 2) {
        return AT_STR_NULL;
    }

    text = n + 1;

    if (text->name) {
        return AT_STR_NULL;
    }

    return (at_str_t) { text->stop - text->start,
                        dom->page.data + text->start };
}


uint32_t
at_shop_dom_find(const at_shop_dom_t *dom, uint64_t name, uint32_t from,
    uint32_t end)
{
    while (from < end && dom->nodes[from].name != name) {
        from++;
    }

    return from < end ? from : AT_SHOP_NONE;
}
