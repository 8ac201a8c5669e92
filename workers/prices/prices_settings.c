/*
 * The settings of atelier-prices: conf/prices.conf is an example of them.
 */

#include "prices.h"

#include <stddef.h>
#include <stdio.h>


#define PRICES_SECOND  1000
#define PRICES_MINUTE  (60 * PRICES_SECOND)
#define PRICES_HOUR    (60 * PRICES_MINUTE)
#define PRICES_DAY     (24 * (int64_t) PRICES_HOUR)

#define prices_key(section, name, type, field, preset, ...)                   \
    { section, name, type, offsetof(prices_settings_t, field), preset,        \
      __VA_ARGS__ }


static const char *prices_settings_level(const char *value);


static const at_conf_key_t  prices_settings_keys[] = {
    prices_key("worker", "listen", AT_CONF_TEXT, listen, NULL,
               0, 0, at_probe_check),
    prices_key("worker", "log_level", AT_CONF_TEXT, log_level, "info",
               0, 0, prices_settings_level),
    prices_key("worker", "stop_timeout", AT_CONF_TIME, stop_timeout, "15s",
               PRICES_SECOND, 10 * PRICES_MINUTE, NULL),

    prices_key("redis", "address", AT_CONF_TEXT, redis_address, "",
               0, 0, at_redis_check),
    prices_key("redis", "user", AT_CONF_TEXT, redis_user, "", 0, 0, NULL),
    prices_key("redis", "password_file", AT_CONF_TEXT, redis_password_file,
               "", 0, 0, NULL),
    prices_key("redis", "db", AT_CONF_NUMBER, redis_db, "0", 0, 1000000,
               NULL),
    prices_key("redis", "timeout", AT_CONF_TIME, redis_timeout, "2s",
               10, PRICES_MINUTE, NULL),

    prices_key("postgres", "conninfo", AT_CONF_TEXT, postgres_conninfo, NULL,
               0, 0, at_postgres_check),
    prices_key("postgres", "timeout", AT_CONF_TIME, postgres_timeout, "10s",
               100, 10 * PRICES_MINUTE, NULL),

    at_look_keys(prices_settings_t, look),

    prices_key("looks", "usual", AT_CONF_TIME, usual, "3h",
               10, 30 * PRICES_DAY, NULL),
    prices_key("looks", "change", AT_CONF_TIME, change, "1d",
               PRICES_SECOND, 365 * PRICES_DAY, NULL),
    prices_key("looks", "least", AT_CONF_TIME, least, "10m",
               10, 30 * PRICES_DAY, NULL),
    prices_key("looks", "most", AT_CONF_TIME, most, "3d",
               10, 365 * PRICES_DAY, NULL),
    prices_key("looks", "watched", AT_CONF_TIME, watched, "1m",
               10, PRICES_DAY, NULL),
    prices_key("looks", "retry", AT_CONF_TIME, retry, "5m",
               10, PRICES_DAY, NULL),
    prices_key("looks", "retry_most", AT_CONF_TIME, retry_most, "1d",
               10, 30 * PRICES_DAY, NULL),
    prices_key("looks", "gone", AT_CONF_TIME, gone, "6h",
               10, 30 * PRICES_DAY, NULL),
    prices_key("looks", "gone_most", AT_CONF_TIME, gone_most, "7d",
               10, 365 * PRICES_DAY, NULL),
    prices_key("looks", "doubt", AT_CONF_TIME, doubt, "30s",
               10, PRICES_DAY, NULL),
    prices_key("looks", "large", AT_CONF_NUMBER, large, "30", 1, 1000000,
               NULL),
    prices_key("looks", "lease", AT_CONF_TIME, lease, "2m",
               100, PRICES_DAY, NULL),
    prices_key("looks", "ahead", AT_CONF_NUMBER, ahead, "4", 1, 1000, NULL),
    prices_key("looks", "poll", AT_CONF_TIME, poll, "1s",
               10, PRICES_MINUTE, NULL),

    prices_key("sweeps", "least", AT_CONF_NUMBER, sweep_least, "4",
               0, PRICES_CARDS, NULL),
    prices_key("sweeps", "early", AT_CONF_TIME, sweep_early, "10m",
               0, PRICES_DAY, NULL),
    prices_key("sweeps", "every", AT_CONF_TIME, sweep_every, "10s",
               10, PRICES_DAY, NULL),

    prices_key("history", "thin_every", AT_CONF_TIME, thin_every, "1d",
               100, 365 * PRICES_DAY, NULL),
    { .section = NULL }
};


int
prices_settings_read(const char *file, prices_settings_t *settings,
    char error[AT_CONF_ERROR_MAX])
{
    const char  *wrong;

    if (at_conf_read(file, prices_settings_keys, settings, error) != AT_OK) {
        return AT_ERROR;
    }

    wrong = (settings->listen[0] == '\0') ? "\"listen\" is empty"
            : (settings->postgres_conninfo[0] == '\0')
              ? "\"conninfo\" is empty"
            : (settings->look.recipes[0] == '\0') ? "\"recipes\" is empty"
            : (settings->least > settings->most)
              ? "\"least\" is longer than \"most\" in [looks]"
            : (settings->look.timeout >= settings->lease)
              ? "\"timeout\" in [fetch] must be shorter than \"lease\" in "
                "[looks]" : NULL;

    if (wrong) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "%s: %s", file, wrong);
        prices_settings_free(settings);
        return AT_ERROR;
    }

    return AT_OK;
}


void
prices_settings_free(prices_settings_t *settings)
{
    at_conf_free(prices_settings_keys, settings);
}


static const char *
prices_settings_level(const char *value)
{
    return (at_log_level(value) < 0)
           ? "is no level: use debug, info, warn or error" : NULL;
}
