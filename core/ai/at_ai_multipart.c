/*
 * Bodies of multipart/form-data (RFC 7578), of plain fields only.
 *
 * No randomness: the same fields make the same bytes.  The boundary is a
 * hash of the values, so that nobody writes it into a prompt by chance or
 * cheaply on purpose, and it is looked for in all of them all the same.  The
 * formats call this; they own the fields and the buffers.
 */

#include <stdio.h>
#include <string.h>

#include "at_ai_internal.h"


static uint64_t
at_ai_fields_hash(const at_ai_field_t *fields, size_t n)
{
    size_t    i, j;
    uint64_t  hash;

    /* FNV-1a. */

    hash = 0xcbf29ce484222325u;

    for (i = 0; i < n; i++) {
        for (j = 0; j < fields[i].value.len; j++) {
            hash ^= (uint8_t) fields[i].value.data[j];
            hash *= 0x100000001b3u;
        }
    }

    return hash;
}


void
at_ai_boundary(const at_ai_field_t *fields, size_t n, uint64_t start,
    char out[32])
{
    int     len;
    size_t  i;

    /* It ends: the values are too short to hold all candidates. */

    for ( ;; ) {
        len = snprintf(out, 32, "atelier-%016llx",
                       (unsigned long long) start);

        for (i = 0; i < n; i++) {
            if (memmem(fields[i].value.data, fields[i].value.len, out,
                       (size_t) len))
            {
                break;
            }
        }

        if (i == n) {
            return;
        }

        start++;
    }
}


int
at_ai_multipart(const at_ai_field_t *fields, size_t n, at_buf_t *body,
    at_buf_t *type)
{
    char    boundary[32];
    size_t  i;

    at_ai_boundary(fields, n, at_ai_fields_hash(fields, n), boundary);

    for (i = 0; i < n; i++) {
        if (at_buf_printf(body, "--%s\r\nContent-Disposition: form-data; "
                          "name=\"%s\"\r\n\r\n", boundary, fields[i].name)
            != AT_OK
            || at_buf_append_str(body, fields[i].value) != AT_OK
            || at_buf_append_str(body, AT_STR("\r\n")) != AT_OK)
        {
            return AT_ERROR;
        }
    }

    if (at_buf_printf(body, "--%s--\r\n", boundary) != AT_OK) {
        return AT_ERROR;
    }

    return at_buf_printf(type, "multipart/form-data; boundary=%s", boundary);
}
