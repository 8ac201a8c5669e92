/*
 * What comes instead of the page that was meant: walls, pages that say there
 * is nothing, ways elsewhere, and pages that are not whole.
 *
 * Also the shops' words for errors, which are pages too.
 */

#include <stdio.h>
#include <string.h>

#include "shop.h"


static const char *const  sb_fates[SB_FATES] = {
    "ok", "captcha", "denied", "human", "portal", "overload", "gone",
    "missing", "soft404", "home", "category", "moved", "offsite", "shell",
    "cut", "bare", "bomb", "attributes", "deep"
};


const char *
sb_fate_name(sb_fate_e fate)
{
    return sb_fates[fate];
}


/* -1: there is none of this name. */

int
sb_fate_find(const char *name)
{
    int  i;

    for (i = 0; i < SB_FATES; i++) {
        if (strcmp(name, sb_fates[i]) == 0) {
            return i;
        }
    }

    return -1;
}


static void
sb_wall_begin(sb_visit_t *v, unsigned status, const char *title)
{
    sb_answer_begin(v->c, status, "text/html; charset=utf-8");
    sb_buf_print(v->b, "<!DOCTYPE html><html><head><meta charset=\"utf-8\">"
                 "<title>%s</title>\n", title);
}


/* About 6 kB, as at Amazon. */

static void
sb_wall_captcha(sb_visit_t *v)
{
    sb_wall_begin(v, 200, v->shop->title);
    sb_filler_style(v->b, 61, 2000);
    sb_buf_print(v->b, "</head><body>%s<form method=\"get\" action=\"%s/"
                 "check\"><input type=\"hidden\" name=\"token\" value=\""
                 "%016llx\"/><input type=\"text\" id=\"captchacharacters\">"
                 "<button>Continue shopping</button></form>\n",
                 v->shop->captcha, v->root,
                 (unsigned long long) sb_visit_random(v));
    sb_filler_script(v->b, 62, 3000);
    sb_buf_print(v->b, "</body></html>\n");
}


static void
sb_wall_denied(sb_visit_t *v)
{
    if (v->shop->shop == SB_SHOP_FLIPKART) {
        sb_wall_begin(v, 403, "Flipkart reCAPTCHA");
        sb_buf_print(v->b, "</head><body><div class=\"g-recaptcha\"></div>"
                     "<p>Confirm that you are not a robot</p></body></html>"
                     "\n");
        return;
    }

    sb_wall_begin(v, 403, "Access Denied");
    sb_buf_print(v->b, "</head><body><h1>Access Denied</h1>You don't have "
                 "permission to access this page on this server.<p>Reference "
                 "#18.%08x.%llu</p></body></html>\n",
                 (unsigned) sb_visit_random(v),
                 (unsigned long long) (sb_visit_random(v) % 2000000000));
}


static void
sb_wall_human(sb_visit_t *v)
{
    sb_wall_begin(v, 200, "Are you a human?");
    sb_filler_style(v->b, 63, 1500);
    sb_buf_print(v->b, "</head><body><h1>Are you a human?</h1><p>Confirming "
                 "that you are takes a moment.</p><button>I am</button>\n");
    sb_filler_script(v->b, 64, 2500);
    sb_buf_print(v->b, "</body></html>\n");
}


/* Of whoever runs the network between, not of the shop. */

static void
sb_wall_portal(sb_visit_t *v)
{
    sb_wall_begin(v, 200, "Guest Wi-Fi: log in");
    sb_buf_print(v->b, "<meta http-equiv=\"refresh\" content=\"0;url=http://"
                 "wifi-login.invalid/start\"></head><body><h1>Welcome to our "
                 "guest Wi-Fi</h1><form action=\"http://wifi-login.invalid/"
                 "go\"><p>24 hours for \xe2\x82\xb9" "99</p><button>Accept the "
                 "terms</button></form></body></html>\n");
}


static void
sb_wall_overload(sb_visit_t *v)
{
    sb_wall_begin(v, v->shop->shop == SB_SHOP_FLIPKART ? 529 : 503,
                  "Sorry! Something went wrong");
    sb_buf_print(v->b, "</head><body><p>We are rushing to fix it. Try again "
                 "in a while.</p></body></html>\n");
}


/* A page of the shop's, with prices of others on it. */

static void
sb_page_lost(sb_visit_t *v, unsigned status, const char *title)
{
    unsigned   i;
    sb_good_t  good;
    sb_view_t  w;

    sb_wall_begin(v, status, title);
    sb_buf_print(v->b, "<link rel=\"canonical\" href=\"%s/404\">\n", v->base);
    sb_filler_style(v->b, 65, 9000);
    sb_buf_print(v->b, "</head><body>\n");
    sb_menu(v);
    sb_buf_print(v->b, "<div class=\"banner\">Free delivery on orders over "
                 "\xe2\x82\xb9" "899!</div><h1>%s</h1><p>%s</p>\n<h2>"
                 "Popular now</h2>\n", title, v->shop->lost);

    for (i = 0; i < 6; i++) {
        good = *sb_good(v->shop->shop, 100 + 31 * i);
        sb_stand_now(v->shop->shop, &good);
        sb_view(v, &good, &w);
        sb_buf_print(v->b, "<div><a href=\"%s\">%s</a><span class=\"price\">"
                     "\xe2\x82\xb9%s</span></div>\n", w.href, w.title,
                     w.price);
    }

    sb_filler_script(v->b, 66, 12000);
    sb_buf_print(v->b, "</body></html>\n");
}


/* Only a browser with its scripts would show something. */

static void
sb_page_shell(sb_visit_t *v)
{
    sb_wall_begin(v, 200, v->shop->title);
    sb_filler_style(v->b, 67, 6000);
    sb_buf_print(v->b, "</head><body><noscript>You need to enable JavaScript "
                 "to run this app.</noscript>%s<script>window.__STATE__="
                 "{\"count\":%u,\"loading\":true};</script>\n<script src=\""
                 "%s/static/app.js\"></script>\n", v->shop->shell, v->total,
                 v->root);
    sb_filler_script(v->b, 68, 30000);
    sb_buf_print(v->b, "</body></html>\n");
}


static void
sb_page_way(sb_visit_t *v, unsigned status, const char *fmt, const char *to)
{
    char  location[1000];

    snprintf(location, sizeof(location), fmt, v->base, to);
    sb_answer_text(v->c, status, "text/html", "<html><body>Moved</body></html>"
                   "\n");
    sb_answer_header(v->c, "Location", "%s", location);
}


/* The same page by a newer address; by that it is served. */

static int
sb_page_moved(sb_visit_t *v)
{
    char  target[600], safe[620], to[640];

    if (sb_arg(v->c, "moved")) {
        v->fate = SB_FATE_PAGE;
        return 0;
    }

    sb_shop_target(v->c, target, sizeof(target));
    sb_percent(safe, sizeof(safe), target, "-._~/?=&");
    snprintf(to, sizeof(to), "%s%cmoved=1", safe, strchr(safe, '?') ? '&'
                                                                    : '?');
    sb_page_way(v, 301, "%s%s", to);

    return 1;
}


static void
sb_page_category(sb_visit_t *v)
{
    char  path[SB_PATH_MAX];

    v->shop->category(sb_kind(v->good.kind), path, sizeof(path));
    sb_page_way(v, 301, "%s%s", path);
}


/* Addresses of before, and those that only lead on. */

static int
sb_page_old(sb_visit_t *v)
{
    char  path[SB_PATH_MAX];

    if (v->fate != SB_FATE_PAGE || v->good.index >= SB_GOODS
        || (v->target != SB_TARGET_JUMP && !v->old))
    {
        return 0;
    }

    v->shop->path(&v->good, path, sizeof(path));
    sb_page_way(v, v->old ? 301 : 302, "%s%s", path);

    return 1;
}


static void
sb_page_gone(sb_visit_t *v)
{
    sb_page_lost(v, 410, "This product is gone");
}


static void
sb_page_missing(sb_visit_t *v)
{
    sb_page_lost(v, 404, "Page Not Found");
}


static void
sb_page_soft404(sb_visit_t *v)
{
    sb_page_lost(v, 200, "Page Not Found");
}


static void
sb_page_home(sb_visit_t *v)
{
    sb_page_way(v, 302, "%s/%s", "");
}


static void
sb_page_offsite(sb_visit_t *v)
{
    sb_page_way(v, 302, "https://elsewhere.invalid/?from=%s%s", "");
}


/* 1: the answer is complete. */

int
sb_shop_fate(sb_visit_t *v)
{
    static void (*const  writers[SB_FATES])(sb_visit_t *v) = {
        [SB_FATE_CAPTCHA] = sb_wall_captcha,
        [SB_FATE_DENIED] = sb_wall_denied,
        [SB_FATE_HUMAN] = sb_wall_human,
        [SB_FATE_PORTAL] = sb_wall_portal,
        [SB_FATE_OVERLOAD] = sb_wall_overload,
        [SB_FATE_GONE] = sb_page_gone,
        [SB_FATE_MISSING] = sb_page_missing,
        [SB_FATE_SOFT404] = sb_page_soft404,
        [SB_FATE_HOME] = sb_page_home,
        [SB_FATE_CATEGORY] = sb_page_category,
        [SB_FATE_OFFSITE] = sb_page_offsite,
        [SB_FATE_SHELL] = sb_page_shell,
        [SB_FATE_BOMB] = sb_shop_bomb,
        [SB_FATE_ATTRIBUTES] = sb_shop_attributes,
        [SB_FATE_DEEP] = sb_shop_deep
    };

    if (v->fate == SB_FATE_MOVED) {
        return sb_page_moved(v);
    }

    if (writers[v->fate] == NULL) {
        return sb_page_old(v);
    }

    writers[v->fate](v);

    return 1;
}


/* Ends the page within a script, in its second half. */

void
sb_shop_cut(sb_visit_t *v)
{
    char    *script;
    size_t   at;

    if (v->b->data == NULL) {
        return;
    }

    at = v->b->len / 2;
    script = strstr(v->b->data + at, "<script");
    at = script ? (size_t) (script - v->b->data) + 300 : at;

    if (at < v->b->len) {
        v->b->len = at;
        v->b->data[at] = '\0';
    }
}


static void
sb_shop_error(sb_call_t *c, unsigned status, const sb_error_t *e)
{
    sb_answer_text(c, status, "text/html; charset=utf-8", "<!DOCTYPE html>"
                   "<html><head><title>%u</title></head><body><h1>%s</h1>"
                   "</body></html>\n", status, e->message);
}


static void
sb_shop_failure(sb_call_t *c, unsigned status)
{
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));
    snprintf(e.message, sizeof(e.message), "%s", status == 429
             ? "Too Many Requests" : "Sorry, something went wrong on our end");
    sb_shop_error(c, status, &e);
}


static void
sb_shop_throttle(sb_call_t *c, double seconds)
{
    long  up;

    up = (long) seconds + (seconds > (double) (long) seconds);
    sb_shop_failure(c, 429);
    sb_answer_header(c, "Retry-After", "%ld", up > 0 ? up : 1);
}


static const sb_source_t  sb_shop_source = {
    .throttle = sb_shop_throttle
};

const sb_api_t  sb_api_shop = {
    .name = "shop",
    .error = sb_shop_error,
    .failure = sb_shop_failure,
    .source = &sb_shop_source
};
