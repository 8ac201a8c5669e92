/*
 * pepperfry.com: Angular's pages, JSON-LD and a state with escaped quotes.
 *
 *     /site_product/search?q=sofa&as=0&p=2  /category/sofas.html?page=2
 *     /product/slug-1234567.html
 *     /media/catalog/product/x/y/800x880/slug-1234567-1.jpg
 *
 * The breadcrumb's JSON-LD comes before the product's; the list's has
 * addresses only.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shop.h"


#define SB_RUPEE  "\xe2\x82\xb9"


static void
sb_pepperfry_find(sb_visit_t *v)
{
    size_t       len;
    char         path[SB_PATH_MAX];
    const char  *p, *end;

    p = v->path;
    len = strlen(p);

    if (strcmp(p, "/") == 0) {
        v->target = SB_TARGET_HOME;

    } else if (strcmp(p, "/site_product/search") == 0) {
        v->target = SB_TARGET_LISTING;
        sb_visit_list(v, sb_arg(v->c, "q"), NULL, sb_arg(v->c, "p"));

    } else if (strncmp(p, "/category/", 10) == 0) {
        v->target = SB_TARGET_LISTING;
        sb_visit_list(v, NULL, p + 10, sb_arg(v->c, "page"));

    } else if (strncmp(p, "/product/", 9) == 0 && len > 21
               && strcmp(p + len - 5, ".html") == 0)
    {
        v->target = SB_TARGET_PRODUCT;
        end = p + len - 5;

        if (sb_visit_product(v, end - 7, 7) == SB_OK) {
            v->shop->path(&v->good, path, sizeof(path));
            v->old = (strcmp(path, p) != 0);
        }
    }
}


static void
sb_pepperfry_path(const sb_good_t *g, char *dst, size_t size)
{
    snprintf(dst, size, "/product/%s-%s.html", g->slug, g->id);
}


static void
sb_pepperfry_category(const sb_kind_t *k, char *dst, size_t size)
{
    snprintf(dst, size, "/category/%s.html", k->slug);
}


/* Three sizes there are, each a tenth higher than wide. */

static void
sb_pepperfry_image(const sb_good_t *g, unsigned n, unsigned width, char *dst,
    size_t size)
{
    snprintf(dst, size, "/media/catalog/product/%c/%c/%s/%s-%s-%u.jpg",
             g->slug[0], g->slug[1], width <= 494 ? "494x544"
             : width <= 800 ? "800x880" : "1600x1760", g->slug, g->id, n);
}


static int
sb_pepperfry_picture(const char *path, char *id, size_t size,
    unsigned *width, unsigned *height)
{
    size_t       len;
    const char  *p;

    len = strlen(path);

    if (strncmp(path, "/media/catalog/product/", 23) != 0 || len < 50) {
        return 0;
    }

    p = strchr(path + 23, '/');
    p = p ? strchr(p + 1, '/') : NULL;
    *width = p ? (unsigned) strtoul(p + 1, NULL, 10) : 800;
    p = p ? strchr(p, 'x') : NULL;
    *height = p ? (unsigned) strtoul(p + 1, NULL, 10) : 880;
    snprintf(id, size, "%.7s", path + len - 13);

    return 1;
}


static void
sb_pepperfry_head(sb_visit_t *v, const char *title, const char *canonical)
{
    sb_buf_print(v->b, "<!DOCTYPE html><html lang=\"en\" data-critters-"
                 "container><head><meta charset=\"utf-8\"><title>%s</title>"
                 "<link rel=\"canonical\" href=\"%s\">\n", title, canonical);
    sb_filler_style(v->b, 31, 24000);
    sb_filler_script(v->b, 32, 16000);
    sb_buf_print(v->b, "</head><body><pf-root ng-version=\"15.2.9\" "
                 "ng-server-context=\"ssr\">\n");
    sb_menu(v);
}


static void
sb_pepperfry_card(sb_visit_t *v, const sb_good_t *g)
{
    sb_buf_t   *b;
    sb_view_t   w;

    b = v->b;
    sb_view(v, g, &w);

    sb_buf_print(b, "<div class=\"product-card\" data-product-id=\"%s\"><a "
                 "class=\"%s\" href=\"%s\"><img loading=\"lazy\" src=\"%s\" "
                 "alt=\"%s\"><h3 class=\"%s text-md\">%s</h3></a><span class="
                 "\"product-brand\">by ", g->id,
                 sb_class(v, "clip-prd-dtl"), w.href, w.image, w.title,
                 sb_class(v, "product-name"), w.title);
    sb_html(b, g->brand);
    sb_buf_print(b, "</span><div class=\"product-price\"><span class=\"%s "
                 "text-lg font-bold\">" SB_RUPEE "%s</span>",
                 sb_class(v, "clip-offr-price"), w.price);

    if (w.off) {
        sb_buf_print(b, "<span class=\"%s\">" SB_RUPEE "%s</span><span class="
                     "\"product-discount\">%u%% Off</span>",
                     sb_class(v, "clip-retail-price"), w.mrp, w.off);
    }

    sb_buf_print(b, "</div><span class=\"emi\">EMI from " SB_RUPEE "%lld</span>"
                 "%s</div>\n", (long long) (g->price / 100 / 12),
                 g->stock == 0
                 ? "<span class=\"out-of-stock\">Out Of Stock</span>"
                 : g->stock < 5 ? "<span class=\"few\">Hurry, few left</span>"
                                : "");
}


static void
sb_pepperfry_listing(sb_visit_t *v)
{
    char        title[6 * SB_QUERY_MAX + 60], canonical[400];
    unsigned    i;
    sb_buf_t   *b;
    sb_view_t   w;

    b = v->b;
    sb_html_copy(title, sizeof(title) - 60, v->query[0] ? v->query
                                            : v->kind ? v->kind->noun : "");
    snprintf(title + strlen(title), 60, ": Buy Online at Best Prices - "
             "Pepperfry");
    snprintf(canonical, sizeof(canonical), "%s/category/%s.html", v->base,
             v->kind ? v->kind->slug : "all");
    sb_pepperfry_head(v, title, canonical);

    sb_buf_print(b, "<script type=\"application/ld+json\">{\"@context\":"
                 "\"https://schema.org\",\"@type\":\"BreadcrumbList\","
                 "\"itemListElement\":[{\"@type\":\"ListItem\",\"position\":1,"
                 "\"name\":\"Home\",\"item\":\"%s/\"}]}</script>\n<script "
                 "type=\"application/ld+json\">{\"@context\":\"https://schema."
                 "org\",\"@type\":\"ItemList\",\"numberOfItems\":%u,"
                 "\"itemListElement\":[", v->base, v->n);

    for (i = 0; i < v->n; i++) {
        sb_view(v, &v->goods[i], &w);
        sb_buf_print(b, "%s{\"@type\":\"ListItem\",\"position\":%u,\"url\":\""
                     "%s\"}", i ? "," : "", v->first + i + 1, w.url);
    }

    sb_buf_print(b, "]}</script>\n<h1>%s</h1><p>%u options, from " SB_RUPEE
                 "999</p>\n", title, v->total);

    for (i = 0; i < v->n; i++) {
        sb_pepperfry_card(v, &v->goods[i]);
    }

    if (v->n == 0) {
        sb_buf_print(b, "<h2 class=\"no-result\">No results found. Sorry, we "
                     "couldn't find any matches</h2>");

    } else if (v->first + v->n < v->total) {
        sb_buf_print(b, "<a class=\"pagination-next\" rel=\"next\" href=\"?p="
                     "%u\">Next</a>", v->page + 1);
    }

    sb_buf_print(b, "</pf-root>\n");
    sb_filler_script(b, 33, 40000);
    sb_buf_print(b, "</body></html>\n");
}


static void
sb_pepperfry_ld(sb_visit_t *v, const sb_view_t *w)
{
    sb_buf_print(v->b, "<script type=\"application/ld+json\">{\"@context\":"
                 "\"https://schema.org\",\"@type\":\"BreadcrumbList\","
                 "\"itemListElement\":[{\"@type\":\"ListItem\",\"position\":1,"
                 "\"name\":\"Home\",\"item\":\"%s/\"},{\"@type\":\"ListItem\","
                 "\"position\":2,\"name\":\"%ss\"}]}</script>\n<script type=\""
                 "application/ld+json\">{\"@context\":\"https://schema.org\","
                 "\"@type\":\"Product\",\"name\":\"%s\",\"image\":[\"%s\"],"
                 "\"description\":\"%s in %s, \\u20b9 not included {}\","
                 "\"sku\":\"%s\",\"brand\":{\"@type\":\"Brand\",\"name\":\"%s\""
                 "},\"offers\":{\"@type\":\"Offer\",\"url\":\"%s\","
                 "\"priceCurrency\":\"INR\",\"price\":\"%s\",\"availability\":"
                 "\"https://schema.org/%s\",\"itemCondition\":\"https://schema"
                 ".org/NewCondition\"}}</script>\n", v->base,
                 sb_kind(w->g->kind)->noun, w->json, w->image, w->g->name,
                 w->g->color, w->g->id, w->g->brand,
                 w->url, w->plain, w->g->stock ? "InStock" : "OutOfStock");
}


/* What Angular hands over to the browser, quotes as &q; */

static void
sb_pepperfry_state(sb_visit_t *v, const sb_view_t *w)
{
    char    title[2 * SB_TITLE_MAX];
    size_t  i, n;

    /* Quotes within the title are escaped before they are changed. */

    for (i = 0, n = 0; w->g->title[i] && n + 6 < sizeof(title); i++) {
        if (w->g->title[i] == '"') {
            memcpy(title + n, "\\&q;", 4);
            n += 4;

        } else if (w->g->title[i] == '&') {
            memcpy(title + n, "&a;", 3);
            n += 3;

        } else {
            title[n++] = w->g->title[i];
        }
    }

    title[n] = '\0';

    sb_buf_print(v->b, "<script id=\"serverApp-state\" type=\"application/json"
                 "\">{&q;G.https://api.pepperfry.com/product/%s&q;:{&q;body"
                 "&q;:{&q;data&q;:{&q;product_id&q;:&q;%s&q;,&q;product_name"
                 "&q;:&q;%s&q;,&q;price&q;:{&q;mrp&q;:&q;%s&q;,&q;offer_price"
                 "&q;:&q;%s&q;,&q;discount&q;:%u},&q;is_oos&q;:%s,&q;emi&q;:"
                 "&q;%lld&q;}},&q;status&q;:200}}</script>\n", w->g->id,
                 w->g->id, title, w->plain_mrp, w->plain, w->off,
                 w->g->stock ? "false" : "true",
                 (long long) (w->g->price / 1200));
}


static void
sb_pepperfry_offer(sb_visit_t *v, const sb_view_t *w)
{
    sb_buf_t  *b;

    b = v->b;

    sb_buf_print(b, "<div class=\"%s\"><span class=\"text-xxl font-bold\">"
                 SB_RUPEE "\xc2\xa0%s</span></div>",
                 sb_class(v, "vip-product-price-row"), w->price);

    if (w->off) {
        sb_buf_print(b, "<div class=\"%s\"><span class=\"text-lg\">M.R.P. Rs. "
                     "%s/-</span></div><div class=\"vip-product-disc\">(%u%% "
                     "Off)</div>", sb_class(v, "vip-product-mrp"), w->mrp,
                     w->off);
    }

    sb_buf_print(b, "<div class=\"vip-emi\">EMI starting at " SB_RUPEE
                 "%lld/month</div><div class=\"vip-offers\">Cashback of Rs. "
                 "500 on UPI. Coupon SAVE10: you save " SB_RUPEE "%lld. "
                 "Assembly " SB_RUPEE "299</div>\n",
                 (long long) (w->g->price / 1200),
                 (long long) (w->g->price / 1000));
}


static void
sb_pepperfry_similar(sb_visit_t *v)
{
    unsigned   i;
    sb_good_t  others[10];

    sb_others(v, 10, others);
    sb_buf_print(v->b, "<section class=\"similar\"><h2>Similar Products</h2>"
                 "\n");

    for (i = 0; i < 10; i++) {
        sb_pepperfry_card(v, &others[i]);
    }

    sb_buf_print(v->b, "</section>\n");
}


static void
sb_pepperfry_product(sb_visit_t *v)
{
    int         bare;
    char        title[2 * SB_TITLE_MAX + 60];
    sb_buf_t   *b;
    sb_view_t   w;

    b = v->b;
    bare = (v->fate == SB_FATE_BARE);
    sb_view(v, &v->good, &w);

    snprintf(title, sizeof(title), "Buy %s Online - Pepperfry", w.title);
    sb_pepperfry_head(v, title, w.url);
    sb_buf_print(b, "<meta property=\"og:title\" content=\"%s\"><meta property="
                 "\"og:image\" content=\"%s\">\n", title, w.image);

    if (!bare) {
        sb_pepperfry_ld(v, &w);
    }

    sb_buf_print(b, "<img class=\"vip-main\" src=\"%s\" alt=\"%s\"><div class="
                 "\"%s\"><h1>%s</h1></div>\n", w.image, w.title,
                 sb_class(v, "vip-share-name-container"), w.title);

    if (!bare) {
        sb_pepperfry_offer(v, &w);
    }

    if (w.g->stock && !bare) {
        sb_buf_print(b, "%s<button class=\"vip-add-to-cart\" data-test=\""
                     "vipAddToCart\">ADD TO CART</button>\n",
                     w.g->stock < 5 ? "<span>Only few left</span>" : "");

    } else {
        sb_buf_print(b, "<span class=\"vip-out-of-stock\">Out Of Stock"
                     "</span><button>NOTIFY ME</button>\n");
    }

    sb_buf_print(b, "<ul data-test=\"vipProductDetailsLabel\"><li>Brand: ");
    sb_html(b, w.g->brand);
    sb_buf_print(b, "</li><li>Colour: %s</li><li>Material: %s</li><li>Sku: %s"
                 "</li></ul>\n", w.g->color, w.g->material, w.g->second);

    sb_pepperfry_similar(v);
    sb_buf_print(b, "<div class=\"reviews\">");
    sb_filler_words(b, w.g->hash, 14000);
    sb_buf_print(b, "</div></pf-root>\n");
    sb_filler_script(b, 34, 50000);

    if (!bare) {
        sb_pepperfry_state(v, &w);
    }

    sb_buf_print(b, "</body></html>\n");
}


const sb_shop_t  sb_shop_pepperfry = {
    .shop = SB_SHOP_PEPPERFRY,
    .name = "pepperfry",
    .title = "Pepperfry",
    .per_page = 24,
    .wall = SB_FATE_DENIED,
    .captcha = "<div id=\"sec-if-cpt-container\">Pardon Our Interruption"
               "</div>",
    .lost = "Page Not Found: we couldn't find the page.",
    .shell = "<pf-root></pf-root>",
    .head = 403,
    .dated = 1,
    .robots = "Disallow: /checkout\nDisallow: /cart\nDisallow: /customer/\n"
              "Disallow: /*?*sort=\n",
    .find = sb_pepperfry_find,
    .path = sb_pepperfry_path,
    .category = sb_pepperfry_category,
    .image = sb_pepperfry_image,
    .listing = sb_pepperfry_listing,
    .product = sb_pepperfry_product,
    .picture = sb_pepperfry_picture
};
