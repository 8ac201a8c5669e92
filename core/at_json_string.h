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
    AT_JSON_RUN,                /* plain bytes, cut anywhere */
    AT_JSON_CHARACTER,          /* one code point, from an escape */
    AT_JSON_LAST                /* a run that ends the string, maybe empty */
} at_json_piece_e;


typedef enum {
    AT_JSON_PLAIN = 0,
    AT_JSON_BACKSLASH,
    AT_JSON_HEX
} at_json_escape_e;


typedef struct {
    /* Returns AT_OK, or AT_ERROR to stop with error as the caller set it. */
    int               (*piece)(void *ctx, const uint8_t *data, size_t len,
                               at_json_piece_e kind);
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
