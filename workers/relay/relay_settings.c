/*
 * The settings of atelier-relay: conf/relay.conf is an example of them.
 */

#include "relay.h"

#include <stddef.h>
#include <stdio.h>


#define RELAY_SECOND  1000
#define RELAY_MINUTE  (60 * RELAY_SECOND)
#define RELAY_HOUR    (60 * RELAY_MINUTE)
#define RELAY_DAY     (24 * RELAY_HOUR)

#define relay_key(section, name, type, field, preset, ...)                    \
    { section, name, type, offsetof(relay_settings_t, field), preset,         \
      __VA_ARGS__ }


static const char *relay_settings_level(const char *value);


static const at_conf_key_t  relay_settings_keys[] = {
    relay_key("worker", "listen", AT_CONF_TEXT, listen, NULL,
              0, 0, at_probe_check),
    relay_key("worker", "log_level", AT_CONF_TEXT, log_level, "info",
              0, 0, relay_settings_level),
    relay_key("worker", "stop_timeout", AT_CONF_TIME, stop_timeout, "15s",
              RELAY_SECOND, 10 * RELAY_MINUTE, NULL),

    relay_key("redis", "address", AT_CONF_TEXT, redis_address, NULL,
              0, 0, at_redis_check),
    relay_key("redis", "user", AT_CONF_TEXT, redis_user, "", 0, 0, NULL),
    relay_key("redis", "password_file", AT_CONF_TEXT, redis_password_file,
              "", 0, 0, NULL),
    relay_key("redis", "db", AT_CONF_NUMBER, redis_db, "0", 0, 1000000, NULL),
    relay_key("redis", "timeout", AT_CONF_TIME, redis_timeout, "2s",
              10, RELAY_MINUTE, NULL),

    relay_key("postgres", "conninfo", AT_CONF_TEXT, postgres_conninfo, NULL,
              0, 0, at_postgres_check),
    relay_key("postgres", "timeout", AT_CONF_TIME, postgres_timeout, "10s",
              100, 10 * RELAY_MINUTE, NULL),

    relay_key("relay", "batch", AT_CONF_NUMBER, batch, "1000",
              1, RELAY_BATCH, NULL),
    relay_key("relay", "poll", AT_CONF_TIME, poll, "500ms",
              10, RELAY_MINUTE, NULL),

    relay_key("messages", "keep", AT_CONF_TIME, keep, "1d",
              RELAY_SECOND, 365 * (int64_t) RELAY_DAY, NULL),
    relay_key("messages", "purge_every", AT_CONF_TIME, purge_every, "1m",
              100, RELAY_DAY, NULL),
    { .section = NULL }
};


int
relay_settings_read(const char *file, relay_settings_t *settings,
    char error[AT_CONF_ERROR_MAX])
{
    const char  *missing;

    if (at_conf_read(file, relay_settings_keys, settings, error) != AT_OK) {
        return AT_ERROR;
    }

    missing = (settings->listen[0] == '\0') ? "listen"
              : (settings->redis_address[0] == '\0') ? "address"
              : (settings->postgres_conninfo[0] == '\0') ? "conninfo" : NULL;

    if (missing) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "%s: \"%s\" is empty", file,
                        missing);
        relay_settings_free(settings);
        return AT_ERROR;
    }

    return AT_OK;
}


void
relay_settings_free(relay_settings_t *settings)
{
    at_conf_free(relay_settings_keys, settings);
}


static const char *
relay_settings_level(const char *value)
{
    return (at_log_level(value) < 0)
           ? "is no level: use debug, info, warn or error" : NULL;
}
