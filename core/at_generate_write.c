/*
 * A checked request as JSON again (at_generate.h).
 */

#include "at_generate.h"
#include "at_json.h"


static int at_generate_write_text(at_buf_t *b, const char *name, at_str_t s);
static int at_generate_write_number(at_buf_t *b, const char *name,
    uint64_t n);


int
at_generate_write(const at_generate_t *g, at_buf_t *b)
{
    int  rc;

    rc = at_buf_append_str(b, AT_STR("{\"prompt\":"));
    rc |= at_json_write_string(b, g->prompt);

    rc |= at_generate_write_text(b, "style", g->style);
    rc |= at_generate_write_text(b, "roomType", g->room_type);
    rc |= at_generate_write_text(b, "negativePrompt", g->negative);

    if (g->width) {
        rc |= at_generate_write_number(b, "width", g->width);
    }

    if (g->height) {
        rc |= at_generate_write_number(b, "height", g->height);
    }

    if (g->has_seed) {
        rc |= at_generate_write_number(b, "seed", g->seed);
    }

    rc |= at_buf_append_str(b, AT_STR("}"));

    return rc == AT_OK ? AT_OK : AT_ERROR;
}


static int
at_generate_write_text(at_buf_t *b, const char *name, at_str_t s)
{
    int  rc;

    if (s.len == 0) {
        return AT_OK;
    }

    rc = at_buf_printf(b, ",\"%s\":", name);
    rc |= at_json_write_string(b, s);

    return rc;
}


static int
at_generate_write_number(at_buf_t *b, const char *name, uint64_t n)
{
    int  rc;

    rc = at_buf_printf(b, ",\"%s\":", name);
    rc |= at_buf_append_number(b, n);

    return rc;
}
