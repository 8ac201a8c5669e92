/*
 * Lines of the log (see at_log.h).
 *
 * at_log_init() is called before there are threads, and again when settings
 * were read anew; the level is atomic, the name never changes.
 */

#include "at_log.h"
#include "at_json.h"
#include "at_time.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>


static const char *const  at_log_names[] = { "debug", "info", "warn",
                                             "error" };
static const char        *at_log_worker = "atelier";
static atomic_int         at_log_least = AT_LOG_INFO;


void
at_log_init(const char *worker, at_log_level_e level)
{
    at_log_worker = worker;
    at_log_least = (int) level;
}


int
at_log_level(const char *name)
{
    int  i;

    for (i = AT_LOG_DEBUG; i <= AT_LOG_ERROR; i++) {
        if (strcmp(name, at_log_names[i]) == 0) {
            return i;
        }
    }

    return -1;
}


at_log_field_t
at_log_text(const char *name, const char *text)
{
    return at_log_str(name, (at_str_t) { text ? strlen(text) : 0, text });
}


void
at_log_write(at_log_level_e level, const char *event,
    const at_log_field_t *fields)
{
    int         rc;
    char        now[AT_TIME_TEXT];
    ssize_t     n;
    at_buf_t    line = { .max = 32768 };
    at_str_t    text;

    if ((int) level < at_log_least) {
        return;
    }

    at_time_text(at_time_wall(), now);

    rc = at_buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\","
                              "\"worker\":\"%s\",\"pid\":%ld,\"event\":\"%s\"",
                       now, at_log_names[level], at_log_worker,
                       (long) getpid(), event);

    for ( /* void */ ; fields->name && rc == AT_OK; fields++) {
        if (fields->is_number) {
            rc = at_buf_printf(&line, ",\"%s\":%lld", fields->name,
                               (long long) fields->number);
            continue;
        }

        text = fields->text;

        if (text.len == 0) {
            continue;
        }

        if (text.len > AT_LOG_TEXT_MAX) {
            text.len = AT_LOG_TEXT_MAX;
        }

        rc = at_buf_printf(&line, ",\"%s\":", fields->name);
        rc |= at_json_write_string(&line, text);
    }

    rc |= at_buf_append_str(&line, AT_STR("}\n"));

    /* without memory a short line is better than none */

    if (rc == AT_OK) {
        n = write(STDERR_FILENO, line.data, line.len);

    } else {
        n = dprintf(STDERR_FILENO, "{\"time\":\"%s\",\"event\":\"%s\","
                                   "\"cut\":true}\n", now, event);
    }

    /* a log that cannot be written has nowhere to be complained of */

    (void) n;
    at_buf_free(&line);
}
