/*
 * Query arguments of /products (at_shop_args.h).
 */

#include <stdio.h>
#include <string.h>

#include "at_json.h"
#include "at_shop_args.h"
#include "at_text.h"


#define AT_SHOP_ID_MAX     80           /* bytes behind the colon */


static int at_shop_set_query(void *data, at_str_t value);
static int at_shop_set_category(void *data, at_str_t value);
static int at_shop_set_retailer(void *data, at_str_t value);
static int at_shop_set_min(void *data, at_str_t value);
static int at_shop_set_max(void *data, at_str_t value);
static int at_shop_set_stock(void *data, at_str_t value);
static int at_shop_set_verified(void *data, at_str_t value);
static int at_shop_set_sort(void *data, at_str_t value);
static int at_shop_set_page(void *data, at_str_t value);
static int at_shop_set_per_page(void *data, at_str_t value);
static int at_shop_set_facets(void *data, at_str_t value);
static int at_shop_set_days(void *data, at_str_t value);


static const at_args_param_t  at_shop_params[] = {
    { "query",
      "query is no percent-encoded UTF-8: encode the text as UTF-8",
      at_shop_set_query, 0 },
    { "category",
      "category is no percent-encoded UTF-8 of at most 100 characters",
      at_shop_set_category, AT_ARGS_VALUE_MAX },
    { "retailer",
      "retailer is no name of a shop, 1 to 32 of a-z, 0-9, - and _",
      at_shop_set_retailer, AT_ARGS_VALUE_MAX },
    { "minPrice",
      "minPrice is no amount such as 999 or 999.50",
      at_shop_set_min, AT_ARGS_VALUE_MAX },
    { "maxPrice",
      "maxPrice is no amount such as 999 or 999.50",
      at_shop_set_max, AT_ARGS_VALUE_MAX },
    { "inStock",
      "inStock is neither true nor false",
      at_shop_set_stock, AT_ARGS_VALUE_MAX },
    { "verified",
      "verified is neither true nor false",
      at_shop_set_verified, AT_ARGS_VALUE_MAX },
    { "sort",
      "sort is none of relevance, price_asc, price_desc, newest",
      at_shop_set_sort, AT_ARGS_VALUE_MAX },
    { "page",
      "page is no whole number from 1 on",
      at_shop_set_page, AT_ARGS_VALUE_MAX },
    { "perPage",
      "perPage is no whole number from 1 to 200",
      at_shop_set_per_page, AT_ARGS_VALUE_MAX },
    { "facets",
      "facets is no list, joined by commas, of category, retailer, inStock, "
      "verified, price",
      at_shop_set_facets, AT_ARGS_VALUE_MAX }
};


static const at_args_param_t  at_shop_history[] = {
    { "days",
      "days is no whole number from 1 to 3650",
      at_shop_set_days, AT_ARGS_VALUE_MAX }
};


static const char  *at_shop_sorts[AT_SHOP_SORTS] = {
    "relevance", "price_asc", "price_desc", "newest"
};


/* In the order of their bits. */

static const char  *at_shop_facets[] = {
    "category", "retailer", "inStock", "verified", "price"
};

#define AT_SHOP_NFACETS  (sizeof(at_shop_facets) / sizeof(at_shop_facets[0]))


static int
at_shop_set_query(void *data, at_str_t value)
{
    size_t           len;
    at_shop_args_t  *out = data;

    if (at_shop_query_raw(value, out->query_text, &len) != AT_OK) {
        return AT_ERROR;
    }

    out->query = (at_str_t) { len, out->query_text };

    return AT_OK;
}


static int
at_shop_set_category(void *data, at_str_t value)
{
    at_shop_args_t  *out = data;

    if (at_shop_category(&value) != AT_OK) {
        return AT_ERROR;
    }

    memcpy(out->category_text, value.data, value.len);
    out->category = (at_str_t) { value.len, out->category_text };

    return AT_OK;
}


static int
at_shop_retailer_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'
           || c == '_';
}


static int
at_shop_set_retailer(void *data, at_str_t value)
{
    char             c;
    size_t           i;
    at_shop_args_t  *out = data;

    if (value.len > AT_SHOP_RETAILER_MAX) {
        return AT_ERROR;
    }

    for (i = 0; i < value.len; i++) {
        c = value.data[i];
        c = (char) (c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);

        if (!at_shop_retailer_char(c)) {
            return AT_ERROR;
        }

        out->retailer_text[i] = c;
    }

    out->retailer = (at_str_t) { value.len, out->retailer_text };

    return AT_OK;
}


/* Digits, and up to two more behind a point, to minor units. */

static int
at_shop_price(at_str_t value, int64_t *price)
{
    char     c;
    int      point;
    size_t   i, digits;
    int64_t  n;

    n = 0;
    point = -1;
    digits = 0;

    for (i = 0; i < value.len; i++) {
        c = value.data[i];

        if (c == '.' && point < 0 && digits > 0) {
            point = 0;
            continue;
        }

        if (c < '0' || c > '9' || point == 2) {
            return AT_ERROR;
        }

        n = n * 10 + (c - '0');
        digits++;
        point += (point >= 0);

        if (n > AT_SHOP_MINOR_MAX) {
            return AT_ERROR;
        }
    }

    if (digits == 0 || point == 0) {
        return AT_ERROR;
    }

    for (i = (point < 0) ? 0 : (size_t) point; i < 2; i++) {
        n *= 10;
    }

    *price = n;

    return (n > AT_SHOP_MINOR_MAX) ? AT_ERROR : AT_OK;
}


static int
at_shop_set_min(void *data, at_str_t value)
{
    at_shop_args_t  *out = data;

    return at_shop_price(value, &out->min_price);
}


static int
at_shop_set_max(void *data, at_str_t value)
{
    at_shop_args_t  *out = data;

    return at_shop_price(value, &out->max_price);
}


static int
at_shop_bool(at_str_t value, int *flag)
{
    if (at_str_ieq(value, AT_STR("true")) || at_str_is(value, "1")) {
        *flag = 1;
        return AT_OK;
    }

    if (at_str_ieq(value, AT_STR("false")) || at_str_is(value, "0")) {
        *flag = 0;
        return AT_OK;
    }

    return AT_ERROR;
}


static int
at_shop_set_stock(void *data, at_str_t value)
{
    at_shop_args_t  *out = data;

    return at_shop_bool(value, &out->in_stock);
}


static int
at_shop_set_verified(void *data, at_str_t value)
{
    at_shop_args_t  *out = data;

    return at_shop_bool(value, &out->verified);
}


static int
at_shop_set_sort(void *data, at_str_t value)
{
    unsigned         i;
    at_shop_args_t  *out = data;

    for (i = 0; i < AT_SHOP_SORTS; i++) {
        if (at_str_is(value, at_shop_sorts[i])) {
            out->sort = (at_shop_sort_e) i;
            return AT_OK;
        }
    }

    return AT_ERROR;
}


/* How far a page may be depends on perPage, which may come later. */

static int
at_shop_set_page(void *data, at_str_t value)
{
    at_shop_args_t  *out = data;

    return at_args_number(value, 100000000, &out->page);
}


static int
at_shop_set_per_page(void *data, at_str_t value)
{
    at_shop_args_t  *out = data;

    return at_args_number(value, AT_SHOP_PER_PAGE_MAX, &out->per_page);
}


static int
at_shop_set_days(void *data, at_str_t value)
{
    at_shop_args_t  *out = data;

    return at_args_number(value, AT_SHOP_DAYS_MAX, &out->days);
}


static int
at_shop_set_facets(void *data, at_str_t value)
{
    size_t           i, start;
    unsigned         n, mask;
    at_str_t         name;
    at_shop_args_t  *out = data;

    mask = 0;
    start = 0;

    for (i = 0; i <= value.len; i++) {

        if (i < value.len && value.data[i] != ',') {
            continue;
        }

        name = (at_str_t) { i - start, value.data + start };
        start = i + 1;

        for (n = 0; n < AT_SHOP_NFACETS; n++) {
            if (at_str_is(name, at_shop_facets[n])) {
                break;
            }
        }

        if (n == AT_SHOP_NFACETS) {
            return AT_ERROR;
        }

        mask |= 1u << n;
    }

    out->facets = mask;

    return AT_OK;
}


static void
at_shop_args_init(at_shop_args_t *out)
{
    out->query = AT_STR_NULL;
    out->category = AT_STR_NULL;
    out->retailer = AT_STR_NULL;
    out->min_price = -1;
    out->max_price = -1;
    out->in_stock = -1;
    out->verified = -1;
    out->sort = AT_SHOP_RELEVANCE;
    out->facets = 0;
    out->page = 1;
    out->per_page = AT_SHOP_PER_PAGE;
    out->days = AT_SHOP_DAYS;
}


int
at_shop_args_parse(at_str_t raw, at_shop_args_t *out,
    at_args_error_t *error)
{
    at_shop_args_init(out);

    if (at_args_parse(raw, at_shop_params,
                      sizeof(at_shop_params) / sizeof(at_shop_params[0]), out,
                      error)
        != AT_OK)
    {
        return AT_ERROR;
    }

    if ((out->page - 1) > AT_SHOP_OFFSET_MAX / out->per_page) {
        error->name = "page";
        error->value = AT_STR_NULL;
        error->message = "page is too far: at most 10000 products may stand "
                         "before it, so narrow the search";
        return AT_ERROR;
    }

    if (out->min_price >= 0 && out->max_price >= 0
        && out->min_price > out->max_price)
    {
        error->name = "maxPrice";
        error->value = AT_STR_NULL;
        error->message = "maxPrice is below minPrice, so nothing can be found";
        return AT_ERROR;
    }

    return AT_OK;
}


int
at_shop_days_parse(at_str_t raw, at_shop_args_t *out,
    at_args_error_t *error)
{
    at_shop_args_init(out);

    return at_args_parse(raw, at_shop_history, 1, out, error);
}


static size_t
at_shop_key_add(char *out, size_t n, const char *name, at_str_t value)
{
    size_t  len;

    len = strlen(name);
    memcpy(out + n, name, len);

    if (value.len) {
        memcpy(out + n + len, value.data, value.len);
    }

    return n + len + value.len;
}


/* Nothing for -1, which is any. */

static size_t
at_shop_key_number(char *out, size_t n, const char *name, int64_t number)
{
    int       len;
    char      text[24];
    at_str_t  value;

    value = AT_STR_NULL;

    if (number >= 0) {
        len = snprintf(text, sizeof(text), "%lld", (long long) number);

        value.data = text;
        value.len = (size_t) len;
    }

    return at_shop_key_add(out, n, name, value);
}


size_t
at_shop_args_key(const at_shop_args_t *args, char out[AT_SHOP_KEY_MAX])
{
    size_t  n;

    n = at_shop_key_add(out, 0, "p=", args->query);
    n = at_shop_key_add(out, n, ";c=", args->category);
    n = at_shop_key_add(out, n, ";r=", args->retailer);
    n = at_shop_key_number(out, n, ";min=", args->min_price);
    n = at_shop_key_number(out, n, ";max=", args->max_price);
    n = at_shop_key_number(out, n, ";stock=", args->in_stock);
    n = at_shop_key_number(out, n, ";verified=", args->verified);
    n = at_shop_key_add(out, n, ";sort=", (at_str_t) {
                            strlen(at_shop_sorts[args->sort]),
                            at_shop_sorts[args->sort] });

    return at_shop_key_number(out, n, ";facets=", args->facets);
}


static int
at_shop_json_text(at_buf_t *b, const char *name, at_str_t value)
{
    int  rc;

    if (value.len == 0) {
        return AT_OK;
    }

    rc = at_buf_printf(b, ",\"%s\":", name);

    return rc | at_json_write_string(b, value);
}


static int
at_shop_json_flag(at_buf_t *b, const char *name, int flag)
{
    return (flag < 0) ? AT_OK : at_buf_printf(b, ",\"%s\":%s", name,
                                              flag ? "true" : "false");
}


static int
at_shop_json_price(at_buf_t *b, const char *name, int64_t price)
{
    return (price < 0) ? AT_OK : at_buf_printf(b, ",\"%s\":%lld", name,
                                               (long long) price);
}


int
at_shop_args_json(const at_shop_args_t *args, at_buf_t *b)
{
    int          rc;
    size_t       i;
    const char  *before;

    rc = at_buf_printf(b, "{\"limit\":%u,\"offset\":%u,\"sort\":\"%s\"",
                       args->per_page, (args->page - 1) * args->per_page,
                       at_shop_sorts[args->sort]);

    rc |= at_shop_json_text(b, "query", args->query);
    rc |= at_shop_json_text(b, "category", args->category);
    rc |= at_shop_json_text(b, "retailer", args->retailer);
    rc |= at_shop_json_price(b, "minPrice", args->min_price);
    rc |= at_shop_json_price(b, "maxPrice", args->max_price);
    rc |= at_shop_json_flag(b, "inStock", args->in_stock);
    rc |= at_shop_json_flag(b, "verified", args->verified);

    before = ",\"facets\":[\"";

    for (i = 0; i < AT_SHOP_NFACETS; i++) {
        if (args->facets & (1u << i)) {
            rc |= at_buf_printf(b, "%s%s\"", before, at_shop_facets[i]);
            before = ",\"";
        }
    }

    if (args->facets) {
        rc |= at_buf_append_str(b, AT_STR("]"));
    }

    return rc | at_buf_append_str(b, AT_STR("}"));
}


int
at_shop_id_valid(at_str_t id)
{
    char    c;
    size_t  i, colon;

    for (colon = 0; colon < id.len && id.data[colon] != ':'; colon++) {
        if (!at_shop_retailer_char(id.data[colon])) {
            return 0;
        }
    }

    if (colon == 0 || colon > AT_SHOP_RETAILER_MAX || colon + 1 >= id.len
        || id.len - colon - 1 > AT_SHOP_ID_MAX)
    {
        return 0;
    }

    for (i = colon + 1; i < id.len; i++) {
        c = id.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
        {
            return 0;
        }
    }

    return 1;
}
