/*
 * The clocks of the workers, in milliseconds, and how times are written.
 */

#ifndef AT_TIME_H
#define AT_TIME_H


#include <stdint.h>


#define AT_TIME_TEXT  sizeof("1970-01-01T00:00:00.000Z")


/* Never goes back, has no meaning outside of this machine. */
int64_t at_time_mono(void);

/* The same clock, in microseconds. */
int64_t at_time_micro(void);

/* Since 1970. */
int64_t at_time_wall(void);

/* RFC 3339, UTC. */
void at_time_text(int64_t wall, char out[AT_TIME_TEXT]);


#endif /* AT_TIME_H */
