/*
 * What a worker tells those who watch it, over HTTP: /health/live,
 * /health/ready and /metrics, on a Unix socket or a port of this machine.
 *
 * A thread of its own answers.  It calls the worker's two functions, which
 * only read what is atomic or theirs.
 */

#ifndef AT_PROBE_H
#define AT_PROBE_H


#include "at.h"


typedef struct {
    /* Appends JSON; 1: ready. */
    int  (*ready)(at_buf_t *b);

    /* Appends the text format of Prometheus. */
    int  (*metrics)(at_buf_t *b);
} at_probe_handler_t;


typedef struct at_probe_s  at_probe_t;


/*
 * listen: unix:/path, 127.0.0.1:port or [::1]:port.  NULL: error is filled.
 * handler must outlive it.
 */
at_probe_t *at_probe_create(const char *listen,
    const at_probe_handler_t *handler, char *error, size_t size);
void at_probe_free(at_probe_t *probe);

/* NULL, or what is wrong with an address of the settings. */
const char *at_probe_check(const char *listen);


#endif /* AT_PROBE_H */
