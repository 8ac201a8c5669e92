/*
 * at_robots_parse() and at_robots_allowed(): whatever a host writes is read
 * within bounds, a path has one answer however it is spelt, and /robots.txt
 * may be fetched.
 *
 * The first line of the input is a path, the rest is the file.
 */

#include "fuzz.h"
#include "at_robots.h"


/* The same path with a percent sign for each letter. */

static at_str_t
fuzz_spell(at_str_t path, char *out)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < path.len; i++) {
        if ((path.data[i] | 0x20) >= 'a' && (path.data[i] | 0x20) <= 'z'
            && (i < 1 || path.data[i - 1] != '%')
            && (i < 2 || path.data[i - 2] != '%'))
        {
            n += (size_t) sprintf(out + n, "%%%02x",
                                  (unsigned char) path.data[i]);

        } else {
            out[n++] = path.data[i];
        }
    }

    return (at_str_t) { n, out };
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int          allowed;
    char         spelt[3 * 512];
    size_t       i;
    at_str_t     path, text;
    fuzz_in_t    in = { data, data + size };
    at_robots_t  r;

    path = fuzz_line(&in);
    text = fuzz_rest(&in);

    if (at_robots_parse(text, AT_STR("Atelier"), &r) != AT_OK) {
        return 0;
    }

    FUZZ_CHECK(r.delay >= 0 && r.delay <= 86400000);

    for (i = 0; i < r.n; i++) {
        FUZZ_CHECK(r.rules[i].at + (size_t) r.rules[i].len <= r.text.len);
        FUZZ_CHECK(r.rules[i].len <= AT_ROBOTS_PATH_MAX);
    }

    FUZZ_CHECK(at_robots_allowed(&r, AT_STR("/robots.txt")));

    allowed = at_robots_allowed(&r, path);
    FUZZ_CHECK(allowed == 0 || allowed == 1);

    if (path.len <= 512 && !at_str_is(path, "/robots.txt") && r.n < 64) {
        FUZZ_CHECK(at_robots_allowed(&r, fuzz_spell(path, spelt))
                   == allowed);
    }

    at_robots_free(&r);

    return 0;
}
