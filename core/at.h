/*
 * What every room of core/ shares: result codes, counted strings, and the
 * growable byte buffer.
 *
 * core/ is plain C11.  It knows no nginx type, opens no socket and reads no
 * clock; time comes in as an argument.  Memory is malloc's; the header of
 * each room says who frees it.  Functions that can fail return AT_OK or
 * AT_ERROR unless they say otherwise.
 */

#ifndef AT_H
#define AT_H


#include <stddef.h>
#include <stdint.h>


#define AT_OK          0
#define AT_ERROR      (-1)
#define AT_NO_MEMORY  (-2)      /* only where it is said */


/* A counted string; not NUL-terminated, not owned. */
typedef struct {
    size_t       len;
    const char  *data;
} at_str_t;


#define AT_STR(text)  ((at_str_t) { sizeof(text) - 1, (text) })
#define AT_STR_NULL   ((at_str_t) { 0, NULL })


/*
 * A byte buffer that grows by doubling up to max bytes.  Zero-initialise it
 * but for max (0: no bound).  at_buf_free() releases the bytes and leaves an
 * empty buffer with the same max.
 */
typedef struct {
    uint8_t  *data;
    size_t    len;
    size_t    cap;
    size_t    max;
} at_buf_t;


/* AT_ERROR: the bytes would pass max.  Nothing moved, as for AT_NO_MEMORY. */
int at_buf_append(at_buf_t *b, const void *data, size_t len);
int at_buf_append_str(at_buf_t *b, at_str_t s);
int at_buf_printf(at_buf_t *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The digits of n. */
int at_buf_append_number(at_buf_t *b, uint64_t n);

/* Makes room for len more bytes; their use is up to the caller. */
int at_buf_reserve(at_buf_t *b, size_t len);
void at_buf_free(at_buf_t *b);
at_str_t at_buf_str(const at_buf_t *b);

/* Comparison of whole strings; at_str_is() takes a C string. */
int at_str_eq(at_str_t a, at_str_t b);
int at_str_is(at_str_t a, const char *b);

/* The same, ASCII letters compared without case. */
int at_str_ieq(at_str_t a, at_str_t b);


#endif /* AT_H */
