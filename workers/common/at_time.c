/*
 * The clocks of the workers (see at_time.h).
 */

#include "at_time.h"

#include <stdio.h>
#include <time.h>


static int64_t
at_time_of(clockid_t clock)
{
    struct timespec  ts;

    (void) clock_gettime(clock, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


int64_t
at_time_mono(void)
{
    return at_time_of(CLOCK_MONOTONIC) / 1000;
}


int64_t
at_time_micro(void)
{
    return at_time_of(CLOCK_MONOTONIC);
}


int64_t
at_time_wall(void)
{
    return at_time_of(CLOCK_REALTIME) / 1000;
}


void
at_time_text(int64_t wall, char out[AT_TIME_TEXT])
{
    size_t     n;
    time_t     seconds;
    struct tm  tm;

    seconds = (time_t) (wall / 1000);
    (void) gmtime_r(&seconds, &tm);

    n = strftime(out, AT_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
    (void) snprintf(out + n, AT_TIME_TEXT - n, ".%03uZ",
                    (unsigned) (wall % 1000));
}
