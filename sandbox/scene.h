/*
 * What a prompt and a seed make of a room, and who draws which part of it.
 *
 * A scene is filled by scene.c and read by room.c (walls, floor, window, what
 * hangs) and furniture.c (what stands).  It lives for one drawing.
 */

#ifndef SANDBOX_SCENE_H
#define SANDBOX_SCENE_H


#include "paint.h"
#include "sandbox.h"


typedef enum {
    SB_ROOM_LIVING,
    SB_ROOM_BED,
    SB_ROOM_KITCHEN,
    SB_ROOM_DINING,
    SB_ROOM_OFFICE,
    SB_ROOM_BATH,
    SB_ROOMS
} sb_room_e;


typedef enum {
    SB_WALL_PLAIN,
    SB_WALL_PANELS,
    SB_WALL_WAINSCOT,
    SB_WALL_STRIPES,
    SB_WALL_BRICK,
    SB_WALL_TILES
} sb_wall_e;


typedef enum {
    SB_FLOOR_WOOD,
    SB_FLOOR_TILES,
    SB_FLOOR_PLAIN
} sb_floor_e;


typedef enum {
    SB_SKY_DAY,
    SB_SKY_SUNSET,
    SB_SKY_OVERCAST,
    SB_SKY_NIGHT
} sb_sky_e;


typedef struct {
    sb_canvas_t  cv;
    uint64_t     random;

    sb_room_e    room;
    sb_wall_e    wall_kind;
    sb_floor_e   floor_kind;
    sb_sky_e     sky;
    double       clutter;       /* 0 bare .. 1 full */

    sb_rgb_t     wall;
    sb_rgb_t     ceiling;
    sb_rgb_t     trim;
    sb_rgb_t     wood;
    sb_rgb_t     floor;
    sb_rgb_t     main;          /* sofa, bed, cabinets */
    sb_rgb_t     accent;
    sb_rgb_t     accent2;
    sb_rgb_t     rug;
    sb_rgb_t     curtain;
    sb_rgb_t     metal;

    double       u;             /* what furniture is measured in */
    double       x0, y0;        /* the back wall */
    double       x1, y1;
    double       vx, vy;        /* vanishing point */
    double       cx;            /* middle of the furniture */
    double       wx0, wy0;      /* the window */
    double       wx1, wy1;
} sb_scene_t;


/* Even over [a, b). */
double sb_vary(sb_scene_t *s, double a, double b);

/* 1 with the given probability. */
int sb_maybe(sb_scene_t *s, double chance);

/* scene.c */
void sb_scene_draw(sb_scene_t *s, const char *words);
int sb_scene_room(const char *words);

/* picture.c */
void sb_scene_label(sb_scene_t *s, const char *provider);
int sb_encode(sb_picture_t *p, gdImagePtr im, sb_format_e format,
    unsigned quality);

/* room.c */
void sb_room_shell(sb_scene_t *s);
void sb_room_window(sb_scene_t *s);
void sb_room_light(sb_scene_t *s);
void sb_room_art(sb_scene_t *s, double cx, double cy, double w, double h);
void sb_room_shelf(sb_scene_t *s, double x0, double y, double w);
void sb_room_mirror(sb_scene_t *s, double cx, double cy, double r);
void sb_room_pendant(sb_scene_t *s, double cx, double y);

/* furniture.c and fittings.c; y is where the thing touches the floor */
void sb_sofa(sb_scene_t *s, double cx, double y, double w);
void sb_armchair(sb_scene_t *s, double cx, double y);
void sb_bed(sb_scene_t *s, double cx, double y, double w);
void sb_dining(sb_scene_t *s, double cx, double y, double w);
void sb_desk(sb_scene_t *s, double cx, double y, double w);
void sb_kitchen(sb_scene_t *s);
void sb_bath(sb_scene_t *s, double cx, double y, double w);
void sb_rug_lay(sb_scene_t *s, double cx, double y, double w);
void sb_lamp(sb_scene_t *s, double cx, double y);
void sb_plant(sb_scene_t *s, double cx, double y, double size);
void sb_coffee_table(sb_scene_t *s, double cx, double y, double w);
void sb_side_table(sb_scene_t *s, double cx, double y);


#endif /* SANDBOX_SCENE_H */
