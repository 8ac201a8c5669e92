/*
 * urbanladder.com: a state that is JavaScript rather than JSON.
 *
 *     /products/?q=sofa&page_no=2  /products/search?keywords=sofa
 *     /collection/sofas?page=2  /product/slug-1234567
 *     /v2/sandbox/urbanladder/free/resize-w:960/slug/1234567-0.jpg
 *
 * APP_DATA has bare undefined, braces in strings and a semicolon at its end.
 * Lists have it too, beside their cards.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shop.h"


#define SB_RUPEE  "\xe2\x82\xb9"


static void
sb_urbanladder_find(sb_visit_t *v)
{
    size_t       len;
    char         path[SB_PATH_MAX];
    const char  *p, *query, *category, *sku, *page;

    p = v->path;
    len = strlen(p);

    if (strcmp(p, "/") == 0) {
        v->target = SB_TARGET_HOME;

    } else if (strcmp(p, "/products/search") == 0) {
        v->target = SB_TARGET_LISTING;
        sb_visit_list(v, sb_arg(v->c, "keywords"), NULL,
                      sb_arg(v->c, "page"));

    } else if (strcmp(p, "/products/") == 0 || strcmp(p, "/products") == 0) {
        v->target = SB_TARGET_LISTING;
        query = sb_arg(v->c, "q");
        category = sb_arg(v->c, "l1_category");
        page = sb_arg(v->c, "page_no");
        sb_visit_list(v, query, category, page ? page
                                               : sb_arg(v->c, "page"));

    } else if (strncmp(p, "/collection/", 12) == 0) {
        v->target = SB_TARGET_LISTING;
        sb_visit_list(v, NULL, p + 12, sb_arg(v->c, "page"));

    } else if (strncmp(p, "/products/", 10) == 0 && sb_arg(v->c, "sku")) {
        v->target = SB_TARGET_PRODUCT;
        sku = sb_arg(v->c, "sku");
        v->old = 1;
        (void) sb_visit_product(v, sku, strlen(sku));

    } else if (strncmp(p, "/product/", 9) == 0 && len > 17) {
        v->target = SB_TARGET_PRODUCT;

        if (sb_visit_product(v, p + len - 7, 7) == SB_OK) {
            v->shop->path(&v->good, path, sizeof(path));
            v->old = (strcmp(path, p) != 0);
        }
    }
}


static void
sb_urbanladder_path(const sb_good_t *g, char *dst, size_t size)
{
    snprintf(dst, size, "/product/%s-%s", g->slug, g->id);
}


static void
sb_urbanladder_category(const sb_kind_t *k, char *dst, size_t size)
{
    snprintf(dst, size, "/collection/%s", k->slug);
}


static void
sb_urbanladder_image(const sb_good_t *g, unsigned n, unsigned width,
    char *dst, size_t size)
{
    char  form[24];

    snprintf(form, sizeof(form), width <= 450 ? "450x0"
             : width <= 960 ? "resize-w:960" : "original");
    snprintf(dst, size, "/v2/sandbox/urbanladder/free/%s/%s/%s-%u.jpg", form,
             g->slug, g->id, n);
}


static int
sb_urbanladder_picture(const char *path, char *id, size_t size,
    unsigned *width, unsigned *height)
{
    size_t       len;
    const char  *p;

    len = strlen(path);

    if (strncmp(path, "/v2/sandbox/urbanladder/free/", 29) != 0 || len < 46) {
        return 0;
    }

    p = path + 29;
    p += strncmp(p, "resize-w:", 9) == 0 ? 9 : 0;
    *width = *p == 'o' ? 1440 : (unsigned) strtoul(p, NULL, 10);
    *height = *width * 2 / 3;
    snprintf(id, size, "%.7s", path + len - 13);

    return 1;
}


static void
sb_urbanladder_head(sb_visit_t *v, const char *title, const char *canonical)
{
    sb_buf_print(v->b, "<!DOCTYPE html><html lang=\"en\"><head><meta charset="
                 "\"utf-8\"><title>%s - Urban Ladder</title><link rel=\""
                 "canonical\" href=\"%s\"><meta property=\"og:image\" content="
                 "\"%s/assets/spree/frontend/icons/loader-0.gif\">\n", title,
                 canonical, v->base);
    sb_filler_style(v->b, 51, 20000);
    sb_filler_script(v->b, 52, 22000);
    sb_buf_print(v->b, "</head><body><div id=\"app\">\n");
    sb_menu(v);
}


static void
sb_urbanladder_price(sb_buf_t *b, const sb_view_t *w)
{
    sb_buf_print(b, "\"price\":{\"effective\":{\"min\":%s,\"max\":%s,"
                 "\"currency_code\":\"INR\",\"currency_symbol\":\"" SB_RUPEE
                 "\"},\"marked\":{\"min\":%s,\"max\":%s,\"currency_code\":"
                 "\"INR\"},\"selling\":undefined},\"sellable\":%s,",
                 w->plain, w->plain, w->g->mrp ? w->plain_mrp : w->plain,
                 w->g->mrp ? w->plain_mrp : w->plain,
                 w->g->stock ? "true" : "false");
}


static void
sb_urbanladder_list_state(sb_visit_t *v)
{
    unsigned   i;
    sb_buf_t  *b;
    sb_view_t  w;

    b = v->b;
    sb_buf_print(b, "<script>window.APP_DATA = {\"reduxData\":{\"catalog\":"
                 "{\"listing\":{\"total\":%u,\"items\":[", v->total);

    for (i = 0; i < v->n; i++) {
        sb_view(v, &v->goods[i], &w);
        sb_buf_print(b, "%s{\"uid\":%s,\"slug\":\"%s-%s\",\"name\":\"%s\","
                     "\"item_code\":\"%s\",", i ? "," : "", w.g->id,
                     w.g->slug, w.g->id, w.json, w.g->second);
        sb_urbanladder_price(b, &w);
        sb_buf_print(b, "\"medias\":[{\"type\":\"image\",\"url\":\"%s\"}],"
                     "\"url\":\"%s\",\"teaser\":undefined}", w.image,
                     w.href);
    }

    sb_buf_print(b, "]}}},\"error\":undefined};</script>\n");
}


static void
sb_urbanladder_card(sb_visit_t *v, const sb_good_t *g, int lazy)
{
    sb_buf_t   *b;
    sb_view_t   w;

    b = v->b;
    sb_view(v, g, &w);

    /* Pictures below the fold are a placeholder until they are seen. */

    sb_buf_print(b, "<div class=\"%s\" data-sku=\"%s\"><a class=\"%s\" href=\""
                 "%s\"><img src=\"%s%s\" data-src=\"%s\" alt=\"%s\"><h3 class="
                 "\"%s\">%s</h3></a>", sb_class(v, "product-card"), g->id,
                 sb_class(v, "product-link"), w.href, lazy ? v->base : w.image,
                 lazy ? "/assets/spree/frontend/icons/loader-0.gif" : "",
                 w.image, w.title, sb_class(v, "product-title"), w.title);

    sb_buf_print(b, "<div class=\"%s\">" SB_RUPEE "%s</div>",
                 sb_class(v, "price-text"), w.price);

    if (w.off) {
        sb_buf_print(b, "<div class=\"%s\">" SB_RUPEE "%s</div><div class=\""
                     "discount\">%u%% off</div>", sb_class(v, "price-marked"),
                     w.mrp, w.off);
    }

    sb_buf_print(b, "<div class=\"emi\">EMI starts at " SB_RUPEE "%lld</div>%s"
                 "</div>\n", (long long) (g->price / 1800), g->stock ? ""
                 : "<span class=\"sold\">Out of Stock</span>");
}


static void
sb_urbanladder_listing(sb_visit_t *v)
{
    char       title[6 * SB_QUERY_MAX], canonical[480];
    unsigned   i;
    sb_buf_t  *b;

    b = v->b;
    sb_html_copy(title, sizeof(title), v->query[0] ? v->query
                                       : v->kind ? v->kind->noun
                                                 : "Furniture");
    snprintf(canonical, sizeof(canonical), "%s/collection/%s", v->base,
             v->kind ? v->kind->slug : "all");
    sb_urbanladder_head(v, title, canonical);
    sb_buf_print(b, "<h1>%s</h1><span>%u items</span><div class=\"grid\">\n",
                 title, v->total);

    for (i = 0; i < v->n; i++) {
        sb_urbanladder_card(v, &v->goods[i], i > 5);
    }

    if (v->n == 0) {
        sb_buf_print(b, "<h2>No products found, no results</h2>");

    } else if (v->first + v->n < v->total) {
        sb_buf_print(b, "<a rel=\"next\" href=\"?page=%u\">Next</a>",
                     v->page + 1);
    }

    sb_buf_print(b, "</div></div>\n");
    sb_urbanladder_list_state(v);
    sb_filler_script(b, 53, 30000);
    sb_buf_print(b, "</body></html>\n");
}


static void
sb_urbanladder_state(sb_visit_t *v, const sb_view_t *w, int bare)
{
    unsigned   i;
    char       image[SB_PATH_MAX];
    sb_buf_t  *b;

    b = v->b;
    sb_buf_print(b, "<script>window.APP_DATA = {\"reduxData\":{\"theme\":"
                 "undefined,\"catalog\":{\"product_details\":{\"uid\":%s,"
                 "\"slug\":\"%s-%s\",\"name\":\"%s\",\"item_code\":\"%s\","
                 "\"medias\":[", w->g->id, w->g->slug, w->g->id, w->json,
                 w->g->second);

    for (i = 0; i < 3; i++) {
        v->shop->image(w->g, i, 1440, image, sizeof(image));
        sb_buf_print(b, "%s{\"type\":\"image\",\"alt\":undefined,\"url\":\"%s"
                     "%s\"}", i ? "," : "", v->base, image);
    }

    sb_buf_print(b, "],\"attributes\":{\"colour\":\"%s\",\"material\":\"%s\","
                 "\"care\":\"wipe {dry}; keep } from sun\",\"warranty\":"
                 "undefined}},\"product_meta\":", w->g->color,
                 w->g->material);

    if (bare) {
        sb_buf_print(b, "undefined");

    } else {
        sb_buf_print(b, "{");
        sb_urbanladder_price(b, w);
        sb_buf_print(b, "\"stock\":undefined}");
    }

    sb_buf_print(b, "}}};</script>\n");
}


static void
sb_urbanladder_offer(sb_visit_t *v, const sb_view_t *w)
{
    sb_buf_t  *b;

    b = v->b;
    sb_buf_print(b, "<div class=\"%s\">" SB_RUPEE "%s</div>",
                 sb_class(v, "product__price--effective"), w->price);

    if (w->off) {
        sb_buf_print(b, "<div class=\"%s\">" SB_RUPEE "%s</div><span>%u%% off"
                     "</span>", sb_class(v, "product__price--marked"), w->mrp,
                     w->off);
    }

    sb_buf_print(b, "<p>EMI starts at Rs. %lld / month. Get extra " SB_RUPEE
                 "500 off with code HOME500.</p>\n",
                 (long long) (w->g->price / 1800));
}


static void
sb_urbanladder_product(sb_visit_t *v)
{
    int         bare;
    unsigned    i;
    sb_buf_t   *b;
    sb_good_t   others[8];
    sb_view_t   w;

    b = v->b;
    bare = (v->fate == SB_FATE_BARE);
    sb_view(v, &v->good, &w);
    sb_urbanladder_head(v, w.title, w.url);

    sb_buf_print(b, "<img class=\"main\" src=\"%s\" alt=\"%s\"><h1 class=\"%s"
                 "\">%s</h1>\n", w.image, w.title,
                 sb_class(v, "product__title"), w.title);

    if (!bare) {
        sb_urbanladder_offer(v, &w);
    }

    if (w.g->stock && !bare) {
        sb_buf_print(b, "<button class=\"add\">Add to Cart</button>%s\n",
                     w.g->stock < 5 ? "<span>Only few left</span>" : "");

    } else {
        sb_buf_print(b, "<button class=\"out\" disabled>Out of Stock</button>"
                     "<button>Notify Me</button>\n");
    }

    sb_others(v, 8, others);
    sb_buf_print(b, "<section><h2>You may also like</h2>\n");

    for (i = 0; i < 8; i++) {
        sb_urbanladder_card(v, &others[i], 1);
    }

    sb_buf_print(b, "</section><div class=\"reviews\">");
    sb_filler_words(b, w.g->hash, 18000);
    sb_buf_print(b, "</div></div>\n");
    sb_urbanladder_state(v, &w, bare);
    sb_filler_script(b, 54, 48000);
    sb_buf_print(b, "</body></html>\n");
}


const sb_shop_t  sb_shop_urbanladder = {
    .shop = SB_SHOP_URBANLADDER,
    .name = "urbanladder",
    .title = "Urban Ladder",
    .per_page = 24,
    .wall = SB_FATE_DENIED,
    .captcha = "<div class=\"cf-challenge\">Attention Required! | Cloudflare"
               "</div>",
    .lost = "Page Not Found: the page you are looking for is not here.",
    .shell = "<div id=\"app\"></div>",
    .etag = 1,
    .robots = "Disallow: /cart\nDisallow: /profile\nDisallow: /*?*sort_on=\n"
              "Disallow: /account\n",
    .find = sb_urbanladder_find,
    .path = sb_urbanladder_path,
    .category = sb_urbanladder_category,
    .image = sb_urbanladder_image,
    .listing = sb_urbanladder_listing,
    .product = sb_urbanladder_product,
    .picture = sb_urbanladder_picture
};
