/*
 * Settings files (see at_conf.h).  No library: the small ones that there are
 * do not know the line of an error, and that is what an operator needs.
 */

#include "at_conf.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


typedef struct {
    const char           *file;
    unsigned              line;
    const at_conf_key_t  *keys;
    uint8_t              *settings;
    unsigned             *seen;         /* line of each key; 0: none */
    char                  section[64];
    char                 *error;
} at_conf_reader_t;


static int at_conf_fail(at_conf_reader_t *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static int at_conf_line(at_conf_reader_t *r, at_str_t line);
static int at_conf_section(at_conf_reader_t *r, at_str_t line);
static int at_conf_set(at_conf_reader_t *r, size_t i, at_str_t value);
static int at_conf_number(at_conf_reader_t *r, const at_conf_key_t *key,
    const char *value, int64_t *out);
static int at_conf_append(at_conf_reader_t *r, at_conf_list_t *list,
    char *value);
static int at_conf_presets(at_conf_reader_t *r);
static at_str_t at_conf_trim(at_str_t s);


int
at_conf_read(const char *file, const at_conf_key_t *keys, void *settings,
    char error[AT_CONF_ERROR_MAX])
{
    int      rc;
    FILE    *in;
    char    *text;
    size_t   len;

    in = fopen(file, "re");
    if (in == NULL) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "%s: cannot be read: %s",
                        file, strerror(errno));
        return AT_ERROR;
    }

    text = malloc(AT_CONF_FILE_MAX + 1);
    len = text ? fread(text, 1, AT_CONF_FILE_MAX + 1, in) : 0;

    if (text == NULL || ferror(in) || len > AT_CONF_FILE_MAX) {
        (void) snprintf(error, AT_CONF_ERROR_MAX,
                        "%s: cannot be read, or is larger than %d bytes",
                        file, AT_CONF_FILE_MAX);
        rc = AT_ERROR;

    } else {
        rc = at_conf_parse(file, (at_str_t) { len, text }, keys, settings,
                           error);
    }

    free(text);
    (void) fclose(in);

    return rc;
}


int
at_conf_parse(const char *file, at_str_t text, const at_conf_key_t *keys,
    void *settings, char error[AT_CONF_ERROR_MAX])
{
    int               rc;
    size_t            n;
    at_str_t          line;
    const char       *end;
    at_conf_reader_t  r = { .file = file, .keys = keys,
                            .settings = settings, .error = error };

    for (n = 0; keys[n].section; n++) { /* void */ }

    r.seen = calloc(n + 1, sizeof(unsigned));
    if (r.seen == NULL) {
        return at_conf_fail(&r, "no memory");
    }

    for (n = 0; keys[n].section; n++) {
        if (keys[n].type == AT_CONF_TEXT) {
            *(char **) (void *) (r.settings + keys[n].offset) = NULL;

        } else if (keys[n].type == AT_CONF_LIST) {
            memset(r.settings + keys[n].offset, 0, sizeof(at_conf_list_t));
        }
    }

    rc = AT_OK;

    while (text.len > 0 && rc == AT_OK) {
        end = memchr(text.data, '\n', text.len);
        line.data = text.data;
        line.len = end ? (size_t) (end - text.data) : text.len;
        text.data += line.len + (end != NULL);
        text.len -= line.len + (end != NULL);

        r.line++;
        rc = at_conf_line(&r, at_conf_trim(line));
    }

    if (rc == AT_OK) {
        r.line = 0;
        rc = at_conf_presets(&r);
    }

    if (rc != AT_OK) {
        at_conf_free(keys, settings);
    }

    free(r.seen);

    return rc;
}


void
at_conf_free(const at_conf_key_t *keys, void *settings)
{
    size_t           i;
    char           **text;
    at_conf_list_t  *list;

    for ( /* void */ ; keys->section; keys++) {

        if (keys->type == AT_CONF_TEXT) {
            text = (char **) (void *) ((uint8_t *) settings + keys->offset);
            free(*text);
            *text = NULL;
        }

        if (keys->type == AT_CONF_LIST) {
            list = (at_conf_list_t *) (void *)
                   ((uint8_t *) settings + keys->offset);

            for (i = 0; i < list->n; i++) {
                free(list->items[i]);
            }

            free(list->items);
            memset(list, 0, sizeof(at_conf_list_t));
        }
    }
}


static int
at_conf_fail(at_conf_reader_t *r, const char *fmt, ...)
{
    size_t   n;
    va_list  args;

    if (r->line) {
        n = (size_t) snprintf(r->error, AT_CONF_ERROR_MAX, "%s:%u: ", r->file,
                              r->line);
    } else {
        n = (size_t) snprintf(r->error, AT_CONF_ERROR_MAX, "%s: ", r->file);
    }

    if (n < AT_CONF_ERROR_MAX) {
        va_start(args, fmt);
        (void) vsnprintf(r->error + n, AT_CONF_ERROR_MAX - n, fmt, args);
        va_end(args);
    }

    return AT_ERROR;
}


static int
at_conf_line(at_conf_reader_t *r, at_str_t line)
{
    size_t                i;
    at_str_t              name, value;
    const char           *equals;
    const at_conf_key_t  *key;

    if (line.len == 0 || line.data[0] == '#') {
        return AT_OK;
    }

    if (memchr(line.data, '\0', line.len) != NULL) {
        return at_conf_fail(r, "holds a NUL byte: this is no text");
    }

    if (line.data[0] == '[') {
        return at_conf_section(r, line);
    }

    equals = memchr(line.data, '=', line.len);
    if (equals == NULL) {
        return at_conf_fail(r, "\"%.*s\" is neither [section] nor key = "
                               "value", (int) (line.len > 60 ? 60 : line.len),
                            line.data);
    }

    name.data = line.data;
    name.len = (size_t) (equals - line.data);
    name = at_conf_trim(name);

    value.data = equals + 1;
    value.len = line.len - (size_t) (equals + 1 - line.data);
    value = at_conf_trim(value);

    for (i = 0; r->keys[i].section; i++) {
        key = &r->keys[i];

        if (strcmp(key->section, r->section) == 0
            && at_str_is(name, key->name))
        {
            if (r->seen[i] && key->type != AT_CONF_LIST) {
                return at_conf_fail(r, "\"%s\" stands in line %u already: "
                                       "keep one of them", key->name,
                                    r->seen[i]);
            }

            r->seen[i] = r->line;

            return at_conf_set(r, i, value);
        }
    }

    return at_conf_fail(r, "\"%.*s\" is not known in [%s]",
                        (int) (name.len > 60 ? 60 : name.len), name.data,
                        r->section);
}


static int
at_conf_section(at_conf_reader_t *r, at_str_t line)
{
    at_str_t              name;
    const at_conf_key_t  *key;

    name.data = line.data + 1;
    name.len = line.len - 1;

    if (name.len > 0 && name.data[name.len - 1] == ']') {
        name.len--;
        name = at_conf_trim(name);

        for (key = r->keys; key->section; key++) {
            if (at_str_is(name, key->section)) {
                (void) snprintf(r->section, sizeof(r->section), "%s",
                                key->section);
                return AT_OK;
            }
        }
    }

    return at_conf_fail(r, "\"%.*s\" is no section that is known",
                        (int) (line.len > 60 ? 60 : line.len), line.data);
}


static int
at_conf_set(at_conf_reader_t *r, size_t i, at_str_t value)
{
    int                   rc;
    char                 *text;
    const char           *wrong;
    const at_conf_key_t  *key = &r->keys[i];
    void                 *field = r->settings + key->offset;

    if (value.len == 0 && key->type == AT_CONF_TEXT && key->preset == NULL) {
        return at_conf_fail(r, "\"%s\" is empty", key->name);
    }

    text = strndup(value.data, value.len);
    if (text == NULL) {
        return at_conf_fail(r, "no memory");
    }

    if (key->check && value.len > 0) {
        wrong = key->check(text);

        if (wrong) {
            rc = at_conf_fail(r, "\"%s\" of \"%s\" %s", text, key->name,
                              wrong);
            free(text);
            return rc;
        }
    }

    switch (key->type) {

    case AT_CONF_TEXT:
        *(char **) field = text;
        return AT_OK;

    case AT_CONF_LIST:
        return at_conf_append(r, field, text);

    default:
        rc = at_conf_number(r, key, text, field);
        free(text);
        return rc;
    }
}


static int
at_conf_append(at_conf_reader_t *r, at_conf_list_t *list, char *value)
{
    char  **items;

    if (value[0] == '\0') {
        free(value);
        return AT_OK;
    }

    if (list->n == AT_CONF_LIST_MAX) {
        free(value);
        return at_conf_fail(r, "is one line too many: %d are taken",
                            AT_CONF_LIST_MAX);
    }

    items = realloc(list->items, (list->n + 1) * sizeof(char *));
    if (items == NULL) {
        free(value);
        return at_conf_fail(r, "no memory");
    }

    list->items = items;
    list->items[list->n++] = value;

    return AT_OK;
}


static int
at_conf_number(at_conf_reader_t *r, const at_conf_key_t *key,
    const char *value, int64_t *out)
{
    char         *unit;
    size_t        i;
    int64_t       factor;
    long long     n;
    const char   *form;

    static const struct {
        at_conf_type_e   type;
        const char      *name;
        int64_t          factor;
    } units[] = {
        { AT_CONF_NUMBER, "", 1 },
        { AT_CONF_TIME, "ms", 1 }, { AT_CONF_TIME, "s", 1000 },
        { AT_CONF_TIME, "m", 60000 }, { AT_CONF_TIME, "h", 3600000 },
        { AT_CONF_TIME, "d", 86400000 },
        { AT_CONF_SIZE, "", 1 }, { AT_CONF_SIZE, "k", 1024 },
        { AT_CONF_SIZE, "m", 1024 * 1024 }
    };

    form = (key->type == AT_CONF_TIME) ? "a time as 500ms, 5s, 10m, 2h or 1d"
           : (key->type == AT_CONF_SIZE) ? "a size as 512, 64k or 1m"
                                         : "a number";
    errno = 0;
    factor = 0;
    n = (value[0] >= '0' && value[0] <= '9') ? strtoll(value, &unit, 10) : -1;

    if (n >= 0 && errno == 0) {
        for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
            if (units[i].type == key->type
                && strcmp(unit, units[i].name) == 0)
            {
                factor = units[i].factor;
            }
        }
    }

    if (factor == 0) {
        return at_conf_fail(r, "\"%s\" of \"%s\" is not %s", value, key->name,
                            form);
    }

    if (n > INT64_MAX / factor || n * factor < key->min
        || n * factor > key->max)
    {
        return at_conf_fail(r, "\"%s\" of \"%s\" is out of range: %lld to "
                               "%lld%s are taken", value, key->name,
                            (long long) key->min, (long long) key->max,
                            (key->type == AT_CONF_TIME) ? " ms" : "");
    }

    *out = n * factor;

    return AT_OK;
}


static int
at_conf_presets(at_conf_reader_t *r)
{
    size_t                i;
    const at_conf_key_t  *key;

    for (i = 0; r->keys[i].section; i++) {
        key = &r->keys[i];

        if (r->seen[i]) {
            continue;
        }

        if (key->preset == NULL) {
            return at_conf_fail(r, "\"%s\" is missing in [%s]", key->name,
                                key->section);
        }

        if (at_conf_set(r, i, (at_str_t) { strlen(key->preset),
                                           key->preset })
            != AT_OK)
        {
            return AT_ERROR;
        }
    }

    return AT_OK;
}


static at_str_t
at_conf_trim(at_str_t s)
{
    while (s.len > 0 && strchr(" \t\r", s.data[0]) && s.data[0] != '\0') {
        s.data++;
        s.len--;
    }

    while (s.len > 0 && strchr(" \t\r", s.data[s.len - 1])
           && s.data[s.len - 1] != '\0')
    {
        s.len--;
    }

    return s;
}
