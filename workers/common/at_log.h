/*
 * The log of a worker: one JSON object a line on standard error.
 *
 *     at_log(AT_LOG_INFO, "job.done", at_log_str("requestId", id),
 *            at_log_int("ms", ms));
 *
 * Each line is one write(), so those of threads and processes do not mix.
 * Texts may be strangers': whatever they hold, a line stays one line of valid
 * UTF-8, and a long text is cut.  Nothing is kept.
 */

#ifndef AT_LOG_H
#define AT_LOG_H


#include "at.h"


#define AT_LOG_TEXT_MAX  2048       /* bytes of one text */


typedef enum {
    AT_LOG_DEBUG,
    AT_LOG_INFO,
    AT_LOG_WARN,
    AT_LOG_ERROR
} at_log_level_e;


typedef struct {
    const char  *name;              /* camelCase; NULL ends the list */
    at_str_t     text;
    int64_t      number;
    unsigned     is_number:1;
} at_log_field_t;


/* Every field is optional but the first; an empty text is left out. */
#define at_log(level, event, ...)                                             \
    at_log_write(level, event,                                                \
                 (const at_log_field_t[]) { __VA_ARGS__, { .name = NULL } })

void at_log_write(at_log_level_e level, const char *event,
    const at_log_field_t *fields);

/* The name of the program, and what is logged from now on. */
void at_log_init(const char *worker, at_log_level_e level);

/* "debug", "info", "warn", "error"; -1: none of them. */
int at_log_level(const char *name);


static inline at_log_field_t
at_log_str(const char *name, at_str_t text)
{
    return (at_log_field_t) { .name = name, .text = text };
}


static inline at_log_field_t
at_log_int(const char *name, int64_t number)
{
    return (at_log_field_t) { .name = name, .number = number,
                              .is_number = 1 };
}


/* A C string, or NULL. */
at_log_field_t at_log_text(const char *name, const char *text);


#endif /* AT_LOG_H */
