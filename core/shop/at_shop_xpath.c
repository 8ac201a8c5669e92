/*
 * XPath of recipes, by libxml2 (at_shop_xpath.h).
 */

#include <stdlib.h>
#include <string.h>

#include <libxml/HTMLparser.h>
#include <libxml/xpath.h>

#include "at_shop_xpath.h"


#define AT_SHOP_XPATH_TEXT  (64 * 1024)
#define AT_SHOP_XPATH_MAX   1024


struct at_shop_xpath_s {
    xmlXPathCompExprPtr  expr;
};


struct at_shop_xdoc_s {
    htmlDocPtr           doc;
    xmlXPathContextPtr   context;
};


/* libxml2 writes to standard error otherwise. */

#if LIBXML_VERSION >= 21200
static void
at_shop_xpath_quiet(void *data, const xmlError *error)
#else
static void
at_shop_xpath_quiet(void *data, xmlErrorPtr error)
#endif
{
    (void) data;
    (void) error;
}


at_shop_xpath_t *
at_shop_xpath_compile(at_str_t text, const char **why)
{
    char                 copy[AT_SHOP_XPATH_MAX + 1];
    at_shop_xpath_t     *xpath;
    xmlXPathContextPtr   context;

    if (text.len == 0 || text.len > AT_SHOP_XPATH_MAX
        || memchr(text.data, '\0', text.len))
    {
        *why = "empty or longer than 1024 bytes";
        return NULL;
    }

    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';

    xpath = calloc(1, sizeof(at_shop_xpath_t));
    context = xmlXPathNewContext(NULL);

    if (xpath && context) {
        context->error = at_shop_xpath_quiet;
        xpath->expr = xmlXPathCtxtCompile(context, (const xmlChar *) copy);
    }

    xmlXPathFreeContext(context);

    if (xpath == NULL || xpath->expr == NULL) {
        *why = "no XPath expression";
        free(xpath);
        return NULL;
    }

    return xpath;
}


void
at_shop_xpath_free(at_shop_xpath_t *xpath)
{
    if (xpath) {
        xmlXPathFreeCompExpr(xpath->expr);
        free(xpath);
    }
}


at_shop_xdoc_t *
at_shop_xdoc_parse(at_str_t html)
{
    at_shop_xdoc_t  *doc;

    if (html.len == 0) {
        return NULL;
    }

    doc = calloc(1, sizeof(at_shop_xdoc_t));
    if (doc == NULL) {
        return NULL;
    }

    if (html.len > AT_SHOP_XPATH_BYTES) {
        html.len = AT_SHOP_XPATH_BYTES;
    }

    doc->doc = htmlReadMemory(html.data, (int) html.len, NULL, "UTF-8",
                              HTML_PARSE_RECOVER|HTML_PARSE_NOERROR
                              |HTML_PARSE_NOWARNING|HTML_PARSE_NONET
                              |HTML_PARSE_COMPACT);

    doc->context = doc->doc ? xmlXPathNewContext(doc->doc) : NULL;

    if (doc->context == NULL) {
        at_shop_xdoc_free(doc);
        return NULL;
    }

    doc->context->error = at_shop_xpath_quiet;
    doc->context->opLimit = AT_SHOP_XPATH_WORK;

    return doc;
}


void
at_shop_xdoc_free(at_shop_xdoc_t *doc)
{
    if (doc) {
        xmlXPathFreeContext(doc->context);

        if (doc->doc) {
            xmlFreeDoc(doc->doc);
        }

        free(doc);
    }
}


at_str_t
at_shop_xpath_text(const at_shop_xpath_t *xpath, at_shop_xdoc_t *doc,
    at_shop_pool_t *pool, unsigned n)
{
    xmlChar            *text;
    at_str_t            out;
    xmlXPathObjectPtr   result;

    text = NULL;
    doc->context->node = (xmlNodePtr) doc->doc;
    doc->context->opCount = 0;
    result = xmlXPathCompiledEval(xpath->expr, doc->context);

    if (result == NULL) {
        return AT_STR_NULL;
    }

    if (result->type == XPATH_NODESET) {

        if (result->nodesetval && n < (unsigned) result->nodesetval->nodeNr) {
            text = xmlNodeGetContent(result->nodesetval->nodeTab[n]);
        }

    } else if (n == 0 && result->type == XPATH_STRING) {
        text = xmlXPathCastToString(result);
    }

    out = AT_STR_NULL;

    if (text && strlen((const char *) text) <= AT_SHOP_XPATH_TEXT) {
        out = at_shop_copy(pool, (at_str_t) { strlen((const char *) text),
                                              (const char *) text });
    }

    xmlFree(text);
    xmlXPathFreeObject(result);

    return out;
}
