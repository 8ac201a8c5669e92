/*
 * What the files of at_live_message.h share; for nobody else.
 *
 * Nothing is owned here.
 */

#ifndef AT_LIVE_ERROR_H
#define AT_LIVE_ERROR_H


#include "at_live_message.h"


#define AT_LIVE_SHOWN  48       /* bytes of a wrong value in a sentence */


/* Returns AT_ERROR; error may be NULL. */
int at_live_fail(at_live_error_t *error, const char *code,
    const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ASCII, no control characters, cut to size, with a NUL. */
void at_live_show(char out[AT_LIVE_SHOWN], at_str_t s);


#endif /* AT_LIVE_ERROR_H */
