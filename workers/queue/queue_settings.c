/*
 * The settings of atelier-queue: conf/queue.conf is an example of them.
 */

#include "queue.h"
#include "at_probe.h"

#include <stddef.h>
#include <stdio.h>


#define QUEUE_SECOND  1000
#define QUEUE_MINUTE  (60 * QUEUE_SECOND)
#define QUEUE_HOUR    (60 * QUEUE_MINUTE)
#define QUEUE_DAY     (24LL * QUEUE_HOUR)

#define queue_key(section, name, type, field, preset, ...)                    \
    { section, name, type, offsetof(queue_settings_t, field), preset,         \
      __VA_ARGS__ }


static const char *queue_settings_level(const char *value);
static const char *queue_settings_socket(const char *value);


static const at_conf_key_t  queue_settings_keys[] = {
    queue_key("worker", "listen", AT_CONF_TEXT, listen, NULL,
              0, 0, at_probe_check),
    queue_key("worker", "log_level", AT_CONF_TEXT, log_level, "info",
              0, 0, queue_settings_level),
    queue_key("worker", "stop_timeout", AT_CONF_TIME, stop_timeout, "15s",
              QUEUE_SECOND, 10 * QUEUE_MINUTE, NULL),

    queue_key("redis", "address", AT_CONF_TEXT, redis_address, "",
              0, 0, at_redis_check),
    queue_key("redis", "user", AT_CONF_TEXT, redis_user, "", 0, 0, NULL),
    queue_key("redis", "password_file", AT_CONF_TEXT, redis_password_file,
              "", 0, 0, NULL),
    queue_key("redis", "db", AT_CONF_NUMBER, redis_db, "0", 0, 1000000, NULL),
    queue_key("redis", "timeout", AT_CONF_TIME, redis_timeout, "2s",
              10, QUEUE_MINUTE, NULL),

    queue_key("postgres", "conninfo", AT_CONF_TEXT, postgres_conninfo, NULL,
              0, 0, at_postgres_check),
    queue_key("postgres", "timeout", AT_CONF_TIME, postgres_timeout, "10s",
              100, 10 * QUEUE_MINUTE, NULL),

    queue_key("egress", "socket", AT_CONF_TEXT, egress_socket, NULL,
              0, 0, queue_settings_socket),
    queue_key("egress", "timeout", AT_CONF_TIME, egress_timeout, "90s",
              100, 10 * QUEUE_MINUTE, NULL),

    queue_key("attempts", "parallel", AT_CONF_NUMBER, parallel, "8",
              1, QUEUE_PARALLEL, NULL),
    queue_key("attempts", "lease", AT_CONF_TIME, lease, "2m",
              500, QUEUE_HOUR, NULL),
    queue_key("attempts", "tries", AT_CONF_NUMBER, tries, "8", 1, 100, NULL),
    queue_key("attempts", "retry", AT_CONF_TIME, retry, "2s",
              10, QUEUE_HOUR, NULL),
    queue_key("attempts", "retry_max", AT_CONF_TIME, retry_max, "1m",
              10, QUEUE_DAY, NULL),
    queue_key("attempts", "max_age", AT_CONF_TIME, max_age, "1h",
              QUEUE_SECOND, 7 * QUEUE_DAY, NULL),
    queue_key("attempts", "poll", AT_CONF_TIME, poll, "5s",
              10, QUEUE_MINUTE, NULL),

    queue_key("rows", "keep", AT_CONF_TIME, keep, "30d",
              QUEUE_SECOND, 3650 * QUEUE_DAY, NULL),
    { .section = NULL }
};


int
queue_settings_read(const char *file, queue_settings_t *settings,
    char error[AT_CONF_ERROR_MAX])
{
    const char  *missing;

    if (at_conf_read(file, queue_settings_keys, settings, error) != AT_OK) {
        return AT_ERROR;
    }

    /* what still may be drawn must not be given to another one */

    if (settings->egress_timeout >= settings->lease) {
        (void) snprintf(error, AT_CONF_ERROR_MAX,
                        "%s: \"timeout\" in [egress] must be shorter than "
                        "\"lease\" in [attempts]", file);
        queue_settings_free(settings);
        return AT_ERROR;
    }

    missing = (settings->listen[0] == '\0') ? "listen"
              : (settings->postgres_conninfo[0] == '\0') ? "conninfo"
              : (settings->egress_socket[0] == '\0') ? "socket" : NULL;

    if (missing) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "%s: \"%s\" is empty", file,
                        missing);
        queue_settings_free(settings);
        return AT_ERROR;
    }

    return AT_OK;
}


void
queue_settings_free(queue_settings_t *settings)
{
    at_conf_free(queue_settings_keys, settings);
}


static const char *
queue_settings_level(const char *value)
{
    return (at_log_level(value) < 0)
           ? "is no level: use debug, info, warn or error" : NULL;
}


static const char *
queue_settings_socket(const char *value)
{
    return (value[0] != '/' || strlen(value) > 107)
           ? "is no path of a socket: write /path, 107 bytes at most" : NULL;
}
