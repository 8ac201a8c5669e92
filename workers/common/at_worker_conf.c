/*
 * The settings that every worker has (see at_worker_conf.h).
 */

#include "at_worker_conf.h"
#include "at_log.h"

#include <string.h>


#define AT_WORKER_SOCKET_MAX  107       /* sizeof(sun_path) - 1 */


void
at_worker_wire(const at_worker_conf_t *conf, at_worker_run_t *run,
    at_redis_settings_t *redis, at_postgres_settings_t *postgres)
{
    run->listen = conf->listen;
    run->log_level = conf->log_level;
    run->stop_timeout = conf->stop_timeout;

    *redis = (at_redis_settings_t) {
        .address = conf->redis_address, .user = conf->redis_user,
        .password_file = conf->redis_password_file, .db = conf->redis_db,
        .timeout = conf->redis_timeout
    };

    *postgres = (at_postgres_settings_t) {
        .conninfo = conf->postgres_conninfo, .timeout = conf->postgres_timeout
    };
}


const char *
at_worker_conf_level(const char *value)
{
    return (at_log_level(value) < 0)
           ? "is no level: use debug, info, warn or error" : NULL;
}


const char *
at_worker_conf_socket(const char *value)
{
    return (value[0] != '/' || strlen(value) > AT_WORKER_SOCKET_MAX)
           ? "is no path of a socket: write /path, 107 bytes at most" : NULL;
}
