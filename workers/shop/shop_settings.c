/*
 * The settings of atelier-shop run: conf/shop.conf is an example of them.
 */

#include "shop.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>


#define shop_key(section, name, type, field, preset, ...)                     \
    { section, name, type, offsetof(shop_settings_t, field), preset,          \
      __VA_ARGS__ }


static const char *shop_settings_line(const char *value);


static const at_conf_key_t  shop_settings_keys[] = {
    at_worker_keys(shop_settings_t, base, NULL, NULL),

    at_look_keys(shop_settings_t, look),

    shop_key("jobs", "threads", AT_CONF_NUMBER, jobs_threads, "8", 1, 32,
             NULL),
    shop_key("jobs", "claim_after", AT_CONF_TIME, jobs_claim_after, "30s",
             500, AT_CONF_HOUR, NULL),
    shop_key("jobs", "attempts", AT_CONF_NUMBER, jobs_attempts, "8", 1, 100,
             NULL),

    shop_key("search", "query", AT_CONF_LIST, search_query, "",
             0, 0, shop_settings_line),
    shop_key("search", "every", AT_CONF_TIME, search_every, "6h",
             AT_CONF_SECOND, 30 * AT_CONF_DAY, NULL),
    shop_key("search", "pages", AT_CONF_NUMBER, search_pages, "1",
             1, SHOP_PAGES_MAX, NULL),
    shop_key("search", "timeout", AT_CONF_TIME, search_timeout, "5s",
             100, 10 * AT_CONF_MINUTE, NULL),
    shop_key("search", "reader_share", AT_CONF_NUMBER, search_reader_share,
             "40", 1, 100, NULL),

    shop_key("verify", "parallel", AT_CONF_NUMBER, verify_parallel, "2",
             0, 100, NULL),
    shop_key("verify", "poll", AT_CONF_TIME, verify_poll, "30s",
             10, AT_CONF_HOUR, NULL),
    shop_key("verify", "again", AT_CONF_TIME, verify_again, "1h",
             100, 30 * AT_CONF_DAY, NULL),
    shop_key("verify", "share", AT_CONF_NUMBER, verify_share, "30", 1, 100,
             NULL),
    { .section = NULL }
};


int
shop_settings_read(const char *file, shop_settings_t *settings,
    char error[AT_CONF_ERROR_MAX])
{
    if (at_conf_read(file, shop_settings_keys, settings, error) != AT_OK) {
        return AT_ERROR;
    }

    /* a job that still runs must not be given to another one */

    if (settings->search_timeout >= settings->jobs_claim_after) {
        (void) snprintf(error, AT_CONF_ERROR_MAX,
                        "%s: \"timeout\" in [search] must be shorter than "
                        "\"claim_after\" in [jobs]", file);
        shop_settings_free(settings);
        return AT_ERROR;
    }

    return AT_OK;
}


void
shop_settings_free(shop_settings_t *settings)
{
    at_conf_free(shop_settings_keys, settings);
}


static const char *
shop_settings_line(const char *value)
{
    char  query[AT_SHOP_TEXT_BYTES + 1], category[AT_SHOP_TEXT_BYTES + 1];

    return (shop_settings_query(value, query, category) != AT_OK)
           ? "is no query: write words, or words | category" : NULL;
}


int
shop_settings_query(const char *line, char query[AT_SHOP_TEXT_BYTES + 1],
    char category[AT_SHOP_TEXT_BYTES + 1])
{
    size_t       len;
    at_str_t     text;
    const char  *bar;

    bar = strchr(line, '|');
    text = bar ? shop_word(bar + 1) : AT_STR_NULL;

    if (at_shop_query((at_str_t) { bar ? (size_t) (bar - line) : strlen(line),
                                   line }, query, &len) != AT_OK
        || at_shop_category(&text) != AT_OK || text.len > AT_SHOP_TEXT_BYTES)
    {
        return AT_ERROR;
    }

    query[len] = '\0';
    category[text.len] = '\0';

    if (text.len) {
        memcpy(category, text.data, text.len);
    }

    return (len || text.len) ? AT_OK : AT_ERROR;
}
