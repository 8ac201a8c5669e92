/*
 * A page as a tree, cheaply.
 *
 * libxml2 makes 60 to 120 MB/s of tree and has holes (a tag of 50,000
 * attributes takes it 8 s).  Shops' pages are megabytes, of which a few values
 * are wanted, so this is a small reader of HTML: one pass, no memory but two
 * arrays that are used again for the next page, texts left where they are.
 * Void elements, raw text, the ends that may be left out, and ends without a
 * beginning are treated as browsers do; nothing else of their repairs.
 *
 * Nodes stand in the order of the page: those of an element are the ones from
 * its own index up to end.  Each has a signature of its classes, id and
 * attributes' names, by which a selector passes over most of them.
 *
 * Bounds: AT_SHOP_DOM_NODES, AT_SHOP_DOM_ATTRS in all and 512 in a tag, depth
 * 512 (deeper elements become children of the last), linear time.
 */

#ifndef AT_SHOP_DOM_H
#define AT_SHOP_DOM_H


#include "at_shop_pool.h"
#include "at_shop_tag.h"


#define AT_SHOP_DOM_NODES    300000
#define AT_SHOP_DOM_ATTRS    600000
#define AT_SHOP_DOM_TAG_MAX  512
#define AT_SHOP_DOM_DEPTH    512
#define AT_SHOP_DOM_WORK     20000000
#define AT_SHOP_NONE         UINT32_MAX


typedef struct {
    uint64_t  name;         /* 0: text */
    uint64_t  sig;
    uint32_t  start;        /* offset of its tag or text */
    uint32_t  stop;         /* ... and of what is behind it */
    uint32_t  end;          /* index behind its last descendant */
    uint32_t  parent;
    uint32_t  prev;         /* sibling before it, text included, or NONE */
    uint32_t  attr;
    uint16_t  attrs;
    uint16_t  space;        /* 1: blanks before it */
} at_shop_node_t;


typedef struct {
    uint32_t  name;         /* at_shop_dom_hash() of it in lower case */
    uint32_t  start;        /* of its value */
    uint32_t  len;
} at_shop_attr_t;


/* Zero-initialise it; it may be used for page after page. */
typedef struct {
    at_str_t         page;
    at_shop_node_t  *nodes;     /* [0] is the page itself */
    uint32_t         n;
    uint32_t         cap;
    at_shop_attr_t  *attrs;
    uint32_t         nattrs;
    uint32_t         attrs_cap;
    uint32_t         work;      /* steps that selectors may still try */
    unsigned         cut:1;     /* it ended inside a tag, comment or script */
    unsigned         closed:1;  /* </body> or </html> was there */
    unsigned         bomb:1;    /* too many attributes */
    unsigned         large:1;   /* too many nodes: the rest is not there */
} at_shop_dom_t;


/* page must outlive the tree, and be below 4 GB.  AT_ERROR: no memory. */
int at_shop_dom_parse(at_shop_dom_t *dom, at_str_t page);
void at_shop_dom_free(at_shop_dom_t *dom);

uint64_t at_shop_dom_name(at_str_t name);
uint32_t at_shop_dom_hash(at_str_t s);

/* What a signature has for each. */
uint64_t at_shop_dom_sig_class(at_str_t word);
uint64_t at_shop_dom_sig_id(at_str_t id);
uint64_t at_shop_dom_sig_attr(uint32_t name);

/* The raw value, or data NULL if it has no such attribute. */
at_str_t at_shop_dom_attr(const at_shop_dom_t *dom, uint32_t node,
    uint32_t name);

/* The text inside, on one line, at most max code points of it. */
at_str_t at_shop_dom_text(const at_shop_dom_t *dom, uint32_t node,
    at_shop_pool_t *pool, size_t max);

/* The same of a raw text or value. */
at_str_t at_shop_dom_plain(at_shop_pool_t *pool, at_str_t raw, size_t max);

/* The text of an element with no other element inside; else no text. */
at_str_t at_shop_dom_leaf(const at_shop_dom_t *dom, uint32_t node);

/* The next element of that name from index on, before end; or NONE. */
uint32_t at_shop_dom_find(const at_shop_dom_t *dom, uint64_t name,
    uint32_t from, uint32_t end);


#endif /* AT_SHOP_DOM_H */
