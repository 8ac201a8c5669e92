/*
 * Settings of those who look at shops (see at_look.h).
 */

#include "at_look.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>


#define AT_LOOK_WIRE   (4 * 1024 * 1024)
#define AT_LOOK_RATIO  100


int
at_look_wire(at_look_wire_t *w, const at_look_conf_t *conf,
    const at_redis_settings_t *redis)
{
    memset(w, 0, sizeof(at_look_wire_t));

    if (at_address_list(&w->allow, conf->allow_address.items,
                        conf->allow_address.n)
        != AT_OK)
    {
        return AT_ERROR;
    }

    w->crawl = (at_crawl_settings_t) {
        .fetch = {
            .user_agent = conf->agent, .allow = &w->allow,
            .timeout = conf->timeout, .connect = conf->connect,
            .wire = AT_LOOK_WIRE, .bytes = AT_SHOP_BODY_MAX,
            .ratio = AT_LOOK_RATIO, .parallel = (unsigned) conf->parallel,
            .compressed = 1
        },
        .pace = {
            .redis = redis, .share = (unsigned) conf->share,
            .wall_least = conf->wall_least * 1000,
            .wall_most = conf->wall_most * 1000
        },
        .agent = conf->agent,
        .user_agents = (const char *const *) conf->user_agents.items,
        .nuser_agents = conf->user_agents.n,
        .proxies = (const char *const *) conf->proxies.items,
        .nproxies = conf->proxies.n,
        .retries = (unsigned) conf->retries, .backoff = conf->backoff,
        .redirects = (unsigned) conf->redirects
    };

    return AT_OK;
}


void
at_look_unwire(at_look_wire_t *w)
{
    free(w->allow.rules);
    memset(w, 0, sizeof(at_look_wire_t));
}


const char *
at_look_conf_agent(const char *value)
{
    size_t  i;

    for (i = 0; value[i]; i++) {
        if (value[i] < ' ' || value[i] > '~') {
            return "holds bytes that a header cannot have";
        }
    }

    return i ? NULL : "is empty: write a name, and an address of whom to ask";
}


/* What libcurl would take otherwise is a name of a host, and a surprise. */

const char *
at_look_conf_proxy(const char *value)
{
    size_t  i, len;

    static const char *const  schemes[] = {
        "http://", "https://", "socks5://", "socks5h://"
    };

    for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        len = strlen(schemes[i]);

        if (strncasecmp(value, schemes[i], len) == 0 && value[len]
            && at_look_conf_agent(value) == NULL
            && strchr(value, ' ') == NULL)
        {
            return NULL;
        }
    }

    return "is no proxy: write http://, https:// or socks5://, and where it "
           "is, as in http://10.0.0.9:3128";
}
