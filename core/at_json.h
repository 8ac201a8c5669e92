/*
 * An incremental JSON reader over yajl that knows where it is.
 *
 * Bytes are fed as they arrive.  Every scalar is reported with its path:
 * member names joined by dots, "[]" for any element of an array, as in
 * "data[].b64_json" or "errors[]"; a scalar at the top has the path "".
 * A string the caller wants streamed (a picture in base64, megabytes long) is
 * handed over piece by piece and never stored here: yajl would keep it whole
 * and scan it again from its start with every piece.
 *
 * Bounds: depth, values, string bytes, number bytes, path bytes, and all bytes
 * but those of streamed strings, which cost little.  A path that would
 * be longer, or that has a member name which is empty or holds '.', '[', ']',
 * '?' or NUL, is reported as "?" with all below it, so it matches nothing.
 * The result does not depend on how the text is cut into pieces, and the time
 * is linear in its length.  The caller frees the reader.
 */

#ifndef AT_JSON_H
#define AT_JSON_H


#include "at.h"


#define AT_JSON_PATH_MAX    255     /* bytes */
#define AT_JSON_NUMBER_MAX  1024    /* bytes */


typedef struct at_json_s  at_json_t;


typedef enum {
    AT_JSON_NULL,
    AT_JSON_BOOL,
    AT_JSON_NUMBER,
    AT_JSON_STRING,
    AT_JSON_OBJECT,             /* open and close only */
    AT_JSON_ARRAY               /* open and close only */
} at_json_type_e;


/*
 * Every callback may be NULL and returns AT_OK, or AT_ERROR to stop: the
 * at_json_feed() under way then returns AT_ERROR, as do all later ones.
 */
typedef struct {
    /*
     * A scalar.  text is the decoded string (UTF-8 is not checked and NUL can
     * be inside), the number as written, "true", "false" or "null".  An
     * escaped surrogate without its partner becomes its three bytes ED A0 80
     * to ED BF BF, which at_utf8_valid() refuses.
     */
    int  (*value)(void *ctx, const char *path, at_json_type_e type,
                  at_str_t text);

    /* Asked at the opening quote of a string value: 1 = stream it. */
    int  (*stream)(void *ctx, const char *path);

    /*
     * A piece of a streamed string with its escapes decoded; last is 1 once
     * per string, with the final piece, which may be empty.
     */
    int  (*chunk)(void *ctx, const char *path, const uint8_t *data,
                  size_t len, int last);

    /* An object or array begins (its own path) and ends. */
    int  (*open)(void *ctx, const char *path, at_json_type_e type);
    int  (*close)(void *ctx, const char *path, at_json_type_e type);
} at_json_handler_t;


typedef struct {
    unsigned  depth;            /* deepest nesting; 0: 64 */
    size_t    string;           /* bytes of one plain string; 0: 16384 */
    unsigned  cut:1;            /* 1: longer strings are cut, at a character,
                                   else an error */
    size_t    values;           /* scalars, objects and arrays; 0: any */
    size_t    plain;            /* bytes outside of streamed strings; 0: any */
} at_json_limits_t;


/* limits may be NULL.  Returns NULL without memory. */
at_json_t *at_json_create(const at_json_handler_t *handler, void *ctx,
    const at_json_limits_t *limits);
void at_json_free(at_json_t *j);

/* AT_ERROR: not JSON, a bound was passed, or a callback stopped it. */
int at_json_feed(at_json_t *j, const void *data, size_t len);

/* The text is over.  AT_ERROR too if the document is not complete. */
int at_json_finish(at_json_t *j);

/* Why it failed: a short static text in English, or "" if it did not. */
const char *at_json_error(const at_json_t *j);

/* 1 if it failed for lack of memory, which is no fault of the text. */
int at_json_starved(const at_json_t *j);

/*
 * All of that for a text that is there as a whole.  AT_ERROR: it is no JSON,
 * or a bound or a callback stopped it; AT_NO_MEMORY.  why, if it is not NULL,
 * is then as of at_json_error().
 */
int at_json_read(at_str_t text, const at_json_handler_t *handler, void *ctx,
    const at_json_limits_t *limits, const char **why);


/*
 * The writing side: appends s as a JSON string with its quotes to b.  Bytes
 * that are not UTF-8 become U+FFFD, so the output is always valid.
 */
int at_json_write_string(at_buf_t *b, at_str_t s);


#endif /* AT_JSON_H */
