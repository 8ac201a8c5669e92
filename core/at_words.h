/*
 * Bytes looked at eight at a time.
 *
 * Nearly all text that comes here is plain ASCII, and one glance at a word
 * tells that nothing in it needs care.  The loops of core/ that walk over
 * text skip such words first and go on byte by byte where one has what they
 * look for.  The functions mark the bytes meant in the top bit of each; the
 * lowest mark is right, those above it may be too many, so the answer to use
 * is "some" or "none".  Bytes of 0x80 and more are never marked.  The order
 * of bytes in a word does not matter, nor does alignment.
 */

#ifndef AT_WORDS_H
#define AT_WORDS_H


#include <stdint.h>
#include <string.h>


#define AT_WORD       sizeof(uint64_t)
#define AT_WORD_ONES  0x0101010101010101u
#define AT_WORD_TOPS  0x8080808080808080u


static inline uint64_t
at_word_load(const void *p)
{
    uint64_t  v;

    memcpy(&v, p, AT_WORD);

    return v;
}


/* Bytes below n, which is 0x80 at most: only they borrow from their top bit. */
static inline uint64_t
at_word_below(uint64_t v, uint8_t n)
{
    return (v - AT_WORD_ONES * n) & ~v & AT_WORD_TOPS;
}


/* Bytes equal to c, which is below 0x80: they are 0 after the XOR. */
static inline uint64_t
at_word_equal(uint64_t v, uint8_t c)
{
    return at_word_below(v ^ (AT_WORD_ONES * c), 1);
}


/* How many bytes of v are inside a UTF-8 sequence (10xxxxxx), exactly. */
static inline unsigned
at_word_inside(uint64_t v)
{
    /* the multiplication adds up all eight bytes in the highest */

    return (unsigned) (((v >> 7 & ~v >> 6 & AT_WORD_ONES) * AT_WORD_ONES)
                       >> 56);
}


#endif /* AT_WORDS_H */
