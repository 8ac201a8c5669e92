/*
 * flipkart.com: cards whose class names rotate, JSON-LD twice, a state blob.
 *
 *     /search?q=sofa&page=2  /sofas?page=2  /sofas/pr?page=2
 *     /slug/p/itm...?pid=PID  /image/312/312/xif0q/PID-0.jpeg?q=70
 *
 * The first amount in a card is the price, the second the list price if the
 * card says "% off", what follows are exchange and bank offers.  For one good
 * in eight JSON-LD has a lower price than the page shows.  Setting "look" may
 * be 2023 or 2025 for the class names of then; 0 has today's.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shop.h"


#define SB_RUPEE  "\xe2\x82\xb9"


static const char *
sb_flipkart_class(const sb_visit_t *v, int what)
{
    static const char *const  names[3][8] = {
        { "hZ3P6w", "kRYCnD", "HQe8jr", "RG5Slk", "k7wcnx", "jIjQ8S",
          "DeU9vF", "yHYOcc" },
        { "_30jeq3", "_3I9_wc", "_3Ay6Sb", "_4rR01T", "CXW8mj", "_1fQZEK",
          "_16Jk6d", "_2p6lqe" },
        { "Nx9bqj", "yRaY8j", "UkUFwK", "KzDlHZ", "DByuf4", "CGtC98",
          "CxhGGd", "A6+E6v" }
    };

    if (v->c->settings.look == 2023) {
        return names[1][what];
    }

    if (v->c->settings.look == 2025) {
        return names[2][what];
    }

    return sb_class(v, names[0][what]);
}


enum { SB_CLASS_PRICE, SB_CLASS_MRP, SB_CLASS_OFF, SB_CLASS_TITLE,
       SB_CLASS_IMAGE, SB_CLASS_LINK, SB_CLASS_OWN_PRICE,
       SB_CLASS_OWN_MRP };


static void
sb_flipkart_find(sb_visit_t *v)
{
    size_t       len;
    char         path[SB_PATH_MAX];
    const char  *p, *q, *pid;

    p = v->path;
    q = strstr(p, "/p/");
    len = strlen(p);

    if (strcmp(p, "/") == 0) {
        v->target = SB_TARGET_HOME;

    } else if (strcmp(p, "/search") == 0) {
        v->target = SB_TARGET_LISTING;
        sb_visit_list(v, sb_arg(v->c, "q"), NULL, sb_arg(v->c, "page"));

    } else if ((len > 4 && strcmp(p + len - 3, "/pr") == 0)
               || (strchr(p + 1, '/') == NULL && sb_kind_find(p + 1)))
    {
        v->target = SB_TARGET_LISTING;
        sb_visit_list(v, sb_arg(v->c, "q"), p + 1, sb_arg(v->c, "page"));

    } else if (q) {
        v->target = SB_TARGET_PRODUCT;
        pid = sb_arg(v->c, "pid");

        if ((pid && sb_visit_product(v, pid, strlen(pid)) == SB_OK)
            || (pid == NULL
                && sb_visit_product(v, q + 3, strcspn(q + 3, "/")) == SB_OK))
        {
            snprintf(path, sizeof(path), "/%s/p/%s", v->good.slug,
                     v->good.second);
            v->old = (strcmp(path, p) != 0);
        }
    }
}


static void
sb_flipkart_path(const sb_good_t *g, char *dst, size_t size)
{
    snprintf(dst, size, "/%s/p/%s?pid=%s", g->slug, g->second, g->id);
}


static void
sb_flipkart_category(const sb_kind_t *k, char *dst, size_t size)
{
    snprintf(dst, size, "/%s/pr?sid=wwe", k->slug);
}


static void
sb_flipkart_image(const sb_good_t *g, unsigned n, unsigned width, char *dst,
    size_t size)
{
    snprintf(dst, size, "/image/%u/%u/xif0q/%s-%u-original.jpeg?q=70", width,
             width, g->id, n);
}


static int
sb_flipkart_picture(const char *path, char *id, size_t size, unsigned *width,
    unsigned *height)
{
    char        *end;
    const char  *p;

    if (strncmp(path, "/image/", 7) != 0) {
        return 0;
    }

    *width = (unsigned) strtoul(path + 7, &end, 10);
    *height = *end == '/' ? (unsigned) strtoul(end + 1, &end, 10) : 0;
    p = strrchr(path, '/');
    snprintf(id, size, "%.*s", (int) strcspn(p + 1, "-"), p + 1);

    return 1;
}


static void
sb_flipkart_head(sb_visit_t *v, const char *title)
{
    sb_buf_print(v->b, "<!DOCTYPE html><html lang=\"en\"><head><meta "
                 "http-equiv=\"Content-type\" content=\"text/html; charset="
                 "utf-8\"><meta property=\"og:image\" content=\"%s/www/promos/"
                 "favicon.ico\"><title>%s</title>\n", v->base, title);
    sb_filler_style(v->b, 21, 6000);
    sb_filler_script(v->b, 22, 30000);
    sb_buf_print(v->b, "</head><body><div id=\"container\" data-request=\""
                 "%016llx\">\n", (unsigned long long) sb_visit_random(v));
    sb_menu(v);
}


static void
sb_flipkart_card_price(sb_visit_t *v, const sb_view_t *w)
{
    sb_buf_t  *b;

    b = v->b;

    if (w->g->stock == 0 && w->g->hash % 2) {
        sb_buf_print(b, "<div>Currently unavailable</div>");
        return;
    }

    sb_buf_print(b, "<div class=\"hl05eU\"><div class=\"%s\">" SB_RUPEE "%s"
                 "</div>", sb_flipkart_class(v, SB_CLASS_PRICE), w->price);

    if (w->off) {
        sb_buf_print(b, "<div class=\"%s\">" SB_RUPEE "%s</div><div "
                     "class=\"%s\"><span>%u%% off</span></div>",
                     sb_flipkart_class(v, SB_CLASS_MRP), w->mrp,
                     sb_flipkart_class(v, SB_CLASS_OFF), w->off);
    }

    sb_buf_print(b, "</div>");

    if (w->g->stock == 0) {
        sb_buf_print(b, "<div>Currently unavailable</div>");

    } else if (w->g->stock < 5) {
        sb_buf_print(b, "<div>Only few left</div>");
    }

    if (w->g->hash >> 10 & 1) {
        sb_buf_print(b, "<div><div>Upto </div><div>" SB_RUPEE "%u</div><div> "
                     "Off on Exchange</div></div>",
                     200 + (unsigned) (w->g->hash >> 11) % 40 * 50);
    }

    sb_buf_print(b, "<div>Bank Offer</div>");
}


/* What is said of a card's picture is cut, at a letter's end. */

static void
sb_flipkart_alt(const sb_good_t *g, char *dst, size_t size)
{
    char    text[41];
    size_t  n;

    n = strlen(g->title);
    n = n < sizeof(text) ? n : sizeof(text) - 1;
    memcpy(text, g->title, n);

    while (n && ((unsigned char) g->title[n] & 0xc0) == 0x80) {
        n--;
    }

    text[n] = '\0';
    sb_html_copy(dst, size, text);
}


static void
sb_flipkart_card(sb_visit_t *v, const sb_good_t *g, unsigned place)
{
    char        alt[2 * SB_TITLE_MAX];
    sb_buf_t   *b;
    sb_view_t   w;

    b = v->b;
    sb_view(v, g, &w);
    sb_flipkart_alt(g, alt, sizeof(alt));

    sb_buf_print(b, "<div class=\"cPHDOP col-12-12\"><div data-id=\"%s\" "
                 "style=\"width: 25%%;\"><div class=\"slAVV4\" data-tkid=\""
                 "%016llx.%s.SEARCH\"><a class=\"%s\" target=\"_blank\" rel="
                 "\"noopener noreferrer\" href=\"%s&amp;lid=LST%sXYZ&amp;"
                 "marketplace=FLIPKART&amp;srno=s_1_%u&amp;otracker=search&amp;"
                 "fm=organic&amp;ppt=None&amp;ssid=x%u\"><img loading=\"eager\""
                 " class=\"%s\" alt=\"%s...\" src=\"%s\"></a>", g->id,
                 (unsigned long long) sb_visit_random(v), g->id,
                 sb_flipkart_class(v, SB_CLASS_LINK), w.href, g->id, place,
                 place, sb_flipkart_class(v, SB_CLASS_IMAGE), alt,
                 w.image);

    sb_buf_print(b, "<div class=\"syl9yP\">");
    sb_html(b, g->brand);
    sb_buf_print(b, "</div><a class=\"%s\" title=\"%s\" href=\"%s&amp;srno="
                 "s_1_%u\">%s</a><div class=\"_5OesEi\"><span>%u.%u</span>"
                 "<span>(%u)</span></div>",
                 sb_flipkart_class(v, SB_CLASS_TITLE), w.title, w.href, place,
                 w.title, 3 + (unsigned) (g->hash >> 7) % 2,
                 (unsigned) (g->hash >> 9) % 10,
                 (unsigned) (g->hash >> 16) % 3000);

    sb_flipkart_card_price(v, &w);
    sb_buf_print(b, "</div></div></div>\n");
}


/* Every third list has none; the others are in an order of their own. */

static void
sb_flipkart_item_list(sb_visit_t *v)
{
    unsigned    i, k;
    sb_view_t   w;
    sb_buf_t   *b;

    b = v->b;
    sb_buf_print(b, "<script type=\"application/ld+json\" id=\"jsonLD\">");

    if (v->n == 0 || sb_hash(v->page, v->query) % 3 == 0) {
        sb_buf_print(b, "{}</script>");
        return;
    }

    sb_buf_print(b, "{\"@context\":\"http://schema.org\",\"@type\":"
                 "\"ItemList\",\"itemListElement\":[");

    for (i = 0; i < v->n; i++) {
        k = (i + 3) % v->n;
        sb_view(v, &v->goods[k], &w);
        sb_buf_print(b, "%s{\"@type\":\"ListItem\",\"position\":%u,\"url\":\""
                     "%s\",\"name\":\"%s\"}", i ? "," : "", i + 1, w.url,
                     w.json);
    }

    sb_buf_print(b, "]}</script><script type=\"application/ld+json\" id=\""
                 "jsonLD\">{}</script>");
}


static void
sb_flipkart_listing(sb_visit_t *v)
{
    char       title[6 * SB_QUERY_MAX + 80], query[3 * SB_QUERY_MAX];
    unsigned   i;
    sb_buf_t  *b;

    b = v->b;
    sb_html_copy(title, sizeof(title) - 80, v->query[0] ? v->query
                                            : v->kind ? v->kind->noun : "");
    snprintf(title + strlen(title), 80, "- Buy Products Online at Best Price "
             "in India | Flipkart.com");
    sb_flipkart_head(v, title);

    if (v->n == 0) {
        sb_buf_print(b, "<div class=\"BHPsUQ\">Sorry, no results found!</div>"
                     "<div>Please check the spelling or try searching for "
                     "something else</div>");

    } else {
        sb_buf_print(b, "<span class=\"BUOuZu\">Showing %u \xe2\x80\x93 %u of "
                     "%u results for \"<span>", v->first + 1, v->first + v->n,
                     v->total);
        sb_html(b, v->query);
        sb_buf_print(b, "</span>\"</span>\n");
    }

    for (i = 0; i < v->n; i++) {
        sb_flipkart_card(v, &v->goods[i], i + 1);
    }

    /* The same product once more. */

    if (v->n > 8) {
        sb_flipkart_card(v, &v->goods[2], v->n + 1);
    }

    sb_percent(query, sizeof(query), v->query, "-._~");
    sb_buf_print(b, "<nav class=\"WSL9JP\"><span>Page %u of %u</span><a href="
                 "\"%s/search?q=%s&amp;page=%u\">Next</a></nav></div>\n",
                 v->page, (v->total + 39) / 40, v->root, query, v->page + 1);
    sb_flipkart_item_list(v);
    sb_filler_script(b, 23, 20000);
    sb_buf_print(b, "</body></html>\n");
}


/* As it is printed in 2026; that of 2025 says neither sku nor availability. */

static void
sb_flipkart_ld(sb_visit_t *v, const sb_view_t *w, int recent)
{
    char       image[SB_PATH_MAX], price[32];
    sb_buf_t  *b;

    b = v->b;
    v->shop->image(w->g, 0, recent ? 1500 : 128, image, sizeof(image));
    sb_money(price, sizeof(price), w->g->index % 8 == 3
             ? w->g->price * 93 / 100 / 100 * 100 : w->g->price, 0, 0);

    sb_buf_print(b, "<script type=\"application/ld+json\" nonce=\"\" id=\""
                 "jsonLD\">[{\"@context\":\"http://schema.org\",\"@type\":"
                 "\"Product\",\"aggregateRating\":{\"@type\":"
                 "\"AggregateRating\",\"ratingValue\":4.1,\"reviewCount\":%u},"
                 "\"brand\":{\"@type\":\"Brand\",\"name\":\"%s\"},\"image\":"
                 "\"%s%s\",\"name\":\"%s\",", (unsigned) (w->g->hash % 700),
                 w->g->brand, v->base, image, w->json);

    if (recent) {
        sb_buf_print(b, "\"sku\":\"%s\",", w->g->id);
    }

    sb_buf_print(b, "\"offers\":{\"@type\":\"Offer\",\"price\":%s,"
                 "\"priceCurrency\":\"INR\"", price);

    if (recent) {
        sb_buf_print(b, ",\"availability\":\"http://schema.org/%s\"",
                     w->g->stock ? "InStock" : "OutOfStock");
    }

    sb_buf_print(b, "}},{\"@context\":\"http://schema.org\",\"@type\":"
                 "\"BreadcrumbList\",\"itemListElement\":[{\"@type\":"
                 "\"ListItem\",\"item\":{\"@id\":\"%s/\",\"name\":\"Home\"},"
                 "\"position\":1}]}]</script>\n", v->base);
}


static void
sb_flipkart_state(sb_visit_t *v, const sb_view_t *w)
{
    sb_buf_print(v->b, "<script nonce=\"\" id=\"is_script\">window."
                 "__INITIAL_STATE__ = {\"multiWidgetState\":{\"other\":"
                 "{\"finalPrice\":{\"value\":199}}},\"pageDataV4\":{\"page\":"
                 "{\"pageData\":{\"pageContext\":{\"productId\":\"%s\","
                 "\"itemId\":\"%s\",\"brand\":\"%s\",\"titles\":{\"title\":"
                 "\"%s\",\"subtitle\":\"%s\"},\"imageUrl\":\"%s/image/"
                 "{@width}/{@height}/xif0q/%s-0-original.jpeg?q={@quality}\","
                 "\"pricing\":{\"finalPrice\":{\"currency\":\"INR\","
                 "\"decimalValue\":\"%s\",\"value\":%s},\"mrp\":",
                 w->g->id, w->g->second, w->g->brand, w->json, w->g->color,
                 v->base, w->g->id, w->exact, w->plain);

    if (w->g->mrp) {
        sb_buf_print(v->b, "%s", w->plain_mrp);

    } else {
        sb_buf_print(v->b, "null");
    }

    sb_buf_print(v->b, ",\"discountPercentage\":%u},\"trackingDataV2\":"
                 "{\"stockStatus\":\"%s\",\"isServiceable\":%s}}}}},\"note\":"
                 "\"a } brace, a \\\"quote\\\" and <\\/script> in a string\"};"
                 "</script>\n", w->off, w->g->stock ? "IN_STOCK"
                                                   : "OUT_OF_STOCK",
                 w->g->stock ? "true" : "false");
}


static void
sb_flipkart_offer(sb_visit_t *v, const sb_view_t *w)
{
    sb_buf_t  *b;

    b = v->b;

    sb_buf_print(b, "<div class=\"UOCQB1\"><div class=\"hl05eU\"><div class=\""
                 "%s %s\">" SB_RUPEE "%s</div>",
                 sb_flipkart_class(v, SB_CLASS_PRICE),
                 sb_flipkart_class(v, SB_CLASS_OWN_PRICE), w->price);

    if (w->off) {
        sb_buf_print(b, "<div class=\"%s %s\">" SB_RUPEE "%s</div><div class="
                     "\"%s WW8yVX\"><span>%u%% off</span></div>",
                     sb_flipkart_class(v, SB_CLASS_MRP),
                     sb_flipkart_class(v, SB_CLASS_OWN_MRP), w->mrp,
                     sb_flipkart_class(v, SB_CLASS_OFF), w->off);
    }

    sb_buf_print(b, "</div></div>\n<div>Buy at " SB_RUPEE "%lld</div><ul><li>"
                 "<span>Bank Offer</span><span>5%% cashback on a card upto "
                 SB_RUPEE "4,000 per quarter</span></li><li>No Cost EMI from "
                 SB_RUPEE "%lld/month</li></ul>\n",
                 (long long) (w->g->price / 100 * 95 / 100),
                 (long long) (w->g->price / 600));
}


static void
sb_flipkart_similar(sb_visit_t *v)
{
    unsigned   i;
    sb_good_t  others[12];
    sb_view_t  w;

    sb_others(v, 12, others);
    sb_buf_print(v->b, "<div class=\"x9oKUv\"><div>Similar products</div>");

    for (i = 0; i < 12; i++) {
        sb_view(v, &others[i], &w);
        sb_buf_print(v->b, "<div class=\"DMMoT0\"><a href=\"%s\">%s</a><div "
                     "class=\"hl05eU\"><div class=\"%s\">" SB_RUPEE "%s</div>"
                     "</div></div>\n", w.href, w.title,
                     sb_flipkart_class(v, SB_CLASS_PRICE), w.price);
    }

    sb_buf_print(v->b, "</div>\n");
}


static void
sb_flipkart_product(sb_visit_t *v)
{
    int         bare, recent;
    char        title[2 * SB_TITLE_MAX + 80];
    sb_buf_t   *b;
    sb_view_t   w;

    b = v->b;
    bare = (v->fate == SB_FATE_BARE);
    sb_view(v, &v->good, &w);
    recent = (int) (w.g->hash >> 13 & 1);

    snprintf(title, sizeof(title), "%s Price in India - Buy online at "
             "Flipkart.com", w.title);
    sb_flipkart_head(v, title);

    sb_buf_print(b, "<link rel=\"canonical\" href=\"%s/%s/p/%s\">\n<img class="
                 "\"%s\" src=\"%s\"><h1><span class=\"VU-ZEz\">%s&nbsp;</span>"
                 "</h1>\n", v->base, w.g->slug, w.g->second,
                 sb_flipkart_class(v, SB_CLASS_IMAGE), w.image, w.title);

    if (!bare) {
        sb_flipkart_offer(v, &w);
    }

    if (w.g->stock && !bare) {
        sb_buf_print(b, "%s<button>Add to cart</button><button>Buy Now"
                     "</button>\n", w.g->stock < 5
                     ? "<div>Hurry, Only few left!</div>" : "");

    } else {
        sb_buf_print(b, "<div class=\"Z8JjpR\">%s</div><button>NOTIFY ME"
                     "</button>\n", w.g->hash % 2 ? "Sold Out"
                                                  : "Currently unavailable");
    }

    /* A sibling's word, not its own. */

    sb_buf_print(b, "<ul><li><a href=\"#\"><div>%s</div><div>Out of stock"
                 "</div></a></li></ul>\n",
                 sb_good(SB_SHOP_FLIPKART, w.g->index + SB_KINDS)->color);

    sb_flipkart_similar(v);
    sb_buf_print(b, "<div class=\"RmoJUa\">");
    sb_filler_words(b, w.g->hash, 16000);
    sb_buf_print(b, "</div></div>\n");
    sb_filler_script(b, 24, 48000);

    if (!bare) {
        sb_flipkart_ld(v, &w, recent);
        sb_flipkart_ld(v, &w, recent);

        if (recent) {
            sb_flipkart_state(v, &w);
        }
    }

    sb_buf_print(b, "</body></html>\n");
}


const sb_shop_t  sb_shop_flipkart = {
    .shop = SB_SHOP_FLIPKART,
    .name = "flipkart",
    .title = "Flipkart.com",
    .per_page = 40,
    .wall = SB_FATE_DENIED,
    .captcha = "<h1>Flipkart reCAPTCHA</h1><p>Are you a human?</p>",
    .lost = "Unfortunately the page you are looking for does not exist or has "
            "been moved. E002",
    .shell = "<div id=\"container\"></div>",
    .robots = "Disallow: /viewcart\nDisallow: /*/pr?*price=\n"
              "Disallow: /account/\nDisallow: /checkout\n",
    .find = sb_flipkart_find,
    .path = sb_flipkart_path,
    .category = sb_flipkart_category,
    .image = sb_flipkart_image,
    .listing = sb_flipkart_listing,
    .product = sb_flipkart_product,
    .picture = sb_flipkart_picture
};
