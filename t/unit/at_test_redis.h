/*
 * A redis-server of a test's own, on a Unix socket in a folder of its own.
 * NULL from at_test_redis_start(): none can be started.
 */

#ifndef AT_TEST_REDIS_H
#define AT_TEST_REDIS_H


#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "at_redis.h"
#include "at_time.h"


typedef struct {
    char                 dir[32];
    char                 address[64];
    pid_t                pid;
    at_redis_settings_t  settings;
} at_test_redis_t;


/* Waits until it answers. */

static inline int
at_test_redis_run(at_test_redis_t *r)
{
    int          up;
    int64_t      end;
    at_redis_t  *c;
    redisReply  *reply;

    r->pid = fork();

    if (r->pid == 0) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);

        if (freopen("/dev/null", "w", stdout) == NULL
            || dup2(1, 2) == -1)
        {
            _exit(127);
        }

        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket",
               r->address + 5, "--save", "", "--appendonly", "no", "--dir",
               r->dir, (char *) NULL);
        _exit(127);
    }

    end = at_time_mono() + 20000;
    up = 0;

    while (!up && at_time_mono() < end) {
        if (access(r->address + 5, F_OK) != 0) {
            (void) usleep(5000);
            continue;
        }

        c = at_redis_create(&r->settings);
        reply = c ? at_redis_call(c, "PING") : NULL;
        up = (reply != NULL);
        freeReplyObject(reply);
        at_redis_free(c);
    }

    return up ? AT_OK : AT_ERROR;
}


static inline int
at_test_redis_start(at_test_redis_t *r)
{
    memset(r, 0, sizeof(at_test_redis_t));
    (void) snprintf(r->dir, sizeof(r->dir), "/tmp/at-redis-XXXXXX");

    if (mkdtemp(r->dir) == NULL) {
        return AT_ERROR;
    }

    (void) snprintf(r->address, sizeof(r->address), "unix:%s/s", r->dir);
    r->settings = (at_redis_settings_t) {
        .address = r->address, .user = "", .password_file = "",
        .timeout = 5000
    };

    return at_test_redis_run(r);
}


/* As a crash would end it; it may be run again. */

static inline void
at_test_redis_kill(at_test_redis_t *r)
{
    if (r->pid > 0) {
        (void) kill(r->pid, SIGKILL);
        (void) waitpid(r->pid, NULL, 0);
        (void) unlink(r->address + 5);
        r->pid = 0;
    }
}


static inline void
at_test_redis_end(at_test_redis_t *r)
{
    at_test_redis_kill(r);
    (void) rmdir(r->dir);
}


#endif /* AT_TEST_REDIS_H */
