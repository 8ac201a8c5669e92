/*
 * Products of a page as JSON for products_see() (see at_look.h).
 */

#include "at_look.h"
#include "at_json.h"

#include <inttypes.h>
#include <string.h>


static int at_look_text(at_buf_t *b, const char *name, at_str_t text);
static int at_look_money(at_buf_t *b, const at_look_shop_t *shop,
    const at_shop_product_t *p, int list);
static at_str_t at_look_cut(at_str_t s, size_t max);


/* As money_digits() of the database has them. */

static const char  at_look_whole[] =
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
static const char  at_look_thirds[] = "BHD IQD JOD KWD LYD OMR TND";


int64_t
at_look_minor(int64_t hundredths, const char *currency)
{
    if (strlen(currency) == 3) {

        if (strstr(at_look_whole, currency)) {
            return hundredths / 100;
        }

        if (strstr(at_look_thirds, currency)) {
            return hundredths * 10;
        }
    }

    return hundredths;
}


int
at_look_write(at_buf_t *b, const at_look_shop_t *shop,
    const at_shop_product_t *p, int list, at_str_t category, int64_t fence)
{
    int     rc;
    char    id[128];
    size_t  len, before;

    /* ids are letters and digits, as the recipe has checked */

    if (p->id.len == 0 || p->id.len > 80 || (p->stranger && !list)) {
        return 0;
    }

    before = b->len;
    len = strlen(shop->name);
    memcpy(id, shop->name, len);
    id[len++] = ':';
    memcpy(id + len, p->id.data, p->id.len);
    len += p->id.len;

    rc = at_buf_append_str(b, AT_STR("{\"id\":"))
         | at_json_write_string(b, (at_str_t) { len, id })
         | at_look_text(b, "title", p->title)
         | at_look_text(b, "url", p->url.len > 2048 ? AT_STR_NULL : p->url)
         | at_look_text(b, "image",
                        p->image.len > 2048 ? AT_STR_NULL : p->image)
         | at_look_text(b, "category", at_look_cut(category, 400))
         | at_look_money(b, shop, p, list);

    if (p->stock != AT_SHOP_STOCK_UNKNOWN) {
        rc |= at_buf_printf(b, ",\"inStock\":%s",
                            p->stock == AT_SHOP_STOCK_IN ? "true" : "false");
    }

    if (fence) {
        rc |= at_buf_printf(b, ",\"fence\":%" PRId64, fence);
    }

    rc |= at_buf_printf(b, ",\"from\":\"%s\"}", list ? "list" : "page");

    if (rc != AT_OK) {
        b->len = before;
        return AT_NO_MEMORY;
    }

    return 1;
}


/* A price and what belongs to it; without one a list price says nothing. */

static int
at_look_money(at_buf_t *b, const at_look_shop_t *shop,
    const at_shop_product_t *p, int list)
{
    int          rc;
    int64_t      price;
    const char  *currency;

    currency = p->currency[0] ? p->currency : shop->recipe->currency;
    price = at_look_minor(p->price, currency);

    if (p->price <= 0 || price <= 0) {
        return AT_OK;
    }

    rc = at_buf_printf(b, ",\"price\":%" PRId64 ",\"mrp\":%" PRId64, price,
                       at_look_minor(p->mrp, currency));
    rc |= at_look_text(b, "currency", (at_str_t) { strlen(currency),
                                                   currency });

    if (p->layer[AT_SHOP_PRICE] < AT_SHOP_LAYERS) {
        rc |= at_buf_printf(b, ",\"layer\":\"%s\"", at_shop_layer_name(
                            (at_shop_layer_e) p->layer[AT_SHOP_PRICE]));
    }

    /* of a list the text is not searched for what data says */

    if (p->disagrees || (!list && !p->shown
                         && shop->recipe->check == AT_SHOP_CHECK_TEXT))
    {
        rc |= at_buf_append_str(b, AT_STR(",\"doubt\":true"));
    }

    return rc;
}


static int
at_look_text(at_buf_t *b, const char *name, at_str_t text)
{
    if (text.len == 0) {
        return AT_OK;
    }

    return at_buf_printf(b, ",\"%s\":", name) | at_json_write_string(b, text);
}


static at_str_t
at_look_cut(at_str_t s, size_t max)
{
    if (s.len > max) {
        s.len = max;
    }

    return s;
}
