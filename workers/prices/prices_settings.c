/*
 * The settings of atelier-prices: conf/prices.conf is an example of them.
 */

#include "prices.h"

#include <stddef.h>
#include <stdio.h>


#define prices_key(section, name, type, field, preset, ...)                   \
    { section, name, type, offsetof(prices_settings_t, field), preset,        \
      __VA_ARGS__ }


static const at_conf_key_t  prices_settings_keys[] = {
    at_worker_keys(prices_settings_t, base, "", NULL),

    at_look_keys(prices_settings_t, look),

    prices_key("looks", "usual", AT_CONF_TIME, usual, "3h",
               10, 30 * AT_CONF_DAY, NULL),
    prices_key("looks", "change", AT_CONF_TIME, change, "1d",
               AT_CONF_SECOND, 365 * AT_CONF_DAY, NULL),
    prices_key("looks", "least", AT_CONF_TIME, least, "10m",
               10, 30 * AT_CONF_DAY, NULL),
    prices_key("looks", "most", AT_CONF_TIME, most, "3d",
               10, 365 * AT_CONF_DAY, NULL),
    prices_key("looks", "watched", AT_CONF_TIME, watched, "1m",
               10, AT_CONF_DAY, NULL),
    prices_key("looks", "retry", AT_CONF_TIME, retry, "5m",
               10, AT_CONF_DAY, NULL),
    prices_key("looks", "retry_most", AT_CONF_TIME, retry_most, "1d",
               10, 30 * AT_CONF_DAY, NULL),
    prices_key("looks", "gone", AT_CONF_TIME, gone, "6h",
               10, 30 * AT_CONF_DAY, NULL),
    prices_key("looks", "gone_most", AT_CONF_TIME, gone_most, "7d",
               10, 365 * AT_CONF_DAY, NULL),
    prices_key("looks", "doubt", AT_CONF_TIME, doubt, "30s",
               10, AT_CONF_DAY, NULL),
    prices_key("looks", "large", AT_CONF_NUMBER, large, "30", 1, 1000000,
               NULL),
    prices_key("looks", "lease", AT_CONF_TIME, lease, "2m",
               100, AT_CONF_DAY, NULL),
    prices_key("looks", "ahead", AT_CONF_NUMBER, ahead, "4", 1, 1000, NULL),
    prices_key("looks", "poll", AT_CONF_TIME, poll, "1s",
               10, AT_CONF_MINUTE, NULL),

    prices_key("sweeps", "least", AT_CONF_NUMBER, sweep_least, "4",
               0, PRICES_CARDS, NULL),
    prices_key("sweeps", "early", AT_CONF_TIME, sweep_early, "10m",
               0, AT_CONF_DAY, NULL),
    prices_key("sweeps", "every", AT_CONF_TIME, sweep_every, "10s",
               10, AT_CONF_DAY, NULL),

    prices_key("history", "thin_every", AT_CONF_TIME, thin_every, "1d",
               100, 365 * AT_CONF_DAY, NULL),
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

    wrong = (settings->least > settings->most)
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
