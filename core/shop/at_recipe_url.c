/*
 * Addresses by a recipe: of searches, of links on pages, of images, and the
 * ids in them (at_recipe.h).
 *
 * A link is hostile text.  It is joined to its page, must lead to a host of
 * the shop, and loses what only tracks.  Nothing is fetched here.
 */

#include <stdio.h>
#include <string.h>

#include "at_recipe.h"
#include "../at_args.h"


/* A URL cut in parts, which point into it. */
typedef struct {
    at_str_t  scheme;           /* "https" */
    at_str_t  host;             /* with its port */
    at_str_t  path;             /* from its slash; may be empty */
    at_str_t  query;            /* behind "?" */
} at_recipe_parts_t;


static int
at_recipe_url_cut(at_str_t url, at_recipe_parts_t *parts)
{
    size_t  i, n;

    memset(parts, 0, sizeof(at_recipe_parts_t));

    n = 0;

    if (url.len > 8
        && at_str_ieq((at_str_t) { 8, url.data }, AT_STR("https://")))
    {
        n = 8;

    } else if (url.len > 7
               && at_str_ieq((at_str_t) { 7, url.data }, AT_STR("http://")))
    {
        n = 7;
    }

    if (n == 0 || url.len > AT_RECIPE_URL_MAX) {
        return AT_ERROR;
    }

    parts->scheme = (at_str_t) { n - 3, url.data };

    for (i = n; i < url.len && strchr("/?#\\", url.data[i]) == NULL; i++) {
        /* void */
    }

    parts->host = (at_str_t) { i - n, url.data + n };

    if (parts->host.len == 0 || memchr(parts->host.data, '@', parts->host.len)
        || (i < url.len && url.data[i] == '\\'))
    {
        return AT_ERROR;
    }

    n = i;

    while (i < url.len && url.data[i] != '?' && url.data[i] != '#') {
        i++;
    }

    parts->path = (at_str_t) { i - n, url.data + n };

    if (i < url.len && url.data[i] == '?') {
        n = ++i;

        while (i < url.len && url.data[i] != '#') {
            i++;
        }

        parts->query = (at_str_t) { i - n, url.data + n };
    }

    return AT_OK;
}


/* host is name or below it.  A name with a port is that port alone. */

static int
at_recipe_host_is(at_str_t host, at_str_t name)
{
    size_t  i;

    if (memchr(name.data, ':', name.len) == NULL) {

        for (i = host.len; i > 0 && host.data[i - 1] >= '0'
                           && host.data[i - 1] <= '9'; i--)
        {
            /* void */
        }

        if (i > 0 && host.data[i - 1] == ':') {
            host.len = i - 1;
        }
    }

    if (host.len > name.len && host.data[host.len - name.len - 1] == '.') {
        host.data += host.len - name.len;
        host.len = name.len;
    }

    return at_str_ieq(host, name);
}


static int
at_recipe_host_in(at_str_t host, const at_shop_list_t *hosts)
{
    size_t  i;

    for (i = 0; i < hosts->n; i++) {
        if (at_recipe_host_is(host, hosts->items[i])) {
            return 1;
        }
    }

    return 0;
}


int
at_recipe_host(const at_recipe_t *recipe, at_str_t url)
{
    at_recipe_parts_t  parts;

    return at_recipe_url_cut(url, &parts) == AT_OK
           && at_recipe_host_in(parts.host, &recipe->hosts);
}


static int
at_recipe_encode(at_buf_t *b, at_str_t s, int path)
{
    char    c;
    int     rc;
    size_t  i;

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9') || strchr("-._~", c)
            || (path && c == '/'))
        {
            rc = at_buf_append(b, &c, 1);

        } else {
            rc = at_buf_printf(b, "%%%02X", (unsigned) (uint8_t) c);
        }

        if (c == '\0' || rc != AT_OK) {
            return AT_ERROR;
        }
    }

    return AT_OK;
}


static int
at_recipe_place(const at_recipe_t *recipe, const at_recipe_args_t *args,
    at_str_t name, at_buf_t *url)
{
    uint64_t  page;

    if (at_str_is(name, "{query}")) {
        return at_recipe_encode(url, args->query, 0);
    }

    if (at_str_is(name, "{category}")) {
        return at_recipe_encode(url, args->category, 1);
    }

    if (at_str_is(name, "{id}")) {
        return at_recipe_encode(url, args->id, 0);
    }

    page = (uint64_t) recipe->first_page
           + (uint64_t) recipe->page_step * (args->page ? args->page - 1 : 0);

    return at_buf_append_number(url, page);
}


static int
at_recipe_expand(const at_recipe_t *recipe, at_str_t template,
    const at_recipe_args_t *args, at_buf_t *url)
{
    int          rc;
    size_t       n;
    const char  *p, *end, *close;

    p = template.data;
    end = p + template.len;
    url->max = AT_RECIPE_URL_MAX;

    while (p < end) {

        if (*p != '{') {
            close = memchr(p, '{', (size_t) (end - p));
            n = (size_t) ((close ? close : end) - p);
            rc = at_buf_append(url, p, n);

        } else {
            close = memchr(p, '}', (size_t) (end - p));
            n = (size_t) ((close ? close + 1 : end) - p);
            rc = at_recipe_place(recipe, args, (at_str_t) { n, p }, url);
        }

        if (rc != AT_OK) {
            return AT_ERROR;
        }

        p += n;
    }

    return AT_OK;
}


int
at_recipe_url(const at_recipe_t *recipe, const at_recipe_args_t *args,
    at_buf_t *url)
{
    at_str_t  template;

    template = args->id.len ? recipe->product
               : args->category.len ? recipe->category : recipe->search;

    return template.len ? at_recipe_expand(recipe, template, args, url)
                        : AT_ERROR;
}


static char
at_recipe_plain(char c)
{
    return (c >= 'A' && c <= 'Z') ? (char) (c | 0x20)
           : (c == '-' || c == '_') ? ' ' : c;
}


at_str_t
at_recipe_category(const at_recipe_t *recipe, at_str_t category)
{
    size_t                 i, k;
    const at_shop_pair_t  *pair;

    for (i = 0; i < recipe->categories.n; i++) {
        pair = &recipe->categories.items[i];

        for (k = 0; k < category.len && k < pair->name.len
                    && at_recipe_plain(category.data[k])
                       == at_recipe_plain(pair->name.data[k]); k++)
        {
            /* void */
        }

        if (k == category.len && k == pair->name.len) {
            return pair->value;
        }
    }

    return AT_STR_NULL;
}


at_str_t
at_recipe_id(const at_recipe_t *recipe, at_str_t id, at_shop_pool_t *pool)
{
    char      c, *out;
    size_t    i, n;

    if (id.len == 0 || id.len > 200) {
        return AT_STR_NULL;
    }

    out = at_shop_alloc(pool, id.len);
    if (out == NULL) {
        return AT_STR_NULL;
    }

    for (i = 0, n = 0; i < id.len; i++) {
        c = id.data[i];

        if (recipe->id_drop.len
            && memchr(recipe->id_drop.data, c, recipe->id_drop.len))
        {
            continue;
        }

        if (recipe->id_upper && c >= 'a' && c <= 'z') {
            c = (char) (c & ~0x20);
        }

        if (!recipe->id_chars[(uint8_t) c]) {
            return AT_STR_NULL;
        }

        out[n++] = c;
    }

    if ((int64_t) n < recipe->id_min || (int64_t) n > recipe->id_max) {
        return AT_STR_NULL;
    }

    return (at_str_t) { n, out };
}


/* "/dp/{id}" in url: the last place where it fits. */

static at_str_t
at_recipe_id_at(const at_recipe_t *recipe, at_str_t url, at_str_t pattern,
    at_shop_pool_t *pool)
{
    size_t       i, n;
    uint8_t      c;
    at_str_t     before, after, id, found;
    const char  *mark;

    mark = memmem(pattern.data, pattern.len, "{id}", 4);
    before = (at_str_t) { (size_t) (mark - pattern.data), pattern.data };
    after = (at_str_t) { pattern.len - before.len - 4, mark + 4 };
    found = AT_STR_NULL;

    for (i = 0; i + before.len < url.len; i++) {

        if (before.len
            && memcmp(url.data + i, before.data, before.len) != 0)
        {
            continue;
        }

        id = (at_str_t) { 0, url.data + i + before.len };

        for (n = i + before.len; n < url.len; n++) {
            c = (uint8_t) url.data[n];

            if (recipe->id_upper && c >= 'a' && c <= 'z') {
                c &= (uint8_t) ~0x20;
            }

            if (!recipe->id_chars[c]) {
                break;
            }

            id.len++;
        }

        if (url.len - n < after.len
            || memcmp(url.data + n, after.data, after.len) != 0)
        {
            continue;
        }

        id = at_recipe_id(recipe, id, pool);

        if (id.len) {
            found = id;
        }
    }

    return found;
}


at_str_t
at_recipe_url_id(const at_recipe_t *recipe, at_str_t url, at_shop_pool_t *pool)
{
    size_t    i;
    at_str_t  id;

    if (url.len > AT_RECIPE_URL_MAX) {
        return AT_STR_NULL;
    }

    for (i = 0; i < recipe->id_urls.n; i++) {
        id = at_recipe_id_at(recipe, url, recipe->id_urls.items[i], pool);

        if (id.len) {
            return id;
        }
    }

    return AT_STR_NULL;
}


/* The value of argument name, or data NULL. */

static at_str_t
at_recipe_arg(at_str_t query, at_str_t name)
{
    size_t  i, n;

    for (i = 0; i < query.len; i += n + 1) {
        n = 0;

        while (i + n < query.len && query.data[i + n] != '&') {
            n++;
        }

        if (n > name.len && query.data[i + name.len] == '='
            && memcmp(query.data + i, name.data, name.len) == 0)
        {
            return (at_str_t) { n - name.len - 1,
                                query.data + i + name.len + 1 };
        }
    }

    return AT_STR_NULL;
}


static at_str_t
at_recipe_decode(at_str_t s, at_shop_pool_t *pool)
{
    char  *out;

    out = at_shop_alloc(pool, s.len);
    if (out == NULL) {
        return AT_STR_NULL;
    }

    return (at_str_t) { at_args_decode(s, out), out };
}


/* 1: it begins with a scheme, as in "javascript:". */

static int
at_recipe_schemed(at_str_t link)
{
    size_t  i;

    for (i = 0; i < link.len; i++) {

        if (link.data[i] == ':') {
            return 1;
        }

        if (link.data[i] == '/' || link.data[i] == '?') {
            return 0;
        }
    }

    return 0;
}


/* Absolute, plain ASCII without blanks and quotes; or no text. */

static at_str_t
at_recipe_absolute(at_str_t link, at_str_t base, at_shop_pool_t *pool)
{
    size_t              i;
    at_buf_t            b = { .max = AT_RECIPE_URL_MAX };
    at_str_t            out;
    at_recipe_parts_t   parts;

    if (link.len == 0 || link.len > AT_RECIPE_URL_MAX) {
        return AT_STR_NULL;
    }

    if (at_recipe_url_cut(link, &parts) != AT_OK) {

        if (at_recipe_url_cut(base, &parts) != AT_OK
            || link.data[0] == '#' || link.data[0] == '\\'
            || at_recipe_schemed(link))
        {
            return AT_STR_NULL;
        }

        (void) at_buf_append(&b, parts.scheme.data, parts.scheme.len);
        (void) at_buf_append(&b, "://", link.data[0] == '/' && link.len > 1
                                        && link.data[1] == '/' ? 1 : 3);

        if (b.data[b.len - 1] == '/') {
            (void) at_buf_append_str(&b, parts.host);

            if (link.data[0] != '/') {

                for (i = parts.path.len; i > 0
                                         && parts.path.data[i - 1] != '/'; i--)
                {
                    /* void */
                }

                (void) at_buf_append(&b, i ? parts.path.data : "/", i ? i : 1);
            }
        }
    }

    for (i = 0; i < link.len; i++) {

        if ((uint8_t) link.data[i] < ' ' || link.data[i] == '\\'
            || link.data[i] == 0x7f)
        {
            at_buf_free(&b);
            return AT_STR_NULL;
        }

        if ((uint8_t) link.data[i] >= 0x80
            || strchr(" \"<>^`{|}'", link.data[i]))
        {
            (void) at_buf_printf(&b, "%%%02X",
                                 (unsigned) (uint8_t) link.data[i]);

        } else {
            (void) at_buf_append(&b, link.data + i, 1);
        }
    }

    out = b.len < AT_RECIPE_URL_MAX - 3
          && at_recipe_url_cut(at_buf_str(&b), &parts) == AT_OK
          ? at_shop_copy(pool, at_buf_str(&b)) : AT_STR_NULL;

    at_buf_free(&b);

    return out;
}


/* The path, and of the arguments those that stay. */

static at_str_t
at_recipe_kept(const at_recipe_t *recipe, const at_recipe_parts_t *parts,
    at_shop_pool_t *pool)
{
    char      sep;
    size_t    i;
    at_buf_t  b = { .max = AT_RECIPE_URL_MAX };
    at_str_t  value, out;

    (void) at_buf_append_str(&b, parts->scheme);
    (void) at_buf_append(&b, "://", 3);
    (void) at_buf_append_str(&b, parts->host);
    (void) at_buf_append_str(&b, parts->path);
    sep = '?';

    for (i = 0; i < recipe->id_keep.n; i++) {
        value = at_recipe_arg(parts->query, recipe->id_keep.items[i]);

        if (value.data) {
            (void) at_buf_append(&b, &sep, 1);
            (void) at_buf_append_str(&b, recipe->id_keep.items[i]);
            (void) at_buf_append(&b, "=", 1);
            (void) at_buf_append_str(&b, value);
            sep = '&';
        }
    }

    out = at_shop_copy(pool, at_buf_str(&b));
    at_buf_free(&b);

    return out;
}


at_str_t
at_recipe_link(const at_recipe_t *recipe, at_str_t link, at_str_t base,
    at_shop_pool_t *pool)
{
    size_t             i;
    at_buf_t           b = { .data = NULL };
    at_str_t           url, inner;
    at_recipe_args_t   args;
    at_recipe_parts_t  parts;

    url = at_recipe_absolute(link, base, pool);

    if (url.len == 0 || at_recipe_url_cut(url, &parts) != AT_OK) {
        return AT_STR_NULL;
    }

    for (i = 0; i < recipe->id_unwrap.n; i++) {
        inner = at_recipe_arg(parts.query, recipe->id_unwrap.items[i]);

        if (inner.len) {
            inner = at_recipe_absolute(at_recipe_decode(inner, pool), url,
                                       pool);
        }

        if (inner.len && at_recipe_url_id(recipe, inner, pool).len) {
            url = inner;
            (void) at_recipe_url_cut(url, &parts);
            break;
        }
    }

    if (!at_recipe_host_in(parts.host, &recipe->hosts)) {
        return AT_STR_NULL;
    }

    memset(&args, 0, sizeof(args));
    args.id = recipe->id_url.len ? at_recipe_url_id(recipe, url, pool)
                                 : AT_STR_NULL;

    if (args.id.len == 0) {
        return at_recipe_kept(recipe, &parts, pool);
    }

    url = at_recipe_expand(recipe, recipe->id_url, &args, &b) == AT_OK
          ? at_shop_copy(pool, at_buf_str(&b)) : AT_STR_NULL;

    at_buf_free(&b);

    return url;
}


static at_str_t
at_recipe_replace(at_str_t s, at_shop_pair_t pair, at_shop_pool_t *pool)
{
    at_buf_t     b = { .max = AT_RECIPE_URL_MAX };
    at_str_t     out;
    const char  *p, *end, *q;

    p = s.data;
    end = p + s.len;
    q = memmem(p, s.len, pair.name.data, pair.name.len);

    if (q == NULL) {
        return s;
    }

    for ( /* void */ ; q; q = memmem(p, (size_t) (end - p), pair.name.data,
                                     pair.name.len))
    {
        (void) at_buf_append(&b, p, (size_t) (q - p));
        (void) at_buf_append_str(&b, pair.value);
        p = q + pair.name.len;
    }

    (void) at_buf_append(&b, p, (size_t) (end - p));
    out = at_shop_copy(pool, at_buf_str(&b));
    at_buf_free(&b);

    return out;
}


at_str_t
at_recipe_image(const at_recipe_t *recipe, at_str_t link, at_str_t base,
    at_shop_pool_t *pool)
{
    char               *out;
    size_t              i;
    at_str_t            url;
    at_recipe_parts_t   parts;

    for (i = 0; i < recipe->image_replace.n && link.len; i++) {
        link = at_recipe_replace(link, recipe->image_replace.items[i], pool);
    }

    url = at_recipe_absolute(link, base, pool);

    if (url.len == 0 || at_recipe_url_cut(url, &parts) != AT_OK
        || (recipe->image_hosts.n
            && !at_recipe_host_in(parts.host, &recipe->image_hosts)
            && !at_recipe_host_in(parts.host, &recipe->hosts)))
    {
        return AT_STR_NULL;
    }

    for (i = 0; i < recipe->image_refuse.n; i++) {
        if (memmem(url.data, url.len, recipe->image_refuse.items[i].data,
                   recipe->image_refuse.items[i].len))
        {
            return AT_STR_NULL;
        }
    }

    if (parts.scheme.len == 5
        || memchr(parts.host.data, ':', parts.host.len))
    {
        return url;
    }

    out = at_shop_alloc(pool, url.len + 1);
    if (out == NULL) {
        return AT_STR_NULL;
    }

    memcpy(out, "https", 5);
    memcpy(out + 5, url.data + 4, url.len - 4);

    return (at_str_t) { url.len + 1, out };
}
