/*
 * The settings file of a worker.
 *
 *     # a comment stands on a line of its own
 *     [section]
 *     key = value to the end of the line
 *
 * A worker has a table of the keys it knows; what is not in it, stands twice
 * (but for lists, which are made of lines), is missing, or is out of range is
 * refused with file and line.  So a file that was read is right, and the
 * fields of the caller's structure are filled: at_conf_free() frees them.
 */

#ifndef AT_CONF_H
#define AT_CONF_H


#include "at.h"


/* Times are in ms. */
#define AT_CONF_SECOND     1000LL
#define AT_CONF_MINUTE     (60 * AT_CONF_SECOND)
#define AT_CONF_HOUR       (60 * AT_CONF_MINUTE)
#define AT_CONF_DAY        (24 * AT_CONF_HOUR)

#define AT_CONF_FILE_MAX   (256 * 1024)
#define AT_CONF_LIST_MAX   1000
#define AT_CONF_ERROR_MAX  512


typedef enum {
    AT_CONF_TEXT,               /* char *; never NULL */
    AT_CONF_NUMBER,             /* int64_t */
    AT_CONF_TIME,               /* int64_t, ms: 100ms 5s 10m 2h 30d */
    AT_CONF_SIZE,               /* int64_t, bytes: 512 64k 1m */
    AT_CONF_LIST                /* at_conf_list_t */
} at_conf_type_e;


typedef struct {
    char    **items;
    size_t    n;
} at_conf_list_t;


typedef struct {
    const char      *section;   /* NULL ends the table */
    const char      *name;
    at_conf_type_e   type;
    size_t           offset;
    const char      *preset;    /* as in a file; NULL: the key must be there,
                                   and a text must not be empty */
    int64_t          min;       /* of numbers, times and sizes */
    int64_t          max;

    /* May be NULL.  Returns what is wrong ("is no address: ..."), or NULL. */
    const char    *(*check)(const char *value);
} at_conf_key_t;


/*
 * AT_ERROR: error says what is wrong, as "file:line: a sentence", and nothing
 * has to be freed.
 */
int at_conf_read(const char *file, const at_conf_key_t *keys, void *settings,
    char error[AT_CONF_ERROR_MAX]);
void at_conf_free(const at_conf_key_t *keys, void *settings);

/* The same for a text; file is only its name. */
int at_conf_parse(const char *file, at_str_t text, const at_conf_key_t *keys,
    void *settings, char error[AT_CONF_ERROR_MAX]);


#endif /* AT_CONF_H */
