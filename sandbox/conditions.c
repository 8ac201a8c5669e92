/*
 * Conditions on counters, for those who wait: "aborted>=1,inFlight==0".
 *
 * Stateless; whoever has the counters says what their values are.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox.h"


/* SB_ERROR: no such operator. */

static int
sb_condition_holds(int64_t value, const char *op, int64_t want)
{
    if (strcmp(op, ">=") == 0 || strcmp(op, ":") == 0) {
        return value >= want;
    }

    if (strcmp(op, "==") == 0) {
        return value == want;
    }

    if (strcmp(op, "<=") == 0) {
        return value <= want;
    }

    if (strcmp(op, "!=") == 0) {
        return value != want;
    }

    if (strcmp(op, ">") == 0) {
        return value > want;
    }

    if (strcmp(op, "<") == 0) {
        return value < want;
    }

    return SB_ERROR;
}


/* 1: all hold, 0: not yet, SB_ERROR: *why says what is wrong with them. */

int
sb_conditions_hold(sb_condition_value_pt value, const void *data,
    const char *conditions, const char **why)
{
    int          holds, rc;
    char         op[3], *end;
    size_t       len;
    int64_t      is, want;
    const char  *s;

    holds = 1;
    s = conditions;

    for ( ;; ) {
        len = strcspn(s, "<>=!:,");
        if (value(data, s, len, &is) != SB_OK) {
            *why = "unknown counter in wait";
            return SB_ERROR;
        }

        s += len;
        len = strspn(s, "<>=!:");
        if (len == 0 || len > 2) {
            *why = "wait needs one of >= <= == != > < or : behind the counter";
            return SB_ERROR;
        }

        memset(op, 0, sizeof(op));
        memcpy(op, s, len);
        s += len;

        errno = 0;
        want = strtoll(s, &end, 10);
        if (end == s || errno || (*end && *end != ',')) {
            *why = "wait needs an integer behind the operator";
            return SB_ERROR;
        }

        rc = sb_condition_holds(is, op, want);
        if (rc == SB_ERROR) {
            *why = "wait knows >= <= == != > < and : only";
            return SB_ERROR;
        }

        holds &= rc;

        if (*end == '\0') {
            return holds;
        }

        s = end + 1;
    }
}
