/*
 * Perceptual hashes: whether two pictures look the same.
 *
 * Two hashes are made of the grey of an uncropped thumbnail: 64 bits of a
 * DCT, and 256 bits in the manner of PDQ.  Each bit says whether a frequency
 * is above the median of its kind, so brightness and contrast do not matter.
 * The first decides the clear cases, the second the ones between.
 *
 * A picture without features (a plain wall, a clear sky) hashes by its noise:
 * it is like no other picture.
 *
 * Pure functions of pixels; the worker that hashes thumbnails calls them, and
 * who has pixels frees them.
 */

#ifndef AT_PHASH_H
#define AT_PHASH_H


#include "../at.h"


#define AT_PHASH_MIN_SIDE   16          /* pixels; smaller cannot be told */
#define AT_PHASH_TEXT       41          /* bytes of the stored form */

/*
 * Bits that may differ: so few and it is the same picture, or somewhat more
 * when the long hash says so, too.
 */
#define AT_PHASH_NEAR       12
#define AT_PHASH_FAR        20
#define AT_PHASH_LONG_NEAR  90


typedef struct {
    uint64_t  bits;
    uint64_t  wide[4];
    unsigned  plain:1;                  /* no features */
} at_phash_t;


/*
 * Hashes width x height bytes of grey, rows stride bytes apart.  AT_ERROR: a
 * side is below AT_PHASH_MIN_SIDE or above 65535.
 */
int at_phash(const uint8_t *grey, size_t width, size_t height, size_t stride,
    at_phash_t *hash);

/* Bits that differ: 0 to 64, and 0 to 256. */
unsigned at_phash_distance(const at_phash_t *a, const at_phash_t *b);
unsigned at_phash_wide_distance(const at_phash_t *a, const at_phash_t *b);

/* 1 if they are of one picture. */
int at_phash_same(const at_phash_t *a, const at_phash_t *b);

/* The stored form: the same bytes on every machine. */
void at_phash_pack(const at_phash_t *hash, uint8_t out[AT_PHASH_TEXT]);

/* AT_ERROR: not such bytes. */
int at_phash_unpack(at_str_t in, at_phash_t *hash);


#endif /* AT_PHASH_H */
