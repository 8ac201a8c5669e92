/*
 * The reader of at_json.h for a text that is there as a whole.
 *
 * Words about what is wrong with it are literals, so they outlive the reader
 * that is made and freed here.
 */

#include "at_json.h"


int
at_json_read(at_str_t text, const at_json_handler_t *handler, void *ctx,
    const at_json_limits_t *limits, const char **why)
{
    int         rc;
    at_json_t  *j;

    if (why) {
        *why = "there is no memory";
    }

    j = at_json_create(handler, ctx, limits);
    if (j == NULL) {
        return AT_NO_MEMORY;
    }

    rc = at_json_feed(j, text.data, text.len);

    if (rc == AT_OK) {
        rc = at_json_finish(j);
    }

    if (rc != AT_OK && at_json_starved(j)) {
        rc = AT_NO_MEMORY;
    }

    if (why) {
        *why = at_json_error(j);
    }

    at_json_free(j);

    return rc;
}
