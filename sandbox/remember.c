/*
 * What /_control shows as a provider's "last": the latest call as received,
 * with its keys masked, so that a test can see what was sent.
 */

#include <string.h>

#include "sandbox.h"


#define SB_LAST_MAX  (256 * 1024)


static enum MHD_Result
sb_remember_header(void *cls, enum MHD_ValueKind kind, const char *key,
    const char *value)
{
    size_t    i;
    char      name[128];
    yajl_gen  g = cls;

    (void) kind;

    for (i = 0; key[i] && i + 1 < sizeof(name); i++) {
        name[i] = (key[i] >= 'A' && key[i] <= 'Z') ? (char) (key[i] | 0x20)
                                                   : key[i];
    }

    name[i] = '\0';

    if (strcmp(name, "authorization") == 0
        || strcmp(name, "proxy-authorization") == 0)
    {
        value = "***";
    }

    sb_gen_member(g, name, value ? value : "");

    return MHD_YES;
}


static enum MHD_Result
sb_remember_arg(void *cls, enum MHD_ValueKind kind, const char *key,
    const char *value)
{
    yajl_gen  g = cls;

    (void) kind;

    if (strcmp(key, "key") == 0 || strcmp(key, "api_key") == 0
        || strcmp(key, "client_id") == 0)
    {
        value = "***";
    }

    sb_gen_member(g, key, value ? value : "");

    return MHD_YES;
}


void
sb_remember(sb_call_t *c, const sb_job_t *job)
{
    sb_buf_t  text;
    yajl_gen  g;

    memset(&text, 0, sizeof(sb_buf_t));

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_member(g, "method", c->method);
    sb_gen_member(g, "path", c->path);

    sb_gen_text(g, "headers");
    yajl_gen_map_open(g);
    MHD_get_connection_values(c->connection, MHD_HEADER_KIND,
                              sb_remember_header, g);
    yajl_gen_map_close(g);

    sb_gen_text(g, "args");
    yajl_gen_map_open(g);
    MHD_get_connection_values(c->connection, MHD_GET_ARGUMENT_KIND,
                              sb_remember_arg, g);
    yajl_gen_map_close(g);

    sb_gen_member_int(g, "bodyBytes", (long long) c->body.len);
    sb_gen_text(g, "fields");

    if (c->body.len <= SB_LAST_MAX && job->json) {
        sb_gen_value(g, job->json);

    } else if (c->body.len <= SB_LAST_MAX && job->form) {
        sb_form_gen(job->form, g);

    } else {
        yajl_gen_null(g);
    }

    yajl_gen_map_close(g);
    sb_gen_end(g, &text);

    if (text.failed) {
        sb_buf_free(&text);
        return;
    }

    sb_provider_last(c, &text);
}
