/*
 * Small text rooms: UTF-8, base64, numbers and dates in headers.
 *
 * All of them are pure and bounded by their input.
 */

#ifndef AT_TEXT_H
#define AT_TEXT_H


#include "at.h"


/*
 * Bytes of the well-formed UTF-8 sequence s begins with: 1 to 4, or 0 if it
 * begins with none.
 */
size_t at_utf8_sequence(at_str_t s);

/* The code point of the well-formed sequence s begins with. */
uint32_t at_utf8_code(at_str_t s);

/* 1 if s is UTF-8 by RFC 3629 (no surrogates, no overlong forms). */
int at_utf8_valid(at_str_t s);

/* Code points in s, which must be valid. */
size_t at_utf8_count(at_str_t s);

/* The longest prefix of s, which must be valid, of at most n code points. */
at_str_t at_utf8_cut(at_str_t s, size_t n);


/*
 * Incremental base64 (RFC 4648 section 4), decoded while it arrives.  CR, LF,
 * blank and tab are skipped; any other byte outside the alphabet, data after
 * padding or an impossible length is an error.  Padding may be missing.
 * Zero-initialise the decoder.
 */
typedef struct {
    uint32_t  bits;
    unsigned  n;                /* characters of the current quartet */
    unsigned  pad;
} at_base64_t;


/* Appends what in decodes to out.  AT_ERROR also when it is full; or
   AT_NO_MEMORY. */
int at_base64_decode(at_base64_t *d, const uint8_t *in, size_t len,
    at_buf_t *out);

/*
 * The text is over: appends the byte or two of a last short group.  AT_ERROR
 * if it ends in the middle of a byte or of its padding, or if out is full; or
 * AT_NO_MEMORY.  The decoder is then ready for another text.
 */
int at_base64_finish(at_base64_t *d, at_buf_t *out);


/*
 * A duration as providers write it, to milliseconds, rounded up:
 * "7", "7.5", "1m30s", "120ms", "1h2m3.5s", or a date of HTTP (RFC 9110
 * section 5.6.7, all three forms) or of RFC 3339, counted from now.  now is
 * seconds since 1970.  Returns -1 if it is none of these; never more than one
 * day.
 */
int64_t at_retry_after(at_str_t value, int64_t now);

/*
 * The same from a sentence: "Your rate limit resets in ~30s.", "Please try
 * again in 7.66s", "retry after 12 seconds".  -1: no such words.
 */
int64_t at_retry_after_text(at_str_t text);


#endif /* AT_TEXT_H */
