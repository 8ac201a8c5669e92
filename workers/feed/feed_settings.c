/*
 * The settings of atelier-feed: conf/feed.conf is an example of them.
 */

#include "feed.h"
#include "at_probe.h"

#include <stddef.h>
#include <stdio.h>


#define FEED_SECOND  1000
#define FEED_MINUTE  (60 * FEED_SECOND)
#define FEED_HOUR    (60 * FEED_MINUTE)

#define feed_key(section, name, type, field, preset, ...)                     \
    { section, name, type, offsetof(feed_settings_t, field), preset,          \
      __VA_ARGS__ }


static const char *feed_settings_level(const char *value);
static const char *feed_settings_socket(const char *value);
static const char *feed_settings_agent(const char *value);
static const char *feed_settings_query(const char *value);
static const char *feed_settings_rule(const char *value);


static const at_conf_key_t  feed_settings_keys[] = {
    feed_key("worker", "listen", AT_CONF_TEXT, listen, NULL,
             0, 0, at_probe_check),
    feed_key("worker", "log_level", AT_CONF_TEXT, log_level, "info",
             0, 0, feed_settings_level),
    feed_key("worker", "stop_timeout", AT_CONF_TIME, stop_timeout, "15s",
             FEED_SECOND, 10 * FEED_MINUTE, NULL),

    feed_key("redis", "address", AT_CONF_TEXT, redis_address, NULL,
             0, 0, at_redis_check),
    feed_key("redis", "user", AT_CONF_TEXT, redis_user, "", 0, 0, NULL),
    feed_key("redis", "password_file", AT_CONF_TEXT, redis_password_file, "",
             0, 0, NULL),
    feed_key("redis", "db", AT_CONF_NUMBER, redis_db, "0", 0, 1000000, NULL),
    feed_key("redis", "timeout", AT_CONF_TIME, redis_timeout, "2s",
             10, FEED_MINUTE, NULL),

    feed_key("postgres", "conninfo", AT_CONF_TEXT, postgres_conninfo, "",
             0, 0, at_postgres_check),
    feed_key("postgres", "timeout", AT_CONF_TIME, postgres_timeout, "10s",
             100, 10 * FEED_MINUTE, NULL),

    feed_key("egress", "socket", AT_CONF_TEXT, egress_socket, NULL,
             0, 0, feed_settings_socket),
    feed_key("egress", "timeout", AT_CONF_TIME, egress_timeout, "10s",
             100, 10 * FEED_MINUTE, NULL),

    feed_key("jobs", "threads", AT_CONF_NUMBER, jobs_threads, "4", 1, 32,
             NULL),
    feed_key("jobs", "claim_after", AT_CONF_TIME, jobs_claim_after, "1m",
             500, FEED_HOUR, NULL),
    feed_key("jobs", "attempts", AT_CONF_NUMBER, jobs_attempts, "8", 1, 100,
             NULL),
    feed_key("jobs", "ahead", AT_CONF_NUMBER, jobs_ahead, "3", 0, 6, NULL),

    feed_key("warm", "query", AT_CONF_LIST, warm_query, "",
             0, 0, feed_settings_query),
    feed_key("warm", "every", AT_CONF_TIME, warm_every, "10m",
             FEED_SECOND, 24 * FEED_HOUR, NULL),

    feed_key("hash", "scan", AT_CONF_TIME, hash_scan, "10s",
             100, FEED_HOUR, NULL),
    feed_key("hash", "parallel", AT_CONF_NUMBER, hash_parallel, "8", 1, 64,
             NULL),
    feed_key("hash", "per_host", AT_CONF_NUMBER, hash_per_host, "1", 1, 64,
             NULL),
    feed_key("hash", "timeout", AT_CONF_TIME, hash_timeout, "5s",
             100, FEED_MINUTE, NULL),
    feed_key("hash", "user_agent", AT_CONF_TEXT, hash_user_agent, NULL,
             0, 0, feed_settings_agent),
    feed_key("hash", "allow_address", AT_CONF_LIST, hash_allow_address, "",
             0, 0, feed_settings_rule),
    { .section = NULL }
};


int
feed_settings_read(const char *file, feed_settings_t *settings,
    char error[AT_CONF_ERROR_MAX])
{
    const char  *missing;

    if (at_conf_read(file, feed_settings_keys, settings, error) != AT_OK) {
        return AT_ERROR;
    }

    /* a job that still runs must not be given to another one */

    if (settings->egress_timeout >= settings->jobs_claim_after) {
        (void) snprintf(error, AT_CONF_ERROR_MAX,
                        "%s: \"timeout\" in [egress] must be shorter than "
                        "\"claim_after\" in [jobs]", file);
        feed_settings_free(settings);
        return AT_ERROR;
    }

    missing = (settings->listen[0] == '\0') ? "listen"
              : (settings->redis_address[0] == '\0') ? "address"
              : (settings->egress_socket[0] == '\0') ? "socket"
              : (settings->hash_user_agent[0] == '\0') ? "user_agent" : NULL;

    if (missing) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "%s: \"%s\" is empty", file,
                        missing);
        feed_settings_free(settings);
        return AT_ERROR;
    }

    return AT_OK;
}


void
feed_settings_free(feed_settings_t *settings)
{
    at_conf_free(feed_settings_keys, settings);
}


static const char *
feed_settings_level(const char *value)
{
    return (at_log_level(value) < 0)
           ? "is no level: use debug, info, warn or error" : NULL;
}


static const char *
feed_settings_socket(const char *value)
{
    return (value[0] != '/' || strlen(value) > 107)
           ? "is no path of a socket: write /path, 107 bytes at most" : NULL;
}


static const char *
feed_settings_agent(const char *value)
{
    size_t  i;

    for (i = 0; value[i]; i++) {
        if (value[i] < ' ' || value[i] > '~') {
            return "holds bytes that a header cannot have";
        }
    }

    return NULL;
}


static const char *
feed_settings_query(const char *value)
{
    return (strlen(value) > 300) ? "is longer than 300 bytes" : NULL;
}


static const char *
feed_settings_rule(const char *value)
{
    at_address_rule_t  rule;

    return (at_address_parse(value, &rule) != AT_OK)
           ? "is no address: write 127.0.0.1, 127.0.0.1:8081, 10.0.0.0/8 or "
             "[::1]:8081" : NULL;
}
