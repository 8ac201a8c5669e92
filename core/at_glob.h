/*
 * Glob patterns over text, with the meaning they have in Redis: "*" any run
 * of bytes, "?" one byte, "[a-z]" and "[^a-z]" one of a set, "\" takes the
 * next byte as it is.  Nothing is allocated; the time is bounded by the
 * product of both lengths.
 */

#ifndef AT_GLOB_H
#define AT_GLOB_H


#include "at.h"


/* 1: the whole text matches. */
int at_glob_match(at_str_t pattern, at_str_t text);

/*
 * Why somebody who wrote this pattern cannot have meant it, as a part of a
 * sentence: "ends in a backslash"; NULL: it is well-formed.  Matching takes
 * any.
 */
const char *at_glob_fault(at_str_t pattern);


#endif /* AT_GLOB_H */
