/*
 * ikea.com/in: JSON-LD on product pages, cards with data-price, and a JSON
 * API for lists and stock.
 *
 *     /in/en/search/?q=sofa&page=2  /in/en/cat/sofas-fu003/?page=2
 *     /in/en/p/slug-12345678/  /in/en/images/products/slug__12345678_s5.jpg
 *     /in/en/search-result-page?q=sofa&size=24
 *     /in/en/product-list-page?category=sofas&size=24
 *     /in/en/product-list-page/more-products?category=sofas&start=24&end=48
 *     /cia/availabilities/ru/in?itemNos=12345678    with an X-Client-Id
 *
 * One product in ten has the older page, with microdata.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shop.h"


#define SB_RUPEE  "\xe2\x82\xb9"


static void
sb_ikea_window(sb_visit_t *v)
{
    unsigned long  start, end, size;

    v->target = SB_TARGET_API_LISTING;
    sb_visit_list(v, sb_arg(v->c, "q"), sb_arg(v->c, "category"), NULL);

    (void) sb_arg_number(v->c, "size", 24, &size);
    (void) sb_arg_number(v->c, "start", 0, &start);
    (void) sb_arg_number(v->c, "end", start + size, &end);

    v->first = start < v->total ? (unsigned) start : v->total;
    v->n = end > start ? (unsigned) (end - start < SB_SHOWN_MAX
                                     ? end - start : SB_SHOWN_MAX) : 0;
}


static void
sb_ikea_find(sb_visit_t *v)
{
    size_t       len;
    char         path[SB_PATH_MAX];
    const char  *p, *id;

    p = v->path;
    len = strlen(p);

    if (strcmp(p, "/") == 0 || strcmp(p, "/in/en/") == 0) {
        v->target = SB_TARGET_HOME;

    } else if (strncmp(p, "/in/en/search/", 14) == 0) {
        v->target = SB_TARGET_LISTING;
        sb_visit_list(v, sb_arg(v->c, "q"), NULL, sb_arg(v->c, "page"));

    } else if (strncmp(p, "/in/en/cat/", 11) == 0) {
        v->target = SB_TARGET_LISTING;
        sb_visit_list(v, NULL, p + 11, sb_arg(v->c, "page"));

    } else if (strcmp(p, "/in/en/search-result-page") == 0
               || strncmp(p, "/in/en/product-list-page", 24) == 0)
    {
        sb_ikea_window(v);

    } else if (strcmp(p, "/cia/availabilities/ru/in") == 0) {
        v->target = SB_TARGET_API_STOCK;

    } else if (strncmp(p, "/in/en/p/", 9) == 0 && len > 18) {
        v->target = SB_TARGET_PRODUCT;
        len -= (p[len - 1] == '/');
        id = p + len - 8;
        id -= (id[-1] == 'S' || id[-1] == 's');

        if (sb_visit_product(v, id, (size_t) (p + len - id)) == SB_OK) {
            v->shop->path(&v->good, path, sizeof(path));
            v->old = (strcmp(path, p) != 0);
        }
    }
}


static void
sb_ikea_path(const sb_good_t *g, char *dst, size_t size)
{
    snprintf(dst, size, "/in/en/p/%s-%s/", g->slug, g->id);
}


static void
sb_ikea_category(const sb_kind_t *k, char *dst, size_t size)
{
    snprintf(dst, size, "/in/en/cat/%s-%c%c%03u/", k->slug, k->slug[0],
             k->slug[1], (unsigned) (k->low % 700));
}


static void
sb_ikea_image(const sb_good_t *g, unsigned n, unsigned width, char *dst,
    size_t size)
{
    snprintf(dst, size, "/in/en/images/products/%s__%s_pe%06u_s%c.jpg",
             g->slug, g->id, (unsigned) (g->hash % 900000) + n,
             "345"[(width > 300) + (width > 600)]);
}


static int
sb_ikea_picture(const char *path, char *id, size_t size, unsigned *width,
    unsigned *height)
{
    const char  *p, *q;

    p = strncmp(path, "/in/en/images/products/", 23) == 0
        ? strstr(path, "__") : NULL;

    if (p == NULL) {
        return 0;
    }

    snprintf(id, size, "%.*s", (int) strcspn(p + 2, "_"), p + 2);
    q = strrchr(p, '_');
    *width = q[1] != 's' ? 600 : q[2] == '3' ? 300 : q[2] == '4' ? 500 : 1400;
    *height = *width;

    return 1;
}


static void
sb_ikea_head(sb_visit_t *v, const char *title, const char *canonical)
{
    sb_buf_print(v->b, "<!DOCTYPE html><html lang=\"en-IN\"><head><meta "
                 "charset=\"UTF-8\"><title>%s - IKEA</title><meta property=\""
                 "og:title\" content=\"%s - IKEA\"><link rel=\"canonical\" "
                 "href=\"%s\">\n", title, title, canonical);
    sb_filler_style(v->b, 41, 18000);
    sb_filler_script(v->b, 42, 12000);
    sb_buf_print(v->b, "</head><body>\n");
    sb_menu(v);
}


static void
sb_ikea_card(sb_visit_t *v, const sb_good_t *g)
{
    sb_buf_t   *b;
    sb_view_t   w;

    b = v->b;
    sb_view(v, g, &w);

    sb_buf_print(b, "<div class=\"plp-fragment-wrapper\"><div class=\"plp-mas"
                 "tercard\" data-ref-id=\"%s\" data-product-number=\"%s\" "
                 "data-product-type=\"%s\" data-price=\"%s\" data-currency=\""
                 "INR\" data-product-name=\"%s\"><a href=\"%s\"><img class=\""
                 "%s\" src=\"%s\" alt=\"%s\"></a><h3 class=\"plp-price-module__"
                 "information\"><span class=\"%s\">%s</span><span class=\"%s\">"
                 "%s, %s</span></h3>", g->id, g->id, g->id[0] == 'S' ? "SPR"
                 : "ART", w.plain, g->name, w.href,
                 sb_class(v, "plp-image"), w.image, w.title,
                 sb_class(v, "plp-price-module__product-name"), g->name,
                 sb_class(v, "plp-price-module__description"), g->type,
                 g->color);

    if (w.off) {
        sb_buf_print(b, "<div class=\"plp-price-module__addon\">Previous "
                     "price: Rs.%s</div>", w.mrp);
    }

    sb_buf_print(b, "<div class=\"%s\"><span class=\"plp-price__sr-text\">"
                 "Price Rs.%s</span><span aria-hidden=\"true\"><span class=\""
                 "plp-price__currency\">Rs.</span><span class=\"%s\">%s</span>"
                 "</span></div>", sb_class(v, "plp-price"), w.price,
                 sb_class(v, "plp-price__integer"), w.price);

    sb_buf_print(b, "<span class=\"plp-status\">%s</span></div></div>\n",
                 g->stock ? "In stock" : "Out of stock");
}


static void
sb_ikea_listing(sb_visit_t *v)
{
    char       title[6 * SB_QUERY_MAX + 20], canonical[560], path[200];
    unsigned   i;
    sb_buf_t  *b;

    b = v->b;
    sb_html_copy(title, sizeof(title), v->query[0] ? v->query
                                       : v->kind ? v->kind->noun : "Search");
    snprintf(path, sizeof(path), "/in/en/search/");

    if (v->kind) {
        sb_ikea_category(v->kind, path, sizeof(path));
    }

    snprintf(canonical, sizeof(canonical), "%s%s", v->base, path);
    sb_ikea_head(v, title, canonical);
    sb_buf_print(b, "<h1>%s</h1><div class=\"plp-product-list\" data-count=\""
                 "%u\">\n", title, v->total);

    for (i = 0; i < v->n; i++) {
        sb_ikea_card(v, &v->goods[i]);
    }

    if (v->n == 0) {
        sb_buf_print(b, "<p>No results found. Sorry! We couldn't find any "
                     "results for your search</p>");

    } else if (v->first + v->n < v->total) {
        sb_buf_print(b, "<a class=\"plp-btn\" href=\"?page=%u\">Show more</a>",
                     v->page + 1);
    }

    sb_buf_print(b, "</div>\n");
    sb_filler_script(b, 43, 30000);
    sb_buf_print(b, "</body></html>\n");
}


static void
sb_ikea_breadcrumb(sb_visit_t *v, const sb_view_t *w)
{
    char  path[200];

    sb_ikea_category(sb_kind(w->g->kind), path, sizeof(path));

    sb_buf_print(v->b, "<ol itemscope itemtype=\"https://schema.org/Breadcrumb"
                 "List\"><li itemprop=\"itemListElement\" itemscope itemtype=\""
                 "https://schema.org/ListItem\"><a itemprop=\"item\" href=\"%s"
                 "%s\"><span itemprop=\"name\">%ss</span></a><meta itemprop=\""
                 "position\" content=\"1\"></li></ol>\n", v->root, path,
                 sb_kind(w->g->kind)->noun);
}


static void
sb_ikea_ld(sb_visit_t *v, const sb_view_t *w)
{
    char  second[SB_PATH_MAX];

    v->shop->image(w->g, 1, 1400, second, sizeof(second));

    sb_buf_print(v->b, "<script type=\"application/ld+json\" id=\"pip-range-"
                 "json-ld\">{\"@context\":\"https://schema.org/\",\"@type\":"
                 "\"Product\",\"name\":\"%s\",\"image\":[\"%s\",\"%s%s\"],"
                 "\"description\":\"%s. From Rs.199.\",\"url\":\"%s\",\"sku\":"
                 "\"%s\",\"mpn\":\"%s\",\"brand\":{\"@type\":\"Thing\","
                 "\"name\":\"IKEA\"},\"offers\":{\"@type\":\"Offer\",\"url\":"
                 "\"%s\",\"priceCurrency\":\"INR\",\"price\":\"%s\","
                 "\"itemCondition\":\"https://schema.org/NewCondition\","
                 "\"availability\":\"https://schema.org/%s\",\"seller\":"
                 "{\"@type\":\"Organization\",\"name\":\"IKEA\"}}}</script>\n",
                 w->json, w->image, v->base, second, w->json, w->url,
                 w->g->second, w->g->second, w->url, w->plain,
                 w->g->stock ? "InStock" : "OutOfStock");

    sb_buf_print(v->b, "<script data-type=\"utag-data\">var utag_data = "
                 "{\"site_platform\":\"m2\",\"visit_country\":\"in\","
                 "\"product_ids\":[\"%s\"],\"product_type\":\"%s\","
                 "\"product_names\":[\"%s\"],\"product_prices\":[\"%s\"],"
                 "\"currency\":\"INR\"};</script>\n", w->g->id,
                 w->g->id[0] == 'S' ? "SPR" : "ART", w->g->name, w->plain);
}


/* As before 2020: no JSON-LD, and 12.5 for 12.50. */

static void
sb_ikea_microdata(sb_visit_t *v, const sb_view_t *w)
{
    size_t  n;
    char    price[32];

    snprintf(price, sizeof(price), "%s", w->plain);
    n = strlen(price);

    if (strchr(price, '.') && price[n - 1] == '0') {
        price[n - 1] = '\0';
    }

    sb_buf_print(v->b, "<div itemscope itemtype=\"http://schema.org/Product\">"
                 "<img itemprop=\"image\" src=\"%s\"><h1 itemprop=\"name\">%s"
                 "</h1><span itemprop=\"sku\">%s</span><div itemprop=\"offers\""
                 " itemscope itemtype=\"http://schema.org/Offer\"><meta "
                 "itemprop=\"priceCurrency\" content=\"INR\"><span itemprop=\""
                 "price\" content=\"%s\">Rs. %s</span><link itemprop=\""
                 "availability\" href=\"http://schema.org/%s\"></div></div>\n",
                 w->image, w->title, w->g->second, price, w->price,
                 w->g->stock ? "InStock" : "OutOfStock");

    if (w->off) {
        sb_buf_print(v->b, "<div class=\"prevPrice\">Previous price <span>Rs."
                     "%s</span></div>\n", w->mrp);
    }
}


static void
sb_ikea_offer(sb_visit_t *v, const sb_view_t *w)
{
    sb_buf_t  *b;

    b = v->b;

    sb_buf_print(b, "<div class=\"js-price-package pip-price-package\"><h1 "
                 "class=\"pip-header-section\"><span class=\"%s\">%s</span>"
                 "<span class=\"%s\">%s, %s</span></h1>",
                 sb_class(v, "pip-header-section__title--big"), w->g->name,
                 sb_class(v, "pip-header-section__description-text"),
                 w->g->type, w->g->color);

    if (w->off) {
        sb_buf_print(b, "<span class=\"pip-price-package__previous-price\">"
                     "Previous price <span>Rs.%s</span></span>", w->mrp);
    }

    sb_buf_print(b, "<div class=\"%s\"><span class=\"pip-price__sr-text\">"
                 "Price Rs.%s</span><span aria-hidden=\"true\"><span class=\""
                 "pip-price__currency\">Rs.</span><span class=\"%s\">%s</span>"
                 "</span></div><span>Price incl. GST. EMI from Rs.%lld/month"
                 "</span></div>\n", sb_class(v, "pip-price"), w->price,
                 sb_class(v, "pip-price__integer"), w->price,
                 (long long) (w->g->price / 1200));
}


static void
sb_ikea_related(sb_visit_t *v)
{
    unsigned   i;
    sb_good_t  others[12];
    sb_view_t  w;

    sb_others(v, 12, others);

    for (i = 0; i < 12; i++) {
        sb_view(v, &others[i], &w);
        sb_buf_print(v->b, "<div class=\"pip-product-compact\" data-ref-id=\""
                     "%s\" data-product-number=\"%s\" data-price=\"%s\" "
                     "data-currency=\"INR\" data-product-name=\"%s\"><a href="
                     "\"%s\">%s</a><span class=\"pip-price__integer\">%s"
                     "</span></div>\n", others[i].id, others[i].id, w.plain,
                     others[i].name, w.href, w.title, w.price);
    }
}


static void
sb_ikea_product(sb_visit_t *v)
{
    int         bare, older;
    sb_buf_t   *b;
    sb_view_t   w;

    b = v->b;
    bare = (v->fate == SB_FATE_BARE);
    sb_view(v, &v->good, &w);
    older = (w.g->hash % 10 == 0);

    sb_ikea_head(v, w.title, w.url);
    sb_buf_print(b, "<meta property=\"og:image\" content=\"%s\">\n", w.image);
    sb_ikea_breadcrumb(v, &w);
    sb_buf_print(b, "<div class=\"pip-product js-product-pip\" data-product-id"
                 "=\"%s\" data-product-no=\"%s\" data-online-sellable=\"%s\">"
                 "\n<img class=\"pip-image\" src=\"%s\" alt=\"%s\">\n",
                 w.g->id, w.g->id, w.g->stock ? "true" : "false", w.image,
                 w.title);

    if (!bare && older) {
        sb_ikea_microdata(v, &w);

    } else if (!bare) {
        sb_ikea_offer(v, &w);
    }

    sb_buf_print(b, "<div class=\"js-stockcheck-section\"><span class=\""
                 "pip-status\">%s</span></div><span class=\"pip-product-"
                 "identifier__value\">%s</span></div>\n", w.g->stock == 0
                 ? "Currently out of stock online" : w.g->stock < 5
                 ? "Running low" : "In stock", w.g->second);

    sb_ikea_related(v);
    sb_buf_print(b, "<div class=\"pip-reviews\">");
    sb_filler_words(b, w.g->hash, 18000);
    sb_buf_print(b, "</div>\n");
    sb_filler_script(b, 44, 56000);

    if (!bare && !older) {
        sb_ikea_ld(v, &w);
    }

    sb_buf_print(b, "</body></html>\n");
}


static void
sb_ikea_gen_product(sb_visit_t *v, const sb_good_t *good, yajl_gen g)
{
    char       whole[32], paise[8];
    sb_view_t  w;

    sb_view(v, good, &w);
    sb_money(whole, sizeof(whole), good->price / 100 * 100, 1, 0);
    snprintf(paise, sizeof(paise), good->price % 100 ? "%02d" : "",
             (int) (good->price % 100));

    yajl_gen_map_open(g);
    sb_gen_member(g, "id", good->id);
    sb_gen_member(g, "itemNo", good->id + (good->id[0] == 'S'));
    sb_gen_member(g, "itemNoGlobal", good->id + (good->id[0] == 'S'));
    sb_gen_member(g, "itemType", good->id[0] == 'S' ? "SPR" : "ART");
    sb_gen_member(g, "name", good->name);
    sb_gen_member(g, "typeName", good->type);
    sb_gen_member(g, "itemMeasureReferenceText", good->material);
    sb_gen_member(g, "mainImageUrl", w.image);
    sb_gen_member(g, "mainImageAlt", good->title);
    sb_gen_member(g, "pipUrl", w.url);
    sb_gen_text(g, "onlineSellable");
    yajl_gen_bool(g, good->stock > 0);
    sb_gen_text(g, "lastChance");
    yajl_gen_bool(g, 0);
    sb_gen_member_num(g, "ratingValue", 3.5 + (double) (good->hash % 15) / 10);

    sb_gen_text(g, "salesPrice");
    yajl_gen_map_open(g);
    sb_gen_member(g, "currencyCode", "INR");
    sb_gen_member_num(g, "numeral", (double) good->price / 100);
    sb_gen_text(g, "current");
    yajl_gen_map_open(g);
    sb_gen_member(g, "prefix", "Rs.");
    sb_gen_member(g, "wholeNumber", whole);
    sb_gen_member(g, "separator", ".");
    sb_gen_member(g, "decimals", paise);
    sb_gen_member(g, "suffix", "");
    yajl_gen_map_close(g);

    if (w.off) {
        sb_gen_text(g, "previous");
        yajl_gen_map_open(g);
        sb_gen_member(g, "prefix", "Rs.");
        sb_gen_member(g, "wholeNumber", w.mrp);
        sb_gen_member(g, "separator", "");
        sb_gen_member(g, "decimals", "");
        sb_gen_member(g, "suffix", "");
        yajl_gen_map_close(g);
    }

    sb_gen_member(g, "tag", w.off ? "NEW_LOWER_PRICE" : "NONE");
    yajl_gen_map_close(g);
    yajl_gen_map_close(g);
}


static void
sb_ikea_api_list(sb_visit_t *v)
{
    int       search, more;
    unsigned  i;
    yajl_gen  g;

    search = strstr(v->path, "search-result-page") != NULL;
    more = strstr(v->path, "more-products") != NULL;

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_text(g, search ? "searchResultPage" : more ? "moreProducts"
                                                      : "productListPage");
    yajl_gen_map_open(g);

    if (search) {
        sb_gen_text(g, "products");
        yajl_gen_map_open(g);
        sb_gen_text(g, "main");
        yajl_gen_map_open(g);
        sb_gen_member_int(g, "start", v->first);
        sb_gen_member_int(g, "end", v->first + v->n);
        sb_gen_member_int(g, "max", v->total);
        sb_gen_text(g, "items");

    } else {
        sb_gen_member_int(g, "productCount", v->total);
        sb_gen_text(g, "productWindow");
    }

    yajl_gen_array_open(g);

    for (i = 0; i < v->n; i++) {
        if (search) {
            yajl_gen_map_open(g);
            sb_gen_member(g, "type", "PRODUCT");
            sb_gen_text(g, "product");
        }

        sb_ikea_gen_product(v, &v->goods[i], g);

        if (search) {
            yajl_gen_map_close(g);
        }
    }

    yajl_gen_array_close(g);

    if (search) {
        yajl_gen_map_close(g);
        yajl_gen_map_close(g);
    }

    yajl_gen_map_close(g);
    yajl_gen_map_close(g);
    sb_gen_end(g, v->b);
}


static void
sb_ikea_gen_store(yajl_gen g, const sb_good_t *good, unsigned store)
{
    char  code[8];

    snprintf(code, sizeof(code), "%u", 460 + store);

    yajl_gen_map_open(g);
    sb_gen_text(g, "classUnitKey");
    yajl_gen_map_open(g);
    sb_gen_member(g, "classUnitCode", store ? code : "IN");
    sb_gen_member(g, "classUnitType", store ? "STO" : "RU");
    yajl_gen_map_close(g);
    sb_gen_text(g, "itemKey");
    yajl_gen_map_open(g);
    sb_gen_member(g, "itemNo", good->id + (good->id[0] == 'S'));
    sb_gen_member(g, "itemType", good->id[0] == 'S' ? "SPR" : "ART");
    yajl_gen_map_close(g);
    sb_gen_text(g, "isInCashAndCarryRange");
    yajl_gen_bool(g, store > 0);
    sb_gen_text(g, "availableStocks");
    yajl_gen_array_open(g);
    yajl_gen_map_open(g);
    sb_gen_member(g, "type", store ? "CASHCARRY" : "HOMEDELIVERY");
    sb_gen_member_int(g, "quantity", store ? good->stock / 2 : good->stock);
    yajl_gen_map_close(g);
    yajl_gen_array_close(g);
    yajl_gen_map_close(g);
}


/* Sets are asked for without their S. */

static int
sb_ikea_item(const char *no, size_t len)
{
    int   i;
    char  id[16];

    i = sb_good_find(SB_SHOP_IKEA, no, len);

    if (i < 0 && len == 8) {
        snprintf(id, sizeof(id), "S%.8s", no);
        i = sb_good_find(SB_SHOP_IKEA, id, 9);
    }

    return i;
}


static void
sb_ikea_api_stock(sb_visit_t *v)
{
    int          i;
    size_t       len;
    unsigned     store;
    yajl_gen     g;
    sb_good_t    good;
    const char  *p;

    if (sb_call_header(v->c, "X-Client-Id") == NULL) {
        sb_answer_text(v->c, 401, "application/json",
                       "{\"errors\":[{\"code\":401,\"message\":\"X-Client-Id "
                       "is missing\"}]}");
        return;
    }

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_text(g, "data");
    yajl_gen_array_open(g);

    p = sb_arg(v->c, "itemNos");

    while (p && *p && v->n < SB_SHOWN_MAX) {
        len = strcspn(p, ",");
        i = sb_ikea_item(p, len);

        if (i >= 0) {
            good = *sb_good(SB_SHOP_IKEA, (unsigned) i);
            sb_stand_now(SB_SHOP_IKEA, &good);
            v->goods[v->n++] = good;

            for (store = 0; store < 3; store++) {
                sb_ikea_gen_store(g, &good, store);
            }
        }

        p += len + (p[len] == ',');
    }

    yajl_gen_array_close(g);
    yajl_gen_map_close(g);
    sb_gen_end(g, v->b);
}


static void
sb_ikea_api(sb_visit_t *v)
{
    sb_answer_begin(v->c, 200, "application/json");

    if (v->target == SB_TARGET_API_STOCK) {
        sb_ikea_api_stock(v);

    } else {
        sb_ikea_api_list(v);
    }
}


const sb_shop_t  sb_shop_ikea = {
    .shop = SB_SHOP_IKEA,
    .name = "ikea",
    .title = "IKEA",
    .per_page = 24,
    .wall = SB_FATE_DENIED,
    .captcha = "<h1>Please verify you are a human</h1>",
    .lost = "Oops! Something went wrong. We can't find that page.",
    .shell = "<div class=\"js-product-list\" data-search-total-count=\"1\">"
             "</div>",
    .etag = 1,
    .dated = 1,
    .robots = "Disallow: /in/en/shoppinglist/\nDisallow: /*/cart/\n"
              "Disallow: /*.pdf$\nDisallow: /in/en/profile/\n",
    .find = sb_ikea_find,
    .path = sb_ikea_path,
    .category = sb_ikea_category,
    .image = sb_ikea_image,
    .listing = sb_ikea_listing,
    .product = sb_ikea_product,
    .api = sb_ikea_api,
    .picture = sb_ikea_picture
};
