/*
 * JSON in by yajl's tree, JSON out by yajl's generator.
 *
 * sb_json_parse() returns a tree that the caller frees with yajl_tree_free();
 * a generator made by sb_gen_new() is freed by sb_gen_end().  The tree parser
 * alone would accept comments, stop at a NUL and recurse as deep as the text
 * goes, so a strict pass with a bound on depth comes first.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "sandbox.h"


typedef struct {
    unsigned  depth;
    unsigned  deep:1;
} sb_json_check_t;


static int
sb_json_open(void *ctx)
{
    sb_json_check_t  *check = ctx;

    if (++check->depth > SB_JSON_DEPTH) {
        check->deep = 1;
        return 0;
    }

    return 1;
}


static int
sb_json_close(void *ctx)
{
    sb_json_check_t  *check = ctx;

    check->depth--;

    return 1;
}


static const yajl_callbacks  sb_json_callbacks = {
    .yajl_start_map = sb_json_open,
    .yajl_end_map = sb_json_close,
    .yajl_start_array = sb_json_open,
    .yajl_end_array = sb_json_close
};


yajl_val
sb_json_parse(const sb_buf_t *text, const char **why)
{
    yajl_val         v;
    yajl_handle      h;
    yajl_status      status;
    sb_json_check_t  check;

    if (text->len == 0 || memchr(text->data, '\0', text->len) != NULL) {
        *why = text->len ? "a NUL byte" : "an empty body";
        return NULL;
    }

    memset(&check, 0, sizeof(check));

    h = yajl_alloc(&sb_json_callbacks, NULL, &check);
    if (h == NULL) {
        *why = "no memory";
        return NULL;
    }

    status = yajl_parse(h, (const unsigned char *) text->data, text->len);
    if (status == yajl_status_ok) {
        status = yajl_complete_parse(h);
    }

    yajl_free(h);

    if (status != yajl_status_ok) {
        *why = check.deep ? "nested too deep" : "not valid JSON";
        return NULL;
    }

    v = yajl_tree_parse(text->data, NULL, 0);
    if (v == NULL) {
        *why = "no memory";
    }

    return v;
}


yajl_val
sb_json_get(yajl_val object, const char *name)
{
    const char  *path[2];

    if (!YAJL_IS_OBJECT(object)) {
        return NULL;
    }

    path[0] = name;
    path[1] = NULL;

    return yajl_tree_get(object, path, yajl_t_any);
}


/* In the words of the service's own errors. */

const char *
sb_json_type(yajl_val v)
{
    switch (v->type) {

    case yajl_t_string:
        return "a string";

    case yajl_t_number:
        return YAJL_IS_INTEGER(v) ? "an integer" : "a decimal";

    case yajl_t_object:
        return "an object";

    case yajl_t_array:
        return "an array";

    case yajl_t_true:
    case yajl_t_false:
        return "a boolean";

    default:
        return "null";
    }
}


yajl_gen
sb_gen_new(void)
{
    yajl_gen  g;

    g = yajl_gen_alloc(NULL);
    if (g == NULL) {
        abort();
    }

    yajl_gen_config(g, yajl_gen_validate_utf8, 1);

    return g;
}


/*
 * Request lines and headers may hold any byte: what is not UTF-8 is shown as
 * question marks, for a report must stay valid JSON.
 */

void
sb_gen_bytes(yajl_gen g, const char *s, size_t len)
{
    char    *copy;
    size_t   i;

    if (yajl_gen_string(g, (const unsigned char *) s, len)
        != yajl_gen_invalid_string)
    {
        return;
    }

    copy = malloc(len + 1);
    if (copy == NULL) {
        abort();
    }

    for (i = 0; i < len; i++) {
        copy[i] = (s[i] & 0x80) ? '?' : s[i];
    }

    yajl_gen_string(g, (unsigned char *) copy, len);
    free(copy);
}


void
sb_gen_text(yajl_gen g, const char *s)
{
    sb_gen_bytes(g, s, strlen(s));
}


void
sb_gen_member(yajl_gen g, const char *name, const char *value)
{
    sb_gen_text(g, name);

    if (value) {
        sb_gen_text(g, value);

    } else {
        yajl_gen_null(g);
    }
}


void
sb_gen_member_int(yajl_gen g, const char *name, long long value)
{
    sb_gen_text(g, name);
    yajl_gen_integer(g, value);
}


/* yajl's own form of a double has 20 digits: 0.1 would not read as 0.1. */

void
sb_gen_member_num(yajl_gen g, const char *name, double value)
{
    int   n;
    char  text[32];

    n = snprintf(text, sizeof(text), "%.15g", value);

    sb_gen_text(g, name);
    yajl_gen_number(g, text, (size_t) n);
}


/* Recursion is bounded by SB_JSON_DEPTH: the tree is sb_json_parse()'s. */

void
sb_gen_value(yajl_gen g, yajl_val v)
{
    size_t  i;

    switch (v->type) {

    case yajl_t_string:
        sb_gen_text(g, v->u.string);
        break;

    case yajl_t_number:
        yajl_gen_number(g, v->u.number.r, strlen(v->u.number.r));
        break;

    case yajl_t_object:
        yajl_gen_map_open(g);

        for (i = 0; i < v->u.object.len; i++) {
            sb_gen_text(g, v->u.object.keys[i]);
            sb_gen_value(g, v->u.object.values[i]);
        }

        yajl_gen_map_close(g);
        break;

    case yajl_t_array:
        yajl_gen_array_open(g);

        for (i = 0; i < v->u.array.len; i++) {
            sb_gen_value(g, v->u.array.values[i]);
        }

        yajl_gen_array_close(g);
        break;

    case yajl_t_true:
    case yajl_t_false:
        yajl_gen_bool(g, v->type == yajl_t_true);
        break;

    default:
        yajl_gen_null(g);
        break;
    }
}


void
sb_gen_end(yajl_gen g, sb_buf_t *out)
{
    size_t                len;
    const unsigned char  *p;

    if (yajl_gen_get_buf(g, &p, &len) == yajl_gen_status_ok) {
        sb_buf_add(out, p, len);

    } else {
        out->failed = 1;
    }

    yajl_gen_free(g);
}
