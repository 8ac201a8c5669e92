/*
 * The settings of atelier-relay: conf/relay.conf is an example of them.
 */

#include "relay.h"

#include <stddef.h>


#define relay_key(section, name, type, field, preset, ...)                    \
    { section, name, type, offsetof(relay_settings_t, field), preset,         \
      __VA_ARGS__ }


static const at_conf_key_t  relay_settings_keys[] = {
    at_worker_keys(relay_settings_t, base, NULL, NULL),

    relay_key("relay", "batch", AT_CONF_NUMBER, batch, "1000",
              1, RELAY_BATCH, NULL),
    relay_key("relay", "poll", AT_CONF_TIME, poll, "500ms",
              10, AT_CONF_MINUTE, NULL),

    relay_key("messages", "keep", AT_CONF_TIME, keep, "1d",
              AT_CONF_SECOND, 365 * AT_CONF_DAY, NULL),
    relay_key("messages", "purge_every", AT_CONF_TIME, purge_every, "1m",
              100, AT_CONF_DAY, NULL),
    { .section = NULL }
};


int
relay_settings_read(const char *file, relay_settings_t *settings,
    char error[AT_CONF_ERROR_MAX])
{
    return at_conf_read(file, relay_settings_keys, settings, error);
}


void
relay_settings_free(relay_settings_t *settings)
{
    at_conf_free(relay_settings_keys, settings);
}
