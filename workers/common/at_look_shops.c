/*
 * The recipes of a folder, as shops (see at_look.h).
 */

#include "at_look.h"
#include "at_log.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>


#define AT_LOOK_MARK_BYTES  (64 * 1024)     /* of a refusal are looked at */


static int at_look_shops_file(at_look_shops_t *shops, const char *folder,
    const char *file, const at_look_shops_t *before,
    char error[AT_CONF_ERROR_MAX]);
static at_look_shop_t *at_look_shop_read(const char *path, const char *name,
    char error[AT_CONF_ERROR_MAX]);
static at_recipe_t *at_look_recipe(const char *path,
    char error[AT_CONF_ERROR_MAX]);
static int at_look_policy(at_look_shop_t *s);
static int at_look_is_wall(const at_crawl_policy_t *policy, long status,
    at_str_t body);
static int at_look_marked(at_str_t body, const at_shop_list_t *marks);
static void at_look_shop_free(at_look_shop_t *s);
static int at_look_is_json(const struct dirent *entry);


at_look_shops_t *
at_look_shops_read(const char *folder, const at_look_shops_t *before,
    char error[AT_CONF_ERROR_MAX])
{
    int               i, n, rc;
    struct dirent   **files;
    at_look_shops_t  *shops;

    n = scandir(folder, &files, at_look_is_json, alphasort);

    if (n <= 0) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "\"recipes\" %.400s: %s; "
                        "name the folder of the shops' recipes", folder,
                        n < 0 ? strerror(errno)
                              : "there is no recipe NAME.json in it");

        if (n == 0) {
            free(files);
        }

        return NULL;
    }

    shops = calloc(1, sizeof(at_look_shops_t));
    rc = AT_OK;

    if (shops == NULL || n > AT_LOOK_SHOPS_MAX) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "%s: no memory, or more "
                        "than %d recipes", folder, AT_LOOK_SHOPS_MAX);
        rc = AT_ERROR;
    }

    for (i = 0; i < n; i++) {
        if (rc == AT_OK) {
            rc = at_look_shops_file(shops, folder, files[i]->d_name, before,
                                    error);
        }

        free(files[i]);
    }

    free(files);

    if (rc != AT_OK) {
        at_look_shops_free(shops);
        return NULL;
    }

    return shops;
}


static int
at_look_shops_file(at_look_shops_t *shops, const char *folder,
    const char *file, const at_look_shops_t *before,
    char error[AT_CONF_ERROR_MAX])
{
    int              n;
    char             path[4096], name[64];
    at_look_shop_t  *s;

    n = (int) strlen(file) - (int) sizeof(".json") + 1;
    (void) snprintf(path, sizeof(path), "%.300s/%s", folder, file);
    (void) snprintf(name, sizeof(name), "%.*s", n, file);

    s = at_look_shop_read(path, name, error);

    if (s == NULL) {
        if (before == NULL) {
            return AT_ERROR;
        }

        at_log(AT_LOG_ERROR, "recipe.refused", at_log_text("error", error));
        s = (at_look_shop_t *) at_look_shop(before,
                                            (at_str_t) { strlen(name), name });
        if (s == NULL) {
            return AT_OK;
        }

        s->uses++;
    }

    shops->shops[shops->n++] = s;

    return AT_OK;
}


static at_look_shop_t *
at_look_shop_read(const char *path, const char *name,
    char error[AT_CONF_ERROR_MAX])
{
    at_look_shop_t  *s;

    s = calloc(1, sizeof(at_look_shop_t));
    if (s == NULL) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "no memory");
        return NULL;
    }

    s->uses = 1;
    s->recipe = at_look_recipe(path, error);

    if (s->recipe == NULL) {
        at_look_shop_free(s);
        return NULL;
    }

    if (!at_str_is(s->recipe->name, name)) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "%.400s: $.name: \"%.*s\" is "
                        "not the name of the file; rename one of them", path,
                        (int) s->recipe->name.len, s->recipe->name.data);
        at_look_shop_free(s);
        return NULL;
    }

    if (at_look_policy(s) != AT_OK) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "%.400s: no memory", path);
        at_look_shop_free(s);
        return NULL;
    }

    return s;
}


static at_recipe_t *
at_look_recipe(const char *path, char error[AT_CONF_ERROR_MAX])
{
    char          why[AT_RECIPE_ERROR_MAX];
    char         *text;
    FILE         *f;
    size_t        n;
    at_recipe_t  *recipe;

    f = fopen(path, "rb");
    text = malloc(AT_RECIPE_FILE_MAX + 1);
    recipe = NULL;

    if (f == NULL || text == NULL) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "%.400s: %s", path,
                        f ? "no memory" : strerror(errno));

    } else {
        n = fread(text, 1, AT_RECIPE_FILE_MAX + 1, f);

        if (n > AT_RECIPE_FILE_MAX || ferror(f)) {
            (void) snprintf(error, AT_CONF_ERROR_MAX, "%.400s: %s", path,
                            ferror(f) ? "cannot be read"
                                      : "larger than 256 kB");

        } else {
            recipe = at_recipe_parse(path, (at_str_t) { n, text }, why);

            if (recipe == NULL) {
                (void) snprintf(error, AT_CONF_ERROR_MAX, "%.500s", why);
            }
        }
    }

    free(text);

    if (f) {
        (void) fclose(f);
    }

    return recipe;
}


/* lines: the name, two patterns of each host, then the headers. */

static int
at_look_policy(at_look_shop_t *s)
{
    size_t                 i, k, hosts;
    at_recipe_t           *r = s->recipe;
    const at_shop_pair_t  *h;

    hosts = 2 * r->hosts.n;
    s->nlines = 1 + hosts + r->headers.n;
    s->lines = calloc(s->nlines, sizeof(char *));

    if (s->lines == NULL) {
        return AT_ERROR;
    }

    for (i = 0; i < s->nlines; i++) {

        if (i == 0) {
            k = (size_t) asprintf(&s->lines[i], "%.*s", (int) r->name.len,
                                  r->name.data);

        } else if (i <= hosts) {
            k = (i - 1) / 2;
            k = (size_t) asprintf(&s->lines[i], "%s%.*s", i % 2 ? "" : "*.",
                                  (int) r->hosts.items[k].len,
                                  r->hosts.items[k].data);

        } else {
            h = &r->headers.items[i - 1 - hosts];
            k = (size_t) asprintf(&s->lines[i], "%.*s: %.*s",
                                  (int) h->name.len, h->name.data,
                                  (int) h->value.len, h->value.data);
        }

        if (k == (size_t) -1) {
            s->lines[i] = NULL;
            return AT_ERROR;
        }
    }

    s->name = s->lines[0];
    s->hits = at_look_hits(s->name);
    s->policy = (at_crawl_policy_t) {
        .name = s->name, .gap = r->gap, .concurrency = (unsigned) r->parallel,
        .daily = r->daily,
        .hosts = (const char *const *) s->lines + 1, .nhosts = hosts,
        .headers = (const char *const *) s->lines + 1 + hosts,
        .nheaders = r->headers.n,
        .ignore_robots = r->robots_ignore != 0, .is_wall = at_look_is_wall
    };

    return AT_OK;
}


/*
 * Of what is no page.  A page is read whole before it is judged, and a shop
 * that has too much to do says so by a status as well.
 */

static int
at_look_is_wall(const at_crawl_policy_t *policy, long status, at_str_t body)
{
    const at_recipe_t     *r;
    const at_look_shop_t  *s;

    if (status < 400) {
        return 0;
    }

    if (status == 401 || status == 403) {
        return 1;
    }

    s = (const at_look_shop_t *) (const void *)
        ((const char *) policy - offsetof(at_look_shop_t, policy));
    r = s->recipe;

    return at_look_marked(body, &r->captchas)
           || at_look_marked(body, &r->walls);
}


static int
at_look_marked(at_str_t body, const at_shop_list_t *marks)
{
    size_t    i, k;
    at_str_t  mark;

    if (body.len > AT_LOOK_MARK_BYTES) {
        body.len = AT_LOOK_MARK_BYTES;
    }

    for (i = 0; i < marks->n; i++) {
        mark = marks->items[i];

        for (k = 0; mark.len && k + mark.len <= body.len; k++) {
            if (strncasecmp(body.data + k, mark.data, mark.len) == 0) {
                return 1;
            }
        }
    }

    return 0;
}


const at_look_shop_t *
at_look_shop(const at_look_shops_t *shops, at_str_t name)
{
    size_t  i;

    for (i = 0; i < shops->n; i++) {
        if (at_str_is(name, shops->shops[i]->name)) {
            return shops->shops[i];
        }
    }

    return NULL;
}


void
at_look_shops_free(at_look_shops_t *shops)
{
    size_t  i;

    if (shops == NULL) {
        return;
    }

    for (i = 0; i < shops->n; i++) {
        if (--shops->shops[i]->uses == 0) {
            at_look_shop_free(shops->shops[i]);
        }
    }

    free(shops);
}


static void
at_look_shop_free(at_look_shop_t *s)
{
    size_t  i;

    for (i = 0; s->lines && i < s->nlines; i++) {
        free(s->lines[i]);
    }

    free(s->lines);
    at_recipe_free(s->recipe);
    free(s);
}


static int
at_look_is_json(const struct dirent *entry)
{
    size_t  len = strlen(entry->d_name);

    return entry->d_name[0] != '.' && len > 5 && len < 60
           && strcmp(entry->d_name + len - 5, ".json") == 0;
}
