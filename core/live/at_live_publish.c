/*
 * Reading what is published in Redis (at_live_publish.h).
 *
 * Anybody who reaches Redis can publish, so data is looked at whole before it
 * goes between members of a message.
 */

#include "at_live_publish.h"


int
at_live_published(at_str_t text, uint64_t *id, at_str_t *data)
{
    size_t  n;

    n = at_live_id(text, id);

    if (n > 0 && n + 1 < text.len && text.data[n] == ' ') {
        data->data = text.data + n + 1;
        data->len = text.len - n - 1;

        if (at_live_data_valid(*data)) {
            return AT_OK;
        }
    }

    *id = 0;
    *data = text;

    return at_live_data_valid(text) ? AT_OK : AT_ERROR;
}


size_t
at_live_id(at_str_t text, uint64_t *id)
{
    size_t    i;
    uint64_t  value;

    value = 0;

    for (i = 0; i < text.len; i++) {

        if (text.data[i] < '0' || text.data[i] > '9') {
            break;
        }

        value = value * 10 + (uint64_t) (text.data[i] - '0');

        if (value == 0 || value > AT_LIVE_ID_MAX) {
            i = 0;
            break;
        }
    }

    *id = i > 0 ? value : 0;

    return i;
}
