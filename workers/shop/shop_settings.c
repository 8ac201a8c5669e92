/*
 * The settings of atelier-shop run: conf/shop.conf is an example of them.
 */

#include "shop.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>


#define SHOP_SECOND  1000
#define SHOP_MINUTE  (60 * SHOP_SECOND)
#define SHOP_HOUR    (60 * SHOP_MINUTE)
#define SHOP_DAY     (24LL * SHOP_HOUR)

#define shop_key(section, name, type, field, preset, ...)                     \
    { section, name, type, offsetof(shop_settings_t, field), preset,          \
      __VA_ARGS__ }


static const char *shop_settings_level(const char *value);
static const char *shop_settings_line(const char *value);


static const at_conf_key_t  shop_settings_keys[] = {
    shop_key("worker", "listen", AT_CONF_TEXT, listen, NULL,
             0, 0, at_probe_check),
    shop_key("worker", "log_level", AT_CONF_TEXT, log_level, "info",
             0, 0, shop_settings_level),
    shop_key("worker", "stop_timeout", AT_CONF_TIME, stop_timeout, "15s",
             SHOP_SECOND, 10 * SHOP_MINUTE, NULL),

    shop_key("redis", "address", AT_CONF_TEXT, redis_address, NULL,
             0, 0, at_redis_check),
    shop_key("redis", "user", AT_CONF_TEXT, redis_user, "", 0, 0, NULL),
    shop_key("redis", "password_file", AT_CONF_TEXT, redis_password_file, "",
             0, 0, NULL),
    shop_key("redis", "db", AT_CONF_NUMBER, redis_db, "0", 0, 1000000, NULL),
    shop_key("redis", "timeout", AT_CONF_TIME, redis_timeout, "2s",
             10, SHOP_MINUTE, NULL),

    shop_key("postgres", "conninfo", AT_CONF_TEXT, postgres_conninfo, NULL,
             0, 0, at_postgres_check),
    shop_key("postgres", "timeout", AT_CONF_TIME, postgres_timeout, "10s",
             100, 10 * SHOP_MINUTE, NULL),

    at_look_keys(shop_settings_t, look),

    shop_key("jobs", "threads", AT_CONF_NUMBER, jobs_threads, "8", 1, 32,
             NULL),
    shop_key("jobs", "claim_after", AT_CONF_TIME, jobs_claim_after, "30s",
             500, SHOP_HOUR, NULL),
    shop_key("jobs", "attempts", AT_CONF_NUMBER, jobs_attempts, "8", 1, 100,
             NULL),

    shop_key("search", "query", AT_CONF_LIST, search_query, "",
             0, 0, shop_settings_line),
    shop_key("search", "every", AT_CONF_TIME, search_every, "6h",
             SHOP_SECOND, 30 * SHOP_DAY, NULL),
    shop_key("search", "pages", AT_CONF_NUMBER, search_pages, "1",
             1, SHOP_PAGES_MAX, NULL),
    shop_key("search", "timeout", AT_CONF_TIME, search_timeout, "5s",
             100, 10 * SHOP_MINUTE, NULL),

    shop_key("verify", "parallel", AT_CONF_NUMBER, verify_parallel, "2",
             0, 100, NULL),
    shop_key("verify", "poll", AT_CONF_TIME, verify_poll, "30s",
             10, SHOP_HOUR, NULL),
    shop_key("verify", "again", AT_CONF_TIME, verify_again, "1h",
             100, 30 * SHOP_DAY, NULL),
    { .section = NULL }
};


int
shop_settings_read(const char *file, shop_settings_t *settings,
    char error[AT_CONF_ERROR_MAX])
{
    const char  *missing;

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

    missing = (settings->listen[0] == '\0') ? "listen"
              : (settings->redis_address[0] == '\0') ? "address"
              : (settings->postgres_conninfo[0] == '\0') ? "conninfo"
              : (settings->look.recipes[0] == '\0') ? "recipes" : NULL;

    if (missing) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "%s: \"%s\" is empty", file,
                        missing);
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
shop_settings_level(const char *value)
{
    return (at_log_level(value) < 0)
           ? "is no level: use debug, info, warn or error" : NULL;
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
