/*
 * The settings of atelier-queue: conf/queue.conf is an example of them.
 */

#include "queue.h"
#include "at_probe.h"

#include <stddef.h>
#include <stdio.h>


#define queue_key(section, name, type, field, preset, ...)                    \
    { section, name, type, offsetof(queue_settings_t, field), preset,         \
      __VA_ARGS__ }


static const at_conf_key_t  queue_settings_keys[] = {
    at_worker_keys(queue_settings_t, base, "", NULL),

    queue_key("egress", "socket", AT_CONF_TEXT, egress_socket, NULL,
              0, 0, at_worker_conf_socket),
    queue_key("egress", "timeout", AT_CONF_TIME, egress_timeout, "90s",
              100, 10 * AT_CONF_MINUTE, NULL),

    queue_key("attempts", "parallel", AT_CONF_NUMBER, parallel, "8",
              1, QUEUE_PARALLEL, NULL),
    queue_key("attempts", "lease", AT_CONF_TIME, lease, "2m",
              500, AT_CONF_HOUR, NULL),
    queue_key("attempts", "tries", AT_CONF_NUMBER, tries, "8", 1, 100, NULL),
    queue_key("attempts", "retry", AT_CONF_TIME, retry, "2s",
              10, AT_CONF_HOUR, NULL),
    queue_key("attempts", "retry_max", AT_CONF_TIME, retry_max, "1m",
              10, AT_CONF_DAY, NULL),
    queue_key("attempts", "max_age", AT_CONF_TIME, max_age, "1h",
              AT_CONF_SECOND, 7 * AT_CONF_DAY, NULL),
    queue_key("attempts", "poll", AT_CONF_TIME, poll, "5s",
              10, AT_CONF_MINUTE, NULL),

    queue_key("rows", "keep", AT_CONF_TIME, keep, "30d",
              AT_CONF_SECOND, 3650 * AT_CONF_DAY, NULL),
    { .section = NULL }
};


int
queue_settings_read(const char *file, queue_settings_t *settings,
    char error[AT_CONF_ERROR_MAX])
{
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

    return AT_OK;
}


void
queue_settings_free(queue_settings_t *settings)
{
    at_conf_free(queue_settings_keys, settings);
}
