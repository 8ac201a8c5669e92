/*
 * The inside of a JSON string, decoded while it arrives.
 *
 * Used by at_json.c alone.  Runs of plain bytes are handed on straight out of
 * the input; only escapes are copied.  The owner zero-initialises the decoder
 * and sets piece and ctx; it holds no memory.
 */

#ifndef AT_JSON_STRING_H
#define AT_JSON_STRING_H


#include "at.h"


typedef enum {
    AT_JSON_PLAIN = 0,
    AT_JSON_BACKSLASH,
    AT_JSON_HEX
} at_json_escape_e;


typedef struct {
    /*
     * Decoded bytes, maybe none; last is 1 for those before the closing
     * quote.  AT_ERROR stops the decoder.
     */
    int               (*piece)(void *ctx, const uint8_t *data, size_t len,
                               int last);
    void               *ctx;
    const char         *error;

    unsigned            closed:1;   /* the closing quote was read */
    at_json_escape_e    escape;
    unsigned            digits;     /* of \uXXXX still to come */
    uint32_t            unit;       /* what they spell */
    uint32_t            high;       /* a high surrogate, its low to come */
} at_json_string_t;


/* The opening quote was read. */
void at_json_string_open(at_json_string_t *s);

/*
 * Reads on; returns where it stopped, at end or behind the closing quote, or
 * NULL: error says why in a static text, unless piece stopped it.
 */
const uint8_t *at_json_string_read(at_json_string_t *s, const uint8_t *p,
    const uint8_t *end);


#endif /* AT_JSON_STRING_H */
