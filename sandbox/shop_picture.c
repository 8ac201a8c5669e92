/*
 * Pictures of goods, as shops have them: one thing before a plain wall.
 *
 * What stands there is drawn by the files that furnish rooms, or here, if no
 * room has one; colour and wood are the good's own.  The same good looks the
 * same at every size.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"
#include "shop.h"


static sb_rgb_t
sb_good_color(const char *name)
{
    size_t  i;

    static const struct {
        const char  *word;
        double       h, s, l;
    }  colors[] = {
        { "Green", 0.38, 0.35, 0.36 }, { "Navy", 0.61, 0.50, 0.28 },
        { "Grey", 0.60, 0.06, 0.36 }, { "Yellow", 0.12, 0.60, 0.50 },
        { "White", 0.11, 0.20, 0.88 }, { "Orange", 0.05, 0.55, 0.46 },
        { "Teal", 0.50, 0.45, 0.36 }, { "Beige", 0.10, 0.28, 0.72 },
        { "Pink", 0.95, 0.45, 0.76 }, { "Black", 0.62, 0.08, 0.17 },
        { "Red", 0.98, 0.50, 0.33 }, { "Brown", 0.08, 0.35, 0.50 },
        { "Lavender", 0.73, 0.35, 0.72 }
    };

    for (i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
        if (strstr(name, colors[i].word)) {
            return sb_hsl(colors[i].h, colors[i].s, colors[i].l);
        }
    }

    return sb_hsl(0.58, 0.3, 0.45);
}


/* A box with doors or boards: wardrobe, shelf, TV unit, shoe rack. */

static void
sb_good_box(sb_scene_t *s, double w, double h, int across, int down,
    int open)
{
    int       i, k;
    double    x0, y0, x, y, cw, ch, m;
    sb_rgb_t  wood;

    wood = sb_mix(s->wood, s->main, 0.35);
    x0 = s->cx - w / 2;
    y0 = s->y1 - h;
    cw = w / across;
    ch = h / down;
    m = s->u * 0.012;

    sb_soft(&s->cv, s->cx, s->y1, w * 0.62, s->u * 0.03,
            sb_shade(s->floor, 0.4), 0.7);
    sb_rect(&s->cv, x0, y0, x0 + w, s->y1 - m, wood);

    for (i = 0; i < across; i++) {
        for (k = 0; k < down; k++) {
            x = x0 + i * cw;
            y = y0 + k * ch;
            sb_rect(&s->cv, x + m, y + m, x + cw - m / 2, y + ch - m * 1.5,
                    sb_shade(wood, open ? 0.6 : 1.1));

            if (open) {
                sb_rect(&s->cv, x + m * 2, y + ch * 0.45,
                        x + cw * (0.3 + 0.1 * ((i + k) % 4)),
                        y + ch - m * 1.5, (i + k) % 2 ? s->accent
                                                      : s->accent2);

            } else {
                sb_round(&s->cv, x + cw - m * 4, y + ch * 0.42,
                         x + cw - m * 3, y + ch * 0.56, 2, s->metal);
            }
        }
    }

    sb_rect(&s->cv, x0 - m / 2, y0 - m, x0 + w + m / 2, y0 + m / 2,
            sb_shade(wood, 0.85));
}


static void
sb_good_place_other(sb_scene_t *s, unsigned kind, const char *type)
{
    double  u;

    u = s->u;

    switch (kind) {

    case 5:
        sb_good_box(s, u * 0.52, u * 0.68, type[0] - '0', 1, 0);
        break;

    case 6:
        sb_good_box(s, u * 0.4, u * 0.7, 2, 5, 1);
        break;

    case 7:
        sb_good_box(s, u * 0.8, u * 0.26, 4, 1, 0);
        break;

    case 8:
        s->u = u * 1.3;
        sb_desk(s, s->cx, s->y1, u * 0.7);
        break;

    case 9:
        s->u = u * 1.3;
        sb_lamp(s, s->cx, s->y1);
        break;

    case 10:
        s->u = u * 1.6;
        sb_rug_lay(s, s->cx, s->y1 - u * 0.1, u * 0.9);
        break;

    default:
        sb_good_box(s, u * 0.55, u * 0.36, 3, 3, 1);
        break;
    }
}


static void
sb_good_place(sb_scene_t *s, const sb_good_t *g)
{
    double  u;

    u = s->u;

    switch (g->kind) {

    case 0:
        s->u = u * 1.5;
        sb_sofa(s, s->cx, s->y1, u * (0.44 + 0.11 * (g->type[0] - '0')));
        break;

    case 1:
        s->accent = s->main;
        s->u = u * 2.2;
        sb_armchair(s, s->cx, s->y1);
        break;

    case 2:
        s->u = u * 1.4;
        sb_bed(s, s->cx, s->y1, u * 0.72);
        break;

    case 3:
        sb_dining(s, s->cx, s->y1, u * 0.6);
        break;

    case 4:
        s->u = u * 1.5;
        sb_coffee_table(s, s->cx, s->y1, u * 0.7);
        break;

    default:
        sb_good_place_other(s, g->kind, g->type);
        break;
    }
}


int
sb_good_draw(const sb_good_t *g, unsigned width, unsigned height,
    unsigned turn, sb_picture_t *p)
{
    int         rc;
    double      h;
    sb_scene_t  s;

    memset(&s, 0, sizeof(sb_scene_t));

    s.cv.im = gdImageCreateTrueColor((int) width, (int) height);
    if (s.cv.im == NULL) {
        return SB_ERROR;
    }

    s.random = sb_scramble(g->hash + turn);
    s.cv.w = width;
    s.cv.h = height;
    s.cv.mirror = turn & 1;
    s.u = fmin(width, height);
    s.cx = width / 2.0;
    s.y1 = height * 0.76;
    s.clutter = 0.3;
    s.main = sb_good_color(g->color);
    h = sb_vary(&s, 0, 1);
    s.accent = sb_hsl(h, 0.35, 0.55);
    s.accent2 = sb_hsl(h + 0.3, 0.3, 0.65);
    s.rug = s.main;
    s.wood = sb_hsl(0.07 + 0.03 * h, 0.38, 0.3 + 0.25 * h);
    s.metal = sb_hsl(0.6, 0.05, 0.35);
    s.trim = sb_hsl(0.1, 0.1, 0.95);
    s.wall = sb_hsl(0.1 + turn * 0.13, 0.1, 0.94);
    s.floor = sb_hsl(0.1 + turn * 0.13, 0.12, 0.86);
    s.sky = SB_SKY_DAY;

    sb_gradient(&s.cv, 0, 0, width, height * 0.64, s.wall,
                sb_shade(s.wall, 0.97));
    sb_gradient(&s.cv, 0, height * 0.64, width, height, s.floor,
                sb_shade(s.floor, 1.04));
    sb_good_place(&s, g);

    s.u = fmin(width, height);
    s.cv.mirror = 0;

    rc = sb_encode(p, s.cv.im, SB_FORMAT_JPEG, 82);
    gdImageDestroy(s.cv.im);

    return rc;
}


/* The placeholder of pictures that are not yet seen. */

static int
sb_good_loader(sb_picture_t *p)
{
    int         rc;
    gdImagePtr  im;

    im = gdImageCreateTrueColor(32, 32);
    if (im == NULL) {
        return SB_ERROR;
    }

    rc = sb_encode(p, im, SB_FORMAT_GIF, 0);
    gdImageDestroy(im);

    return rc;
}


static int
sb_shop_photo_draw(sb_call_t *c, sb_picture_t *p)
{
    int               i, rc;
    char              id[24], key[80];
    unsigned          w, h, turn;
    uint64_t          hash;
    const char       *dash;
    const sb_good_t  *g;

    if (strstr(c->rest, "/loader-")) {
        return sb_good_loader(p);
    }

    (void) c->shop->picture(c->rest, id, sizeof(id), &w, &h);
    i = sb_good_find(c->shop->shop, id, strlen(id));

    if (i < 0 || w < 16 || h < 16 || w > SB_SIDE_MAX || h > SB_SIDE_MAX) {
        return SB_ERROR;
    }

    g = sb_good(c->shop->shop, (unsigned) i);
    dash = strstr(c->rest, g->id);
    dash = dash ? strpbrk(dash + strlen(g->id), "0123456789") : NULL;
    turn = dash && c->shop->shop != SB_SHOP_AMAZON
           ? (unsigned) strtoul(dash, NULL, 10) % 4 : 0;

    snprintf(key, sizeof(key), "good %s %s %u %u %u", c->shop->name, g->id,
             w, h, turn);
    hash = sb_hash(0xcbf29ce484222325u, key);

    if (sb_cdn_load(hash, p) == SB_OK) {
        return SB_OK;
    }

    if (sb_drawing_take(c) != SB_OK) {
        return SB_ERROR;
    }

    rc = sb_good_draw(g, w, h, turn, p);
    sb_drawing_give();

    if (rc == SB_OK) {
        sb_cdn_store(hash, p);
    }

    return rc;
}


/* "bytes=a-b" or "bytes=a-"; anything else is not taken notice of. */

static void
sb_shop_photo_range(sb_call_t *c, const sb_picture_t *p)
{
    char           *end;
    size_t          from, to;
    const char     *range;
    unsigned long   n;

    range = sb_call_header(c, "Range");

    if (range == NULL || strncmp(range, "bytes=", 6) != 0
        || range[6] < '0' || range[6] > '9')
    {
        sb_answer_begin(c, 200, p->type);
        sb_answer_header(c, "Accept-Ranges", "bytes");
        sb_buf_add(&c->answer.body, p->data.data, p->data.len);
        return;
    }

    from = strtoul(range + 6, &end, 10);
    n = *end == '-' && end[1] >= '0' && end[1] <= '9'
        ? strtoul(end + 1, NULL, 10) : p->data.len;
    to = n < p->data.len ? n : p->data.len - 1;

    if (from > to) {
        sb_answer_begin(c, 416, "");
        sb_answer_header(c, "Content-Range", "bytes */%zu", p->data.len);
        return;
    }

    sb_answer_begin(c, 206, p->type);
    sb_answer_header(c, "Content-Range", "bytes %zu-%zu/%zu", from, to,
                     p->data.len);
    sb_buf_add(&c->answer.body, p->data.data + from, to - from + 1);
}


void
sb_serve_shop_photo(sb_call_t *c)
{
    sb_job_t      job;
    sb_picture_t  p;

    memset(&job, 0, sizeof(sb_job_t));
    memset(&p, 0, sizeof(sb_picture_t));
    job.reply = SB_REPLY_RAW;
    job.format = SB_FORMAT_JPEG;
    job.n = 1;

    if (strcmp(c->method, "GET") != 0 && strcmp(c->method, "HEAD") != 0) {
        sb_refuse(c, 405, NULL, NULL, "Method not allowed");
        return;
    }

    sb_decide(c);

    if (sb_latency_sleep(c) != SB_OK || sb_fault_before(c, &job)) {
        return;
    }

    if (sb_shop_photo_draw(c, &p) != SB_OK) {
        sb_refuse(c, 404, NULL, NULL, "Not Found");

    } else if (sb_fault_pictures(c, &job, &p) != SB_OK) {
        sb_fault_variant(c);

    } else {
        sb_shop_photo_range(c, &p);
        sb_answer_header(c, "Cache-Control", "public, max-age=86400");
        sb_fault_after(c, &job);
    }

    sb_buf_free(&p.data);
    sb_buf_free(&p.b64);
}
