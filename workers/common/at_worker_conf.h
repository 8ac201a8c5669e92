/*
 * The settings that every worker has: sections [worker], [redis] and
 * [postgres].
 *
 * The settings of a worker hold an at_worker_conf_t, and its table of keys
 * has at_worker_keys() among its lines; at_worker_wire() makes of it what the
 * rooms of workers/common/ want.  Its texts are freed with the table.
 */

#ifndef AT_WORKER_CONF_H
#define AT_WORKER_CONF_H


#include "at_conf.h"
#include "at_postgres.h"
#include "at_redis.h"
#include "at_worker.h"

#include <stddef.h>


typedef struct {
    char     *listen;
    char     *log_level;
    int64_t   stop_timeout;

    char     *redis_address;            /* may be "" if preset as that */
    char     *redis_user;
    char     *redis_password_file;
    int64_t   redis_db;
    int64_t   redis_timeout;

    char     *postgres_conninfo;        /* as redis_address */
    int64_t   postgres_timeout;
} at_worker_conf_t;


/*
 * Lines of a table of at_conf_key_t; member is an at_worker_conf_t of type.
 * redis and postgres are presets: "" for a worker that can do without, or
 * NULL.
 */
#define at_worker_keys(type, member, redis, postgres)                         \
    { "worker", "listen", AT_CONF_TEXT, offsetof(type, member.listen),        \
      NULL, 0, 0, at_probe_check },                                           \
    { "worker", "log_level", AT_CONF_TEXT, offsetof(type, member.log_level),  \
      "info", 0, 0, at_worker_conf_level },                                   \
    { "worker", "stop_timeout", AT_CONF_TIME,                                 \
      offsetof(type, member.stop_timeout), "15s", AT_CONF_SECOND,             \
      10 * AT_CONF_MINUTE, NULL },                                            \
    { "redis", "address", AT_CONF_TEXT, offsetof(type, member.redis_address), \
      redis, 0, 0, at_redis_check },                                          \
    { "redis", "user", AT_CONF_TEXT, offsetof(type, member.redis_user), "",   \
      0, 0, NULL },                                                           \
    { "redis", "password_file", AT_CONF_TEXT,                                 \
      offsetof(type, member.redis_password_file), "", 0, 0, NULL },           \
    { "redis", "db", AT_CONF_NUMBER, offsetof(type, member.redis_db), "0",    \
      0, 1000000, NULL },                                                     \
    { "redis", "timeout", AT_CONF_TIME, offsetof(type, member.redis_timeout), \
      "2s", 10, AT_CONF_MINUTE, NULL },                                       \
    { "postgres", "conninfo", AT_CONF_TEXT,                                   \
      offsetof(type, member.postgres_conninfo), postgres, 0, 0,               \
      at_postgres_check },                                                    \
    { "postgres", "timeout", AT_CONF_TIME,                                    \
      offsetof(type, member.postgres_timeout), "5s", 100,                    \
      10 * AT_CONF_MINUTE, NULL }


/* Sets what is of conf, which must outlive all three, and zeroes the rest. */
void at_worker_wire(const at_worker_conf_t *conf, at_worker_run_t *run,
    at_redis_settings_t *redis, at_postgres_settings_t *postgres);

/* What is wrong with a value, or NULL: for tables of keys. */
const char *at_worker_conf_level(const char *value);
const char *at_worker_conf_socket(const char *value);


#endif /* AT_WORKER_CONF_H */
