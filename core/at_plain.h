/*
 * Text of strangers, made fit to be shown.
 *
 * Titles and names come with entities, line ends, control characters and
 * broken UTF-8.  What comes out is one line of plain text: runs of blanks are
 * one, what shows nothing or turns the order of letters is gone.  It is still
 * a stranger's text, so who puts it into HTML escapes it.  The caller walks
 * over the text and owns the memory.
 */

#ifndef AT_PLAIN_H
#define AT_PLAIN_H


#include "at.h"


/* What was read goes into out, of room for all of the text: it never grows. */
typedef struct {
    const char  *p;
    const char  *end;
    char        *out;
    size_t       len;
    size_t       left;          /* code points */
    unsigned     blank:1;       /* one is due before the next character */
} at_plain_t;


/* One character of the text, as it comes. */
void at_plain_put(at_plain_t *t, uint32_t c);

/* p is at "&".  1: it began an entity that is known; p is behind it. */
int at_plain_entity(at_plain_t *t);

/* The character at p, which is before end; bytes that are none are skipped. */
void at_plain_next(at_plain_t *t);


#endif /* AT_PLAIN_H */
