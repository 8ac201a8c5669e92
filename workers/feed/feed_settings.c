/*
 * The settings of atelier-feed: conf/feed.conf is an example of them.
 */

#include "feed.h"
#include "at_probe.h"

#include <stddef.h>
#include <stdio.h>


#define feed_key(section, name, type, field, preset, ...)                     \
    { section, name, type, offsetof(feed_settings_t, field), preset,          \
      __VA_ARGS__ }


static const char *feed_settings_agent(const char *value);
static const char *feed_settings_query(const char *value);


static const at_conf_key_t  feed_settings_keys[] = {
    at_worker_keys(feed_settings_t, base, NULL, ""),

    feed_key("egress", "socket", AT_CONF_TEXT, egress_socket, NULL,
             0, 0, at_worker_conf_socket),
    feed_key("egress", "timeout", AT_CONF_TIME, egress_timeout, "10s",
             100, 10 * AT_CONF_MINUTE, NULL),

    feed_key("jobs", "threads", AT_CONF_NUMBER, jobs_threads, "4", 1, 32,
             NULL),
    feed_key("jobs", "claim_after", AT_CONF_TIME, jobs_claim_after, "1m",
             500, AT_CONF_HOUR, NULL),
    feed_key("jobs", "attempts", AT_CONF_NUMBER, jobs_attempts, "8", 1, 100,
             NULL),
    feed_key("jobs", "ahead", AT_CONF_NUMBER, jobs_ahead, "3", 0, 6, NULL),

    feed_key("warm", "query", AT_CONF_LIST, warm_query, "",
             0, 0, feed_settings_query),
    feed_key("warm", "every", AT_CONF_TIME, warm_every, "10m",
             AT_CONF_SECOND, 24 * AT_CONF_HOUR, NULL),

    feed_key("hash", "scan", AT_CONF_TIME, hash_scan, "10s",
             100, AT_CONF_HOUR, NULL),
    feed_key("hash", "parallel", AT_CONF_NUMBER, hash_parallel, "8", 1, 64,
             NULL),
    feed_key("hash", "per_host", AT_CONF_NUMBER, hash_per_host, "1", 1, 64,
             NULL),
    feed_key("hash", "timeout", AT_CONF_TIME, hash_timeout, "5s",
             100, AT_CONF_MINUTE, NULL),
    feed_key("hash", "user_agent", AT_CONF_TEXT, hash_user_agent, NULL,
             0, 0, feed_settings_agent),
    feed_key("hash", "allow_address", AT_CONF_LIST, hash_allow_address, "",
             0, 0, at_address_check),
    { .section = NULL }
};


int
feed_settings_read(const char *file, feed_settings_t *settings,
    char error[AT_CONF_ERROR_MAX])
{
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

    return AT_OK;
}


void
feed_settings_free(feed_settings_t *settings)
{
    at_conf_free(feed_settings_keys, settings);
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
