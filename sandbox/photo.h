/*
 * Photographs of rooms: what the image sources have in store.
 *
 * A photo is a number, a size and a variant; its pixels are drawn when they
 * are asked for, at the size that is asked for, and look the same at each.
 * Two photos of one number are near-duplicates: the variant changes light,
 * crop and quality as other services do to one picture.
 */

#ifndef SANDBOX_PHOTO_H
#define SANDBOX_PHOTO_H


#include <stdint.h>

#include "sandbox.h"


#define SB_PHOTO_NAME   32              /* hex digits */
#define SB_PHOTO_ROOMS  7
#define SB_VARIANTS     64


typedef struct {
    uint64_t     seed;
    unsigned     width;                 /* of the original, up to 65535 */
    unsigned     height;
    unsigned     variant;               /* SB_VARIANTS of them */
} sb_photo_t;


/* How it is asked for. */
typedef struct {
    double       width;                 /* 0: as the other one says */
    double       height;
    unsigned     crop:1;                /* fill both, cut what is over */
    unsigned     enlarge:1;             /* beyond the original too */
    sb_format_e  format;
    unsigned     quality;               /* 0: usual */
    const char  *label;                 /* on larger ones; or NULL */
} sb_photo_view_t;


/* Colours that sources can be asked for. */
typedef enum {
    SB_TINT_RED,
    SB_TINT_ORANGE,
    SB_TINT_YELLOW,
    SB_TINT_GREEN,
    SB_TINT_TEAL,
    SB_TINT_BLUE,
    SB_TINT_PURPLE,
    SB_TINT_PINK,
    SB_TINT_BROWN,
    SB_TINT_BLACK,
    SB_TINT_GRAY,
    SB_TINT_WHITE,
    SB_TINTS
} sb_tint_e;


uint64_t sb_photo_seed(uint64_t seed, const char *words);
sb_tint_e sb_photo_tint(uint64_t seed);
uint32_t sb_photo_color(uint64_t seed);
const char *sb_tint_name(sb_tint_e tint);
void sb_photo_name(const sb_photo_t *photo, char *name);
int sb_photo_find(const char *name, size_t len, sb_photo_t *photo);
int sb_photo_draw(const sb_photo_t *photo, const sb_photo_view_t *view,
    sb_picture_t *p);


#endif /* SANDBOX_PHOTO_H */
