/*
 * Ids of designs in addresses (at_feed_id.h).
 *
 * Called by the endpoints below /designs; nothing is owned here.
 */

#include "at_design.h"
#include "at_feed.h"
#include "at_feed_id.h"

#include <string.h>


int
at_feed_id_valid(at_str_t id)
{
    char         c;
    size_t       i, native;
    const char  *colon;

    if (id.len == 0) {
        return 0;
    }

    colon = memchr(id.data, ':', id.len);

    if (colon == NULL) {
        return 0;
    }

    native = id.len - (size_t) (colon + 1 - id.data);

    if (native == 0 || native > AT_DESIGN_NATIVE_MAX) {
        return 0;
    }

    for (i = id.len - native; i < id.len; i++) {
        c = id.data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')
            && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
        {
            return 0;
        }
    }

    id.len = (size_t) (colon - id.data);

    return at_feed_source_find(id) != NULL;
}


int
at_feed_id_path(at_str_t path, at_str_t verb, at_str_t *id)
{
    size_t  end, begin;

    if (path.len < verb.len + 1
        || memcmp(path.data + path.len - verb.len, verb.data, verb.len) != 0
        || path.data[path.len - verb.len - 1] != '/')
    {
        return 0;
    }

    end = path.len - verb.len - 1;
    begin = end;

    while (begin && path.data[begin - 1] != '/') {
        begin--;
    }

    if (begin == 0) {
        return 0;
    }

    id->data = path.data + begin;
    id->len = end - begin;

    return 1;
}
