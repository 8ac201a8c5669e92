/*
 * Glob patterns (see at_glob.h).
 *
 * A "*" is tried with the shortest run first; only the last one met can still
 * be wrong, so there is one place to come back to and no recursion.
 */

#include "at_glob.h"


static size_t at_glob_one(at_str_t pattern, size_t p, unsigned char c,
    int *match);
static size_t at_glob_set(at_str_t pattern, size_t p, unsigned char c,
    int *match);


int
at_glob_match(at_str_t pattern, at_str_t text)
{
    int     match, starred;
    size_t  p, t, next, star, from;

    p = 0;
    t = 0;
    star = 0;
    from = 0;
    starred = 0;

    while (t < text.len) {

        if (p < pattern.len && pattern.data[p] == '*') {
            starred = 1;
            star = ++p;
            from = t;
            continue;
        }

        match = 0;
        next = p;

        if (p < pattern.len) {
            next = at_glob_one(pattern, p, (unsigned char) text.data[t],
                               &match);
        }

        if (match) {
            p = next;
            t++;
            continue;
        }

        if (!starred) {
            return 0;
        }

        p = star;
        t = ++from;
    }

    while (p < pattern.len && pattern.data[p] == '*') {
        p++;
    }

    return p == pattern.len;
}


/* Matches one byte at p, which is inside; returns where the next one is. */

static size_t
at_glob_one(at_str_t pattern, size_t p, unsigned char c, int *match)
{
    switch (pattern.data[p]) {

    case '?':
        *match = 1;
        return p + 1;

    case '[':
        return at_glob_set(pattern, p + 1, c, match);

    case '\\':
        if (p + 1 < pattern.len) {
            p++;
        }

        break;

    default:
        break;
    }

    *match = ((unsigned char) pattern.data[p] == c);

    return p + 1;
}


/* A set without its end goes to the end of the pattern, as in Redis. */

static size_t
at_glob_set(at_str_t pattern, size_t p, unsigned char c, int *match)
{
    int            negated, in;
    unsigned char  low, high;

    negated = (p < pattern.len && pattern.data[p] == '^');
    p += negated;
    in = 0;

    while (p < pattern.len && pattern.data[p] != ']') {

        if (pattern.data[p] == '\\' && p + 1 < pattern.len) {
            p++;
        }

        low = (unsigned char) pattern.data[p++];
        high = low;

        if (p + 1 < pattern.len && pattern.data[p] == '-'
            && pattern.data[p + 1] != ']')
        {
            high = (unsigned char) pattern.data[p + 1];
            p += 2;
        }

        if ((c >= low && c <= high) || (c >= high && c <= low)) {
            in = 1;
        }
    }

    *match = (in != negated);

    return (p < pattern.len) ? p + 1 : p;
}


const char *
at_glob_fault(at_str_t pattern)
{
    size_t  p, first;

    for (p = 0; p < pattern.len; p++) {

        if (pattern.data[p] == '\\') {
            if (++p == pattern.len) {
                return "ends in a backslash";
            }

            continue;
        }

        if (pattern.data[p] != '[') {
            continue;
        }

        first = p + 1 + (p + 1 < pattern.len && pattern.data[p + 1] == '^');

        for (p = first; p < pattern.len && pattern.data[p] != ']'; p++) {
            if (pattern.data[p] == '\\') {
                p++;
            }
        }

        if (p >= pattern.len) {
            return "has a [ without its ]";
        }

        if (p == first) {
            return "has an empty set";
        }
    }

    return NULL;
}
