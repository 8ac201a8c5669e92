/*
 * multipart/form-data, by libmicrohttpd's post processor over the buffered
 * body.
 *
 * sb_form_parse() returns a form that the caller frees with sb_form_free();
 * values are NUL-terminated copies.  Bounds: SB_FORM_FIELDS fields, and the
 * request body's own bound for their bytes.
 */

#include <stdlib.h>
#include <string.h>

#include "sandbox.h"


#define SB_FORM_FIELDS  32
#define SB_FORM_NAME    64


typedef struct {
    char      name[SB_FORM_NAME];
    sb_buf_t  value;
    unsigned  file:1;
} sb_field_t;


struct sb_form_s {
    sb_field_t   fields[SB_FORM_FIELDS];
    size_t       n;
    const char  *why;
};


static enum MHD_Result
sb_form_data(void *cls, enum MHD_ValueKind kind, const char *key,
    const char *filename, const char *content_type,
    const char *transfer_encoding, const char *data, uint64_t off,
    size_t size)
{
    sb_form_t   *f = cls;
    sb_field_t  *field;

    (void) kind;
    (void) content_type;
    (void) transfer_encoding;

    if (key == NULL || strlen(key) >= SB_FORM_NAME) {
        f->why = "a part without a name, or with one over 63 bytes";
        return MHD_NO;
    }

    if (off == 0) {
        if (f->n == SB_FORM_FIELDS) {
            f->why = "more than 32 parts";
            return MHD_NO;
        }

        field = &f->fields[f->n++];
        memcpy(field->name, key, strlen(key) + 1);
        field->file = (filename != NULL);

    } else if (f->n == 0) {
        return MHD_NO;
    }

    field = &f->fields[f->n - 1];

    if (size && memchr(data, '\0', size) != NULL && !field->file) {
        f->why = "a NUL byte in a field";
        return MHD_NO;
    }

    return sb_buf_add(&field->value, data, size) == SB_OK ? MHD_YES : MHD_NO;
}


sb_form_t *
sb_form_parse(sb_call_t *c, const char **why)
{
    sb_form_t                 *f;
    enum MHD_Result            fed, ended;
    struct MHD_PostProcessor  *pp;

    f = calloc(1, sizeof(sb_form_t));
    if (f == NULL) {
        *why = "no memory";
        return NULL;
    }

    pp = MHD_create_post_processor(c->connection, 4096, sb_form_data, f);
    if (pp == NULL) {
        *why = "no boundary in Content-Type";
        free(f);
        return NULL;
    }

    fed = c->body.len ? MHD_post_process(pp, c->body.data, c->body.len)
                      : MHD_NO;
    ended = MHD_destroy_post_processor(pp);

    if (fed != MHD_YES || ended != MHD_YES) {
        *why = f->why ? f->why : "the form is broken or has no end";
        sb_form_free(f);
        return NULL;
    }

    return f;
}


void
sb_form_free(sb_form_t *f)
{
    size_t  i;

    if (f == NULL) {
        return;
    }

    for (i = 0; i < f->n; i++) {
        sb_buf_free(&f->fields[i].value);
    }

    free(f);
}


/* The first field of that name, "" if it is empty, NULL if absent. */

const char *
sb_form_get(const sb_form_t *f, const char *name)
{
    size_t  i;

    for (i = 0; i < f->n; i++) {
        if (!f->fields[i].file && strcmp(f->fields[i].name, name) == 0) {
            return f->fields[i].value.data ? f->fields[i].value.data : "";
        }
    }

    return NULL;
}


void
sb_form_gen(const sb_form_t *f, yajl_gen g)
{
    size_t             i;
    const sb_field_t  *field;

    yajl_gen_map_open(g);

    for (i = 0; i < f->n; i++) {
        field = &f->fields[i];
        sb_gen_text(g, field->name);

        if (field->file) {
            yajl_gen_map_open(g);
            sb_gen_member_int(g, "fileBytes", (long long) field->value.len);
            yajl_gen_map_close(g);
            continue;
        }

        sb_gen_bytes(g, field->value.data ? field->value.data : "",
                     field->value.len);
    }

    yajl_gen_map_close(g);
}
