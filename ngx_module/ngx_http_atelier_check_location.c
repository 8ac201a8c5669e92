/*
 * Which location nginx would choose for an address, found out while the
 * configuration is checked (see ngx_http_atelier_check.h).
 */

#include "ngx_http_atelier_check.h"


static ngx_int_t ngx_http_atelier_find_static(
    ngx_http_location_tree_node_t *node, ngx_str_t *uri,
    ngx_http_core_loc_conf_t **found);


ngx_int_t
ngx_http_atelier_find_location(ngx_http_core_loc_conf_t *clcf, ngx_str_t *uri,
    ngx_http_core_loc_conf_t **found)
{
    ngx_int_t                   rc;
#if (NGX_PCRE)
    ngx_uint_t                  noregex;
    ngx_http_core_loc_conf_t  **regex;

    noregex = 0;
#endif

    rc = ngx_http_atelier_find_static(clcf->static_locations, uri, found);

    if (rc == NGX_AGAIN) {
#if (NGX_PCRE)
        noregex = (*found)->noregex;
#endif
        rc = ngx_http_atelier_find_location(*found, uri, found);
    }

    if (rc == NGX_OK || rc == NGX_DONE) {
        return rc;
    }

#if (NGX_PCRE)

    if (noregex || clcf->regex_locations == NULL) {
        return rc;
    }

    for (regex = clcf->regex_locations; *regex; regex++) {
        if (ngx_regex_exec((*regex)->regex->regex, uri, NULL, 0) >= 0) {
            *found = *regex;
            (void) ngx_http_atelier_find_location(*regex, uri, found);
            return NGX_OK;
        }
    }

#endif

    return rc;
}


static ngx_int_t
ngx_http_atelier_find_static(ngx_http_location_tree_node_t *node,
    ngx_str_t *uri, ngx_http_core_loc_conf_t **found)
{
    ngx_int_t  rc, rv;
    ngx_str_t  rest;

    rv = NGX_DECLINED;
    rest = *uri;

    while (node) {
        rc = ngx_filename_cmp(rest.data, node->name,
                              ngx_min(rest.len, (size_t) node->len));

        if (rc != 0) {
            node = (rc < 0) ? node->left : node->right;
            continue;
        }

        if (rest.len == (size_t) node->len) {
            *found = node->exact ? node->exact : node->inclusive;
            return node->exact ? NGX_OK : NGX_AGAIN;
        }

        if (rest.len < (size_t) node->len) {
            if (rest.len + 1 == (size_t) node->len && node->auto_redirect) {
                rv = NGX_DONE;
            }

            node = node->left;
            continue;
        }

        if (node->inclusive) {
            *found = node->inclusive;
            rv = NGX_AGAIN;

            rest.data += node->len;
            rest.len -= node->len;
            node = node->tree;
            continue;
        }

        node = node->right;
    }

    return rv;
}
