/*
 * What the pages of all shops are made of: sums of money, escaped text, class
 * names that can be changed, and filling.
 *
 * A real page is mostly scripts, styles and other people's goods; the filling
 * is as large, is made once at start out of a few words, and only looks like
 * a script.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shop.h"


#define SB_FILLER  ((size_t) 96 * 1024)


static pthread_once_t  sb_filler_once = PTHREAD_ONCE_INIT;
static char            sb_scripts[SB_FILLER];
static char            sb_styles[SB_FILLER];
static char            sb_words[SB_FILLER];


/*
 * 1,23,456.50: lakhs are grouped by two, thousands by three.  Paise are shown
 * when there are some, or when the sum is to be exact.
 */

void
sb_money(char *dst, size_t size, int64_t paise, int grouped, int exact)
{
    int      i, n, len;
    char     digits[24], text[40];
    int64_t  rupees;

    rupees = paise / 100;
    len = snprintf(digits, sizeof(digits), "%lld", (long long) rupees);
    n = 0;

    for (i = 0; i < len; i++) {
        text[n++] = digits[i];

        if (grouped && i + 1 < len
            && (len - i == 4 || (len - i > 4 && (len - i) % 2 == 0)))
        {
            text[n++] = ',';
        }
    }

    text[n] = '\0';

    if (exact || paise % 100) {
        snprintf(dst, size, "%s.%02d", text, (int) (paise % 100));

    } else {
        snprintf(dst, size, "%s", text);
    }
}


void
sb_html_copy(char *dst, size_t size, const char *src)
{
    size_t       n, len;
    const char  *p;

    for (n = 0; *src && n + 7 < size; src++) {
        switch (*src) {

        case '&':
            p = "&amp;";
            break;

        case '<':
            p = "&lt;";
            break;

        case '>':
            p = "&gt;";
            break;

        case '"':
            p = "&quot;";
            break;

        case '\'':
            p = "&#39;";
            break;

        default:
            dst[n++] = *src;
            continue;
        }

        len = strlen(p);
        memcpy(dst + n, p, len);
        n += len;
    }

    dst[n] = '\0';
}


void
sb_html(sb_buf_t *b, const char *text)
{
    char  copy[6 * SB_QUERY_MAX];

    sb_html_copy(copy, sizeof(copy), text);
    sb_buf_add(b, copy, strlen(copy));
}


/* For a JSON string inside a script. */

void
sb_json_copy(char *dst, size_t size, const char *src)
{
    size_t         n;
    unsigned char  ch;

    for (n = 0; *src && n + 7 < size; src++) {
        ch = (unsigned char) *src;

        if (ch == '"' || ch == '\\') {
            dst[n++] = '\\';
            dst[n++] = (char) ch;

        } else if (ch < 0x20 || ch == '<' || ch == '&') {
            n += (size_t) snprintf(dst + n, size - n, "\\u%04x", ch);

        } else {
            dst[n++] = (char) ch;
        }
    }

    dst[n] = '\0';
}


void
sb_view(const sb_visit_t *v, const sb_good_t *g, sb_view_t *view)
{
    char  path[SB_PATH_MAX - 48];

    view->g = g;
    sb_html_copy(view->title, sizeof(view->title), g->title);
    sb_json_copy(view->json, sizeof(view->json), g->title);

    v->shop->path(g, path, sizeof(path));
    snprintf(view->href, sizeof(view->href), "%s%s", v->root, path);
    snprintf(view->url, sizeof(view->url), "%s%s", v->base, path);

    v->shop->image(g, 0, 600, path, sizeof(path));
    snprintf(view->image, sizeof(view->image), "%s%s", v->base, path);

    sb_money(view->price, sizeof(view->price), g->price, 1, 0);
    sb_money(view->mrp, sizeof(view->mrp), g->mrp, 1, 0);
    sb_money(view->plain, sizeof(view->plain), g->price, 0, 0);
    sb_money(view->plain_mrp, sizeof(view->plain_mrp), g->mrp, 0, 0);
    sb_money(view->exact, sizeof(view->exact), g->price, 0, 1);
    sb_money(view->exact_mrp, sizeof(view->exact_mrp), g->mrp, 0, 1);

    view->off = g->mrp > g->price
                ? (unsigned) ((g->mrp - g->price) * 100 / g->mrp) : 0;
}


/* Differs from call to call: ids of requests, tokens. */

uint64_t
sb_visit_random(sb_visit_t *v)
{
    return sb_scramble(v->noise += SB_GOLDEN);
}


/*
 * Setting "look": 0 has the class names of today, another one gives each that
 * means something a new name that means nothing.
 */

const char *
sb_class(const sb_visit_t *v, const char *name)
{
    int       i;
    uint64_t  h;

    static _Thread_local char      names[8][12];
    static _Thread_local unsigned  next;

    static const char  abc[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN"
                               "OPQRSTUVWXYZ0123456789-_";

    if (v->c->settings.look == 0) {
        return name;
    }

    h = sb_hash(0xcbf29ce484222325u + (uint64_t) v->c->settings.look, name);
    next = (next + 1) % 8;

    for (i = 0; i < 6; i++) {
        names[next][i] = abc[h % (i ? 64 : 52)];
        h = sb_scramble(h);
    }

    names[next][6] = '\0';

    return names[next];
}


static void
sb_filler_fill(char *dst, uint64_t seed, const char *const *words, size_t n,
    const char *const *joints, size_t m)
{
    size_t       at, len;
    uint64_t     r;
    const char  *p;

    at = 0;

    while (at < SB_FILLER) {
        r = sb_scramble(seed += SB_GOLDEN);

        p = words[r % n];
        len = strlen(p);
        len = len < SB_FILLER - at ? len : SB_FILLER - at;
        memcpy(dst + at, p, len);
        at += len;

        p = joints[(r >> 16) % m];
        len = strlen(p);
        len = len < SB_FILLER - at ? len : SB_FILLER - at;
        memcpy(dst + at, p, len);
        at += len;
    }
}


static void
sb_filler_make(void)
{
    static const char *const  script[] = {
        "function(e,t,n){return e.call(t,n)}", "var r=n(4721)",
        "t.exports=void 0", "window.__q=window.__q||[]", "this.state.open=!1",
        "Object.defineProperty(t,\"x\",{value:!0})", "a.push([12,499,\"k\"])",
        "if(e&&e.length>3){u(e[0])}", "for(var i=0;i<o.length;i++)s+=o[i]",
        "\"prefetch\"===m.rel", "p=Math.max(0,c-1)",
        "document.createElement(\"a\")",
        "q.price=q.price||{}", "w={id:\"sofa\",on:!0,list:[]}", "l?d(l):f(null)"
    };
    static const char *const  marks[] = { ";", ",", ";\n", ";", "&&" };
    static const char *const  style[] = {
        ".a1{display:flex;align-items:center}", ".price-x{font-weight:700}",
        "#m-top>li+li{margin-left:8px}", ".c9f{color:#1f2937;opacity:.9}",
        ".grid{grid-template-columns:repeat(4,1fr)}", "a:hover{color:#0a66c2}",
        ".t-2{transform:translate3d(0,-50%,0)}", ".s0::before{content:\"\"}",
        ".w-100{width:100%}", ".btn{border-radius:4px;padding:8px 16px}"
    };
    static const char *const  nothing[] = { "", "", "\n" };
    static const char *const  words[] = {
        "sturdy", "the legs", "came well packed", "looks", "as shown",
        "delivery", "took a week", "my living room", "easy to put together",
        "the finish", "is smooth", "wood", "a little smaller", "than I thought",
        "value for money", "soft", "neat", "colour", "matches", "the curtains",
        "would buy", "again", "screws", "were missing", "support", "helped"
    };
    static const char *const  gaps[] = { " ", " ", " ", ", ", ". " };

    sb_filler_fill(sb_scripts, 1, script, sizeof(script) / sizeof(*script),
                   marks, sizeof(marks) / sizeof(*marks));
    sb_filler_fill(sb_styles, 2, style, sizeof(style) / sizeof(*style),
                   nothing, sizeof(nothing) / sizeof(*nothing));
    sb_filler_fill(sb_words, 3, words, sizeof(words) / sizeof(*words),
                   gaps, sizeof(gaps) / sizeof(*gaps));
}


static void
sb_filler(sb_buf_t *b, const char *text, uint64_t seed, size_t len)
{
    size_t  at, n;

    at = (size_t) (sb_scramble(seed) % SB_FILLER);

    while (len) {
        n = len < SB_FILLER - at ? len : SB_FILLER - at;
        sb_buf_add(b, text + at, n);
        len -= n;
        at = 0;
    }
}


void
sb_filler_script(sb_buf_t *b, uint64_t seed, size_t len)
{
    pthread_once(&sb_filler_once, sb_filler_make);
    sb_buf_print(b, "<script>/*");
    sb_buf_print(b, "%llx*/!function(){", (unsigned long long) seed);
    sb_filler(b, sb_scripts, seed, len);
    sb_buf_print(b, "}();</script>\n");
}


void
sb_filler_style(sb_buf_t *b, uint64_t seed, size_t len)
{
    pthread_once(&sb_filler_once, sb_filler_make);
    sb_buf_print(b, "<style>");
    sb_filler(b, sb_styles, seed, len);
    sb_buf_print(b, "</style>\n");
}


void
sb_filler_words(sb_buf_t *b, uint64_t seed, size_t len)
{
    pthread_once(&sb_filler_once, sb_filler_make);
    sb_filler(b, sb_words, seed, len);
}


/* The navigation: links to every category. */

void
sb_menu(sb_visit_t *v)
{
    unsigned          i;
    char              path[SB_PATH_MAX];
    const sb_kind_t  *k;

    sb_buf_print(v->b, "<nav><ul>");

    for (i = 0; i < SB_KINDS; i++) {
        k = sb_kind(i);
        v->shop->category(k, path, sizeof(path));
        sb_buf_print(v->b, "<li><a href=\"%s%s\">%ss</a><span>From \xe2\x82\xb9"
                     "%ld</span></li>", v->root, path, k->noun, k->low);
    }

    sb_buf_print(v->b, "</ul></nav>\n");
}


/* Similar goods: of the same kind, as they stand now. */

void
sb_others(const sb_visit_t *v, unsigned n, sb_good_t *others)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        others[i] = *sb_good(v->shop->shop,
                             v->good.index + (i + 1) * SB_KINDS);
        sb_stand_now(v->shop->shop, &others[i]);
    }
}
