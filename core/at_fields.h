/*
 * The few texts that a small request is made of, from its URL, from a JSON
 * object in its body, or from both.
 *
 * The caller has a table of the fields it knows; at_fields_args() and
 * at_fields_json() fill it, at_fields_done() looks at what is missing.  What
 * they find wrong is told as a problem+json has it.  Names nobody knows are
 * ignored.  Nothing is allocated but the reader of the JSON: decoded values
 * are put where the caller says, and live as long as that.
 */

#ifndef AT_FIELDS_H
#define AT_FIELDS_H


#include "at.h"


typedef struct {
    const char  *name;
    size_t       max;           /* bytes of the value */
    int          required;
    int          given;
    at_str_t     value;         /* without blanks around it; may be empty */
} at_field_t;


typedef struct {
    const char  *code;          /* stable, see below */
    const char  *field;         /* its name, or NULL */
    char         detail[160];   /* one sentence, ASCII */
} at_field_error_t;


/*
 * raw is what stands behind "?"; room holds as many bytes, and so for the
 * body.  null is as good as not given.
 *
 * AT_ERROR: error is filled.  Codes: "invalid_json", "not_an_object",
 * "wrong_type", "duplicate_field" (also once in each), "too_long",
 * "invalid_text" (no UTF-8, or a control character, or a broken percent
 * form).  AT_NO_MEMORY is no fault of the request.
 */
int at_fields_args(at_str_t raw, at_field_t *fields, size_t n, char *room,
    at_field_error_t *error);
int at_fields_json(at_str_t body, at_field_t *fields, size_t n, char *room,
    at_field_error_t *error);

/* "missing_field": one that is required was not given, or is empty. */
int at_fields_done(const at_field_t *fields, size_t n,
    at_field_error_t *error);


#endif /* AT_FIELDS_H */
