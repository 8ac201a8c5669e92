/*
 * Arguments of a URL: from what stands behind "?" to the fields of a structure.
 *
 * An endpoint has a table of the parameters it knows, each with the function
 * that takes its value; the readers of /designs and /products call
 * at_args_parse() for every request, hits of the cache included, so it goes
 * over the bytes once and allocates nothing.
 */

#ifndef AT_ARGS_H
#define AT_ARGS_H


#include "at.h"


#define AT_ARGS_VALUE_MAX  1200     /* bytes of a value that is decoded */


typedef struct {
    const char   *name;
    const char   *message;          /* a sentence, with the remedy */

    /*
     * AT_ERROR: the value is wrong.  It is decoded, without the blanks around
     * it and never empty, and lives as long as the call.
     */
    int         (*set)(void *out, at_str_t value);

    /*
     * Bytes of the value as it was sent, AT_ARGS_VALUE_MAX at most; a longer
     * one is wrong.  0: of any length, and set() has it as it was sent.
     */
    size_t        max;
} at_args_param_t;


typedef struct {
    const char   *name;             /* of the parameter: "perPage" */
    const char   *message;          /* that of the table */
    at_str_t      value;            /* as it was sent */
} at_args_error_t;


/*
 * Calls set(out, value) of each parameter that is there, out of a table of at
 * most 32.  A parameter that comes more than once counts the first time, an
 * empty one and one nobody knows do not count.  AT_ERROR: error is filled, and
 * the rest was not looked at.
 */
int at_args_parse(at_str_t raw, const at_args_param_t *params, size_t n,
    void *out, at_args_error_t *error);

/* A whole number from 1 to max; number is left alone on AT_ERROR. */
int at_args_number(at_str_t value, unsigned max, unsigned *number);

/*
 * Decodes percent forms (RFC 3986 section 2.1) into out, which may be s itself
 * and has s.len bytes at least; a "%" that begins none stays.  Returns the
 * length.
 */
size_t at_args_decode(at_str_t s, char *out);

/* What a hexadecimal digit is worth; -1: it is none. */
int at_args_hex(char c);

/* 1 if s has a percent form at i. */
int at_args_escape(at_str_t s, size_t i);


#endif /* AT_ARGS_H */
