/*
 * amazon.in: cards without JSON-LD, up to 1 MB of them on a page.
 *
 *     /s?k=sofa&page=2  /s?i=sofas  /dp/ASIN  /slug/dp/ASIN
 *     /sspa/click?url=...  /images/I/NAME._AC_UL320_.jpg
 *
 * Some cards are sponsored and come a second time; their links go through
 * /sspa/click.  A page may have a blank where a screen reader finds the price,
 * a second offer, a unit price and prices of others, but none of its own.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shop.h"


#define SB_RUPEE        "\xe2\x82\xb9"
#define SB_CARD_FILLING  34000


static void
sb_amazon_find(sb_visit_t *v)
{
    const char  *p, *q;

    p = v->path;
    q = strstr(p, "/dp/");

    if (strcmp(p, "/") == 0) {
        v->target = SB_TARGET_HOME;

    } else if (strcmp(p, "/s") == 0) {
        v->target = SB_TARGET_LISTING;
        sb_visit_list(v, sb_arg(v->c, "k"), sb_arg(v->c, "i"),
                      sb_arg(v->c, "page"));

    } else if (strncmp(p, "/sspa/click", 11) == 0) {
        v->target = SB_TARGET_JUMP;
        q = sb_arg(v->c, "url");
        q = q ? strstr(q, "/dp/") : NULL;

        if (q) {
            (void) sb_visit_product(v, q + 4, strcspn(q + 4, "/?&"));

        } else {
            v->target = SB_TARGET_NONE;
        }

    } else if (q || strncmp(p, "/gp/product/", 12) == 0) {
        v->target = SB_TARGET_PRODUCT;
        q = q ? q + 4 : p + 12;
        v->old = (strncmp(p, "/gp/", 4) == 0);
        (void) sb_visit_product(v, q, strcspn(q, "/?"));
    }
}


static void
sb_amazon_path(const sb_good_t *g, char *dst, size_t size)
{
    snprintf(dst, size, "/dp/%s", g->id);
}


static void
sb_amazon_category(const sb_kind_t *k, char *dst, size_t size)
{
    snprintf(dst, size, "/s?i=%s", k->slug);
}


static void
sb_amazon_image(const sb_good_t *g, unsigned n, unsigned width, char *dst,
    size_t size)
{
    snprintf(dst, size, "/images/I/7%u%sL._AC_UL%u_.jpg", n, g->id, width);
}


/* /images/I/7nASINL._AC_UL320_.jpg, or without the middle. */

static int
sb_amazon_picture(const char *path, char *id, size_t size, unsigned *width,
    unsigned *height)
{
    const char  *p;

    if (strncmp(path, "/images/I/7", 11) != 0 || strlen(path) < 23) {
        return 0;
    }

    snprintf(id, size, "%.10s", path + 12);
    p = strstr(path, "._");
    p = p ? p + 2 + strcspn(p + 2, "0123456789") : NULL;
    *width = p && *p ? (unsigned) strtoul(p, NULL, 10) : 1500;
    *height = *width;

    return 1;
}


static void
sb_amazon_stars(sb_buf_t *b, const sb_good_t *g)
{
    unsigned  n;

    n = 30 + (unsigned) (g->hash >> 8) % 20;

    sb_buf_print(b, "<div data-cy=\"reviews-block\" class=\"a-section\"><i "
                 "class=\"a-icon a-icon-star-small\"><span class=\"a-icon-alt"
                 "\">%u.%u out of 5 stars</span></i> <span class=\"a-size-mini"
                 "\">(%u)</span><span class=\"a-size-base\">%u00+ bought in "
                 "past month</span></div>", n / 10, n % 10,
                 (unsigned) (g->hash >> 16) % 4000, n % 9 + 1);
}


static void
sb_amazon_card_price(sb_visit_t *v, const sb_view_t *w, const char *link)
{
    sb_buf_t  *b;

    b = v->b;

    sb_buf_print(b, "<div data-cy=\"price-recipe\" class=\"a-section "
                 "a-spacing-none\"><div class=\"a-row a-size-base\">");

    if (w->g->stock == 0) {
        sb_buf_print(b, "<span class=\"a-size-base a-color-price\">Currently "
                     "unavailable</span></div></div>");
        return;
    }

    sb_buf_print(b, "<a class=\"a-link-normal s-no-hover\" href=\"%s\"><span "
                 "class=\"%s\" data-a-size=\"xl\" data-a-color=\"base\"><span "
                 "class=\"%s\">" SB_RUPEE "%s</span><span aria-hidden=\"true\">"
                 "<span class=\"a-price-symbol\">" SB_RUPEE "</span><span "
                 "class=\"a-price-whole\">%s</span></span></span>", link,
                 sb_class(v, "a-price"), sb_class(v, "a-offscreen"), w->price,
                 w->price);

    if (w->g->kind == 10) {

        /* The price of a unit stands before the list price. */

        sb_buf_print(b, " <span class=\"a-size-base a-color-secondary\">("
                     "<span class=\"a-price a-text-price\" data-a-size=\"b\" "
                     "data-a-color=\"secondary\"><span class=\"a-offscreen\">"
                     SB_RUPEE "%lld</span><span aria-hidden=\"true\">" SB_RUPEE
                     "%lld</span></span>/sq ft)</span>",
                     (long long) (w->g->price / 100 / 24),
                     (long long) (w->g->price / 100 / 24));
    }

    if (w->off) {
        sb_buf_print(b, " <div class=\"a-section aok-inline-block\"><span "
                     "class=\"a-size-base a-color-secondary\">M.R.P: </span>"
                     "<span class=\"%s a-text-price\" data-a-size=\"b\" "
                     "data-a-strike=\"true\" data-a-color=\"secondary\"><span "
                     "class=\"%s\">" SB_RUPEE "%s</span><span aria-hidden=\""
                     "true\">" SB_RUPEE "%s</span></span></div>",
                     sb_class(v, "a-price"), sb_class(v, "a-offscreen"),
                     w->mrp, w->mrp);
    }

    sb_buf_print(b, "</a>");

    if (w->off) {
        sb_buf_print(b, " <span>(%u%% off)</span>", w->off);
    }

    sb_buf_print(b, "</div><div class=\"a-row a-size-base a-color-secondary\">"
                 "<span>Save extra " SB_RUPEE "%u with coupon</span> <span>No "
                 "Cost EMI from " SB_RUPEE "%lld/month</span> <span>Up to "
                 SB_RUPEE "750.00 off on Exchange</span></div></div>",
                 100 + (unsigned) (w->g->hash >> 20) % 900,
                 (long long) (w->g->price / 100 / 6));
}


/* What is sponsored is reached through a counter of clicks. */

static void
sb_amazon_link(const sb_visit_t *v, const sb_good_t *g, unsigned place,
    int sponsored, char *dst, size_t size)
{
    if (sponsored) {
        snprintf(dst, size, "%s/sspa/click?ie=UTF8&amp;spc=MTo%u&amp;url=%%2F"
                 "%s%%2Fdp%%2F%s%%2Fref%%3Dsr_1_%u_sspa", v->root,
                 (unsigned) (g->hash >> 30) % 1000000, g->slug, g->id, place);
        return;
    }

    snprintf(dst, size, "%s/%s/dp/%s/ref=sr_1_%u?keywords=x", v->root,
             g->slug, g->id, place);
}


static void
sb_amazon_card(sb_visit_t *v, const sb_good_t *g, unsigned place,
    int sponsored)
{
    char       link[3 * SB_PATH_MAX], brand[200];
    size_t     skip;
    sb_buf_t  *b;
    sb_view_t  w;

    b = v->b;
    sb_view(v, g, &w);

    sb_amazon_link(v, g, place, sponsored, link, sizeof(link));

    sb_buf_print(b, "<div role=\"listitem\" data-asin=\"%s\" data-index=\"%u\""
                 " data-component-type=\"s-search-result\" class=\"s-result-"
                 "item s-asin%s\"><div class=\"sg-col-inner\"><div class=\""
                 "puis-card-container s-card-container\" data-cy=\"asin-"
                 "faceout-container\"><span data-component-type=\"s-product-"
                 "image\"><a class=\"a-link-normal s-no-outline\" href=\"%s\">"
                 "<img class=\"s-image\" src=\"%s\" alt=\"%s%s\"></a></span>",
                 g->id, place, sponsored ? " AdHolder" : "", link, w.image,
                 sponsored ? "Sponsored Ad - " : "", w.title);

    sb_filler_script(b, g->hash, SB_CARD_FILLING);

    sb_buf_print(b, "<div data-cy=\"title-recipe\" class=\"a-section\">");

    if (sponsored) {
        sb_buf_print(b, "<span class=\"puis-sponsored-label-text\">Sponsored"
                     "</span>");
    }

    skip = 0;

    if (g->hash >> 9 & 1) {

        /* Brand and title apart: it takes both headings to have the title. */

        sb_html_copy(brand, sizeof(brand), g->brand);
        skip = strlen(brand) + 1;
        sb_buf_print(b, "<h2 class=\"a-size-mini s-line-clamp-1\"><span class="
                     "\"a-size-base-plus a-color-base\">%s</span></h2>",
                     brand);
    }

    sb_buf_print(b, "<a class=\"a-link-normal s-line-clamp-2 a-text-normal\" "
                 "href=\"%s\"><h2 aria-label=\"%s%s\" class=\"a-size-medium "
                 "a-text-normal\"><span>%s</span></h2></a></div>", link,
                 sponsored ? "Sponsored Ad - " : "", w.title + skip,
                 w.title + skip);

    sb_amazon_stars(b, g);
    sb_amazon_card_price(v, &w, link);
    sb_buf_print(b, "</div></div></div>\n");
}


static void
sb_amazon_head(sb_visit_t *v, const char *title)
{
    sb_buf_print(v->b, "<!doctype html><html lang=\"en-in\"><head><meta "
                 "charset=\"utf-8\"><title dir=\"ltr\">%s</title>\n", title);
    sb_filler_style(v->b, 11, 9000);
    sb_filler_script(v->b, 12, 14000);
    sb_buf_print(v->b, "<script>var ue_rid='%016llX',ue_sid='000-0000000-"
                 "0000000',isRobot=true;</script></head><body>\n",
                 (unsigned long long) sb_visit_random(v));
    sb_menu(v);
}


static void
sb_amazon_listing(sb_visit_t *v)
{
    unsigned   i, place;
    char       title[6 * SB_QUERY_MAX + 40];
    char       query[3 * SB_QUERY_MAX];
    sb_buf_t  *b;

    b = v->b;
    sb_html_copy(title, sizeof(title) - 40, v->query[0] ? v->query
                                            : v->kind ? v->kind->noun : "");
    snprintf(title + strlen(title), 40, " : Amazon.in");
    sb_amazon_head(v, title);

    sb_buf_print(b, "<div class=\"s-desktop-width-max\"><span data-component-"
                 "type=\"s-result-info-bar\"><h1>%u-%u of over %u results for "
                 "<span>\"", v->n ? v->first + 1 : 0, v->first + v->n,
                 v->total);
    sb_html(b, v->query);
    sb_buf_print(b, "\"</span></h1></span>\n<div class=\"s-main-slot "
                 "s-result-list\">\n");

    if (v->n == 0) {
        sb_buf_print(b, "<div class=\"a-section\"><span>No results for </span>"
                     "<span class=\"a-text-bold\">");
        sb_html(b, v->query);
        sb_buf_print(b, "</span></div>");
    }

    place = 1;

    for (i = 0; i < v->n && i < 2 && v->n > 6; i++) {
        sb_amazon_card(v, &v->goods[i + 4], place++, 1);
    }

    for (i = 0; i < v->n; i++) {
        sb_amazon_card(v, &v->goods[i], place++, 0);
    }

    sb_buf_print(b, "</div>");

    if (v->first + v->n < v->total) {
        sb_percent(query, sizeof(query), v->query, "-._~");
        sb_buf_print(b, "<a class=\"s-pagination-item s-pagination-next\" "
                     "href=\"%s/s?k=%s&amp;i=%s&amp;page=%u\">Next</a>",
                     v->root, query, v->kind ? v->kind->slug : "",
                     v->page + 1);
    }

    sb_buf_print(b, "</div></body></html>\n");
}


/* Left: what is shown; a blank for those who cannot see it. */

static void
sb_amazon_price(sb_visit_t *v, const sb_view_t *w)
{
    char       whole[32];
    sb_buf_t  *b;

    b = v->b;
    sb_money(whole, sizeof(whole), w->g->price / 100 * 100, 1, 0);

    sb_buf_print(b, "<div id=\"corePriceDisplay_desktop_feature_div\" class=\""
                 "celwidget\"><div class=\"a-section a-spacing-none\">");

    if (w->off) {
        sb_buf_print(b, "<span class=\"a-size-large a-color-price "
                     "savingsPercentage\">-%u%%</span> ", w->off);
    }

    sb_buf_print(b, "<span class=\"a-price aok-align-center %s\" data-a-size="
                 "\"xl\" data-a-color=\"base\"><span class=\"a-offscreen\"> "
                 "</span><span aria-hidden=\"true\"><span class=\"a-price-"
                 "symbol\">" SB_RUPEE "</span><span class=\"a-price-whole\">"
                 "%s", sb_class(v, "priceToPay"), whole);

    if (w->g->price % 100) {
        sb_buf_print(b, "<span class=\"a-price-decimal\">.</span></span><span "
                     "class=\"a-price-fraction\">%02d</span></span></span>",
                     (int) (w->g->price % 100));

    } else {
        sb_buf_print(b, "</span></span></span>");
    }

    if (w->g->kind == 10) {
        sb_buf_print(b, " <span class=\"a-size-mini\">(<span class=\"a-price "
                     "a-text-price\"><span class=\"a-offscreen\">" SB_RUPEE
                     "%lld.00</span></span> / sq ft)</span>",
                     (long long) (w->g->price / 100 / 24));
    }

    sb_buf_print(b, "</div>\n");

    if (w->off) {
        sb_buf_print(b, "<div class=\"a-section a-spacing-small\"><span class="
                     "\"a-size-small a-color-secondary basisPrice\">M.R.P.: "
                     "<span class=\"a-price a-text-price\" data-a-strike=\""
                     "true\"><span class=\"a-offscreen\">\n " SB_RUPEE "%s\n"
                     "</span><span aria-hidden=\"true\">" SB_RUPEE "%s</span>"
                     "</span></span></div>", w->mrp, w->mrp);
    }

    sb_buf_print(b, "<span>Inclusive of all taxes</span> <span>EMI starts at "
                 SB_RUPEE "%lld per month. No Cost EMI available</span></div>"
                 "\n<input id=\"twister-plus-price-data-price\" type=\"hidden\""
                 " value=\"%s\"/><input id=\"twister-plus-price-data-price-"
                 "unit\" type=\"hidden\" value=\"" SB_RUPEE "\"/>\n",
                 (long long) (w->g->price / 100 / 21), w->plain);
}


static void
sb_amazon_stock(sb_visit_t *v, const sb_view_t *w, int bare)
{
    sb_buf_t  *b;

    static const char *const  out[3] = {
        "Currently unavailable.", "Temporarily out of stock.",
        "Currently unavailable. We don't know when or if this item will be "
        "back in stock."
    };

    b = v->b;
    sb_buf_print(b, "<div id=\"availability\" class=\"a-section\">");

    if (bare) {
        sb_buf_print(b, "<span class=\"a-size-medium\">No featured offers "
                     "available</span></div><span id=\"buybox-see-all-buying-"
                     "choices\"><a href=\"#\">See All Buying Options</a>"
                     "</span>\n");
        return;
    }

    if (w->g->stock == 0) {
        sb_buf_print(b, "<span class=\"a-size-medium a-color-price\"> %s "
                     "</span></div>\n", out[w->g->hash % 3]);
        return;
    }

    if (w->g->stock < 5) {
        sb_buf_print(b, "<span class=\"a-size-medium a-color-price\"> Only %u "
                     "left in stock. </span></div>\n", w->g->stock);

    } else {
        sb_buf_print(b, "<span class=\"a-size-medium a-color-success\"> In "
                     "stock </span></div>\n");
    }

    sb_buf_print(b, "<form id=\"addToCart\"><input name=\"items[0.base]"
                 "[customerVisiblePrice][amount]\" type=\"hidden\" value=\"%s"
                 "\"/><input id=\"ASIN\" name=\"ASIN\" type=\"hidden\" value=\""
                 "%s\"/><input id=\"add-to-cart-button\" type=\"submit\" "
                 "value=\"Add to cart\"/></form>\n", w->plain, w->g->id);

    if (w->g->hash >> 12 & 1) {

        /* Another offer, used: not what the page is about. */

        sb_buf_print(b, "<div id=\"usedAccordionRow\"><span>Save with Used - "
                     "Good</span><span class=\"a-price priceToPay\"><span "
                     "class=\"a-offscreen\">" SB_RUPEE "%lld</span></span>"
                     "</div>\n", (long long) (w->g->price / 100 * 7 / 10));
    }
}


static void
sb_amazon_similar(sb_visit_t *v)
{
    unsigned   i;
    sb_good_t  others[12];
    sb_view_t  w;

    sb_others(v, 12, others);
    sb_buf_print(v->b, "<div id=\"sims-simsContainer_feature_div_0\"><h2>"
                 "Products related to this item</h2>");

    for (i = 0; i < 12; i++) {
        sb_view(v, &others[i], &w);
        sb_buf_print(v->b, "<div class=\"a-carousel-card\" data-asin=\"%s\" "
                     "data-adfeedbackdetails='{\"title\":\"%s\",\"currencyCode"
                     "\":\"INR\",\"priceAmount\":%s}'><a href=\"%s\">%s</a>"
                     "<span class=\"a-price\"><span class=\"a-offscreen\">"
                     SB_RUPEE "%s</span></span></div>\n", others[i].id,
                     others[i].id, w.plain, w.href, w.title, w.price);
        sb_filler_script(v->b, others[i].hash, 2000);
    }

    sb_buf_print(v->b, "</div>\n");
}


static void
sb_amazon_pictures(sb_visit_t *v, const sb_view_t *w)
{
    char  big[SB_PATH_MAX], small[SB_PATH_MAX];

    v->shop->image(&v->good, 0, 1500, big, sizeof(big));
    v->shop->image(&v->good, 0, 466, small, sizeof(small));

    sb_buf_print(v->b, "<div id=\"imgTagWrapperId\"><img alt=\"%s\" data-old-"
                 "hires=\"%s%s\" id=\"landingImage\" src=\"%s%s\"></div>\n",
                 w->title, v->base, big, v->base, small);
}


static void
sb_amazon_product(sb_visit_t *v)
{
    int         bare;
    char        title[2 * SB_TITLE_MAX + 40];
    sb_buf_t   *b;
    sb_view_t   w;

    b = v->b;
    sb_view(v, &v->good, &w);
    bare = (v->fate == SB_FATE_BARE);

    snprintf(title, sizeof(title), "%s : Amazon.in", w.title);
    sb_amazon_head(v, title);

    /* The canonical link of every eighth names its sibling. */

    sb_buf_print(b, "<link rel=\"canonical\" href=\"%s/%s/dp/%s\"/>\n",
                 v->base, w.g->slug, w.g->index % 8 == 5
                 ? sb_good(SB_SHOP_AMAZON, w.g->index + SB_KINDS)->id
                 : w.g->id);

    sb_amazon_pictures(v, &w);
    sb_buf_print(b, "<div id=\"titleSection\"><h1 id=\"title\"><span id=\""
                 "productTitle\" class=\"a-size-large\">        %s       "
                 "</span></h1></div>\n<a id=\"bylineInfo\">Brand: ", w.title);
    sb_html(b, w.g->brand);
    sb_buf_print(b, "</a>\n");
    sb_amazon_stars(b, w.g);

    if (!bare && w.g->stock) {
        sb_amazon_price(v, &w);
    }

    sb_amazon_stock(v, &w, bare);
    sb_buf_print(b, "<div id=\"sopp_feature_div\"><span>Cashback: Upto "
                 SB_RUPEE "600.00 cashback. Bank Offer: Upto " SB_RUPEE
                 "1,500.00 discount on select cards. Exchange: up to " SB_RUPEE
                 "4,150.00 off. Delivery " SB_RUPEE "199</span></div>\n");
    sb_amazon_similar(v);
    sb_buf_print(b, "<div id=\"reviewsMedley\"><p>");
    sb_filler_words(b, w.g->hash, 14000);
    sb_buf_print(b, "</p></div>\n");
    sb_filler_script(b, w.g->hash + 1, 48000);
    sb_buf_print(b, "</body></html>\n");
}


const sb_shop_t  sb_shop_amazon = {
    .shop = SB_SHOP_AMAZON,
    .name = "amazon",
    .title = "Amazon.in",
    .per_page = 24,
    .wall = SB_FATE_CAPTCHA,
    .head = 405,
    .captcha = "<!-- To discuss automated access to Amazon data please contact "
               "api-services-support@amazon.com. --><h4>Enter the characters "
               "you see below</h4><p>Sorry, we just need to make sure you're "
               "not a robot.</p><img src=\"/opfcaptcha.jpg\"><a href=\"/errors/"
               "validateCaptcha\"></a>",
    .lost = "Looking for something? We're sorry. The Web address you entered "
            "is not a functioning page on our site.",
    .shell = "<div id=\"a-page\"></div>",
    .robots = "Disallow: /gp/cart\nDisallow: /*/dp/rate-this-item/\n"
              "Disallow: /exec/obidos/\nAllow: /gp/product/\n"
              "Disallow: /gp/\nDisallow: /s?*rh=*node\n",
    .find = sb_amazon_find,
    .path = sb_amazon_path,
    .category = sb_amazon_category,
    .image = sb_amazon_image,
    .listing = sb_amazon_listing,
    .product = sb_amazon_product,
    .picture = sb_amazon_picture
};
