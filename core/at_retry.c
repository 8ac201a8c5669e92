/*
 * How long a provider wants to be left alone (at_text.h).
 *
 * It says so in a Retry-After header (seconds, a duration, a date) or in a
 * sentence of its error body.  The words are a stranger's: every number
 * saturates, and what comes out is at most one day.  No libc date function
 * is used, as they depend on the locale and the time zone.  Nothing is
 * allocated.
 */

#include <string.h>

#include "at_text.h"


#define AT_RETRY_DAY_MS  (24 * 60 * 60 * 1000LL)
#define AT_RETRY_NANO    1000000000LL

#define at_retry_digit(c)  ((c) >= '0' && (c) <= '9')
#define at_retry_alpha(c)  (((c) | 0x20) >= 'a' && ((c) | 0x20) <= 'z')


/* Text still to be read. */
typedef struct {
    const char  *p;
    const char  *end;
} at_retry_in_t;


typedef struct {
    const char  *name;
    int64_t      ms;
} at_retry_unit_t;


typedef struct {
    int64_t  year;
    int64_t  month;             /* 1..12 */
    int64_t  day;
    int64_t  hour;
    int64_t  minute;
    int64_t  second;
    int64_t  ahead;             /* of UTC, in seconds */
} at_retry_date_t;


static at_str_t at_retry_trim(at_str_t s);
static int64_t at_retry_duration(at_retry_in_t *in);
static int at_retry_number(at_retry_in_t *in, int64_t *whole, int64_t *nano);
static const at_retry_unit_t *at_retry_unit(at_retry_in_t *in);
static void at_retry_skip(at_retry_in_t *in, const char *const *words,
    size_t n);
static void at_retry_blanks(at_retry_in_t *in);
static int at_retry_literal(at_retry_in_t *in, const char *text);
static int at_retry_name(at_retry_in_t *in, const char *const *names,
    size_t n);
static int at_retry_digits(at_retry_in_t *in, size_t n, int64_t *value);
static int at_retry_clock(at_retry_in_t *in, at_retry_date_t *d);
static int at_retry_imf(at_retry_in_t in, at_retry_date_t *d);
static int at_retry_rfc850(at_retry_in_t in, int64_t now,
    at_retry_date_t *d);
static int at_retry_asctime(at_retry_in_t in, at_retry_date_t *d);
static int at_retry_iso(at_retry_in_t in, at_retry_date_t *d);
static int at_retry_zone(at_retry_in_t *in, at_retry_date_t *d);
static int at_retry_date_valid(const at_retry_date_t *d);
static int64_t at_retry_days(int64_t year, int64_t month, int64_t day);


static const at_retry_unit_t  at_retry_seconds = { "", 1000 };

static const at_retry_unit_t  at_retry_units[] = {
    { "ms",           1 },
    { "msec",         1 },
    { "msecs",        1 },
    { "millisecond",  1 },
    { "milliseconds", 1 },
    { "s",            1000 },
    { "sec",          1000 },
    { "secs",         1000 },
    { "second",       1000 },
    { "seconds",      1000 },
    { "m",            60 * 1000 },
    { "min",          60 * 1000 },
    { "mins",         60 * 1000 },
    { "minute",       60 * 1000 },
    { "minutes",      60 * 1000 },
    { "h",            60 * 60 * 1000 },
    { "hr",           60 * 60 * 1000 },
    { "hrs",          60 * 60 * 1000 },
    { "hour",         60 * 60 * 1000 },
    { "hours",        60 * 60 * 1000 },
    { "d",            AT_RETRY_DAY_MS },
    { "day",          AT_RETRY_DAY_MS },
    { "days",         AT_RETRY_DAY_MS }
};


/* What a sentence says right before the duration. */
static const char *const  at_retry_phrases[] = {
    "resets in", "reset in", "again in", "again after", "retry in",
    "retry after", "retry-after", "retrying in", "retrying after",
    "wait", "wait for", "available in"
};


/* What can stand between the phrase and the number. */
static const char *const  at_retry_fillers[] = {
    "~", ":", "at least", "about", "approximately", "another", "for"
};


/* And between two numbers. */
static const char *const  at_retry_joints[] = { ",", "and" };


static const char *const  at_retry_months[] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

static const char *const  at_retry_days_short[] = {
    "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"
};

static const char *const  at_retry_days_long[] = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    "Sunday"
};


int64_t
at_retry_after(at_str_t value, int64_t now)
{
    int64_t          ms, at;
    at_retry_in_t    in;
    at_retry_date_t  d;

    value = at_retry_trim(value);

    if (value.len == 0) {
        return -1;
    }

    in.p = value.data;
    in.end = value.data + value.len;
    d.ahead = 0;

    if (at_retry_digit(*in.p) && at_retry_iso(in, &d) != AT_OK) {
        ms = at_retry_duration(&in);
        return in.p == in.end ? ms : -1;
    }

    if (!at_retry_digit(*value.data)
        && at_retry_imf(in, &d) != AT_OK
        && at_retry_rfc850(in, now, &d) != AT_OK
        && at_retry_asctime(in, &d) != AT_OK)
    {
        return -1;
    }

    at = at_retry_days(d.year, d.month, d.day) * 86400
         + d.hour * 3600 + d.minute * 60 + d.second - d.ahead;

    if (at <= now) {
        return 0;
    }

    /* now may be far below zero: compare before subtracting */

    if (now < at - AT_RETRY_DAY_MS / 1000) {
        return AT_RETRY_DAY_MS;
    }

    return (at - now) * 1000;
}


int64_t
at_retry_after_text(at_str_t text)
{
    size_t         i;
    int64_t        ms;
    const char    *start, *end;
    at_retry_in_t  in;

    if (text.len == 0) {
        return -1;
    }

    end = text.data + text.len;

    for (start = text.data; start < end; start++) {

        /* phrases begin a word: "await 5" is none */

        if (start > text.data && at_retry_alpha(start[-1])) {
            continue;
        }

        for (i = 0; i < sizeof(at_retry_phrases) / sizeof(char *); i++) {
            in.p = start;
            in.end = end;

            if (!at_retry_literal(&in, at_retry_phrases[i])) {
                continue;
            }

            ms = at_retry_duration(&in);
            if (ms >= 0) {
                return ms;
            }
        }
    }

    return -1;
}


static at_str_t
at_retry_trim(at_str_t s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }

    while (s.len > 0
           && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
    {
        s.len--;
    }

    return s;
}


/*
 * Fillers, then numbers with units that get smaller, or one bare number of
 * seconds.  Leaves in behind what was understood; -1 if nothing was.
 */
static int64_t
at_retry_duration(at_retry_in_t *in)
{
    int64_t                 whole, nano, total, last;
    at_retry_in_t           next;
    const at_retry_unit_t  *unit;

    at_retry_skip(in, at_retry_fillers,
                  sizeof(at_retry_fillers) / sizeof(char *));

    /* total is in billionths of a millisecond, so no fraction is lost */

    total = -1;
    last = INT64_MAX;
    next = *in;

    while (at_retry_number(&next, &whole, &nano) == AT_OK) {
        unit = at_retry_unit(&next);

        if (unit == NULL) {
            if (total >= 0) {
                break;
            }

            unit = &at_retry_seconds;
            last = 0;
        }

        if (total >= 0 && unit->ms >= last) {
            break;
        }

        if (whole >= AT_RETRY_DAY_MS / unit->ms) {
            whole = AT_RETRY_DAY_MS / unit->ms;
        }

        total = (total < 0 ? 0 : total) + whole * unit->ms * AT_RETRY_NANO
                + nano * unit->ms;
        *in = next;

        if (last == 0) {
            break;
        }

        last = unit->ms;

        at_retry_skip(&next, at_retry_joints,
                      sizeof(at_retry_joints) / sizeof(char *));
    }

    if (total < 0) {
        return -1;
    }

    total = total / AT_RETRY_NANO + (total % AT_RETRY_NANO != 0);

    return total < AT_RETRY_DAY_MS ? total : AT_RETRY_DAY_MS;
}


/*
 * Digits, and a fraction if a digit follows the dot: the dot of "in 7." ends
 * the sentence.  whole saturates at a billion; nano is rounded up.
 */
static int
at_retry_number(at_retry_in_t *in, int64_t *whole, int64_t *nano)
{
    int      rest;
    int64_t  unit;

    if (in->p == in->end || !at_retry_digit(*in->p)) {
        return AT_ERROR;
    }

    *whole = 0;
    *nano = 0;

    for ( /* void */ ; in->p < in->end && at_retry_digit(*in->p); in->p++) {
        if (*whole < AT_RETRY_NANO) {
            *whole = *whole * 10 + (*in->p - '0');
        }
    }

    if (in->end - in->p < 2 || in->p[0] != '.' || !at_retry_digit(in->p[1])) {
        return AT_OK;
    }

    rest = 0;
    unit = AT_RETRY_NANO / 10;

    for (in->p++; in->p < in->end && at_retry_digit(*in->p); in->p++) {
        *nano += (*in->p - '0') * unit;
        rest |= (unit == 0 && *in->p != '0');
        unit /= 10;
    }

    *nano += rest;

    return AT_OK;
}


/* The unit that follows a number; NULL, and nothing read, if none does. */
static const at_retry_unit_t *
at_retry_unit(at_retry_in_t *in)
{
    size_t         i;
    at_str_t       word, name;
    at_retry_in_t  next;

    next = *in;
    at_retry_blanks(&next);

    word.data = next.p;

    while (next.p < next.end && at_retry_alpha(*next.p)) {
        next.p++;
    }

    word.len = (size_t) (next.p - word.data);

    for (i = 0; i < sizeof(at_retry_units) / sizeof(at_retry_unit_t); i++) {
        name.data = at_retry_units[i].name;
        name.len = strlen(name.data);

        if (at_str_ieq(word, name)) {
            *in = next;
            return &at_retry_units[i];
        }
    }

    return NULL;
}


/* Each of the words once, in their order, and the blanks around them. */
static void
at_retry_skip(at_retry_in_t *in, const char *const *words, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        at_retry_blanks(in);
        (void) at_retry_literal(in, words[i]);
    }

    at_retry_blanks(in);
}


static void
at_retry_blanks(at_retry_in_t *in)
{
    while (in->p < in->end && (*in->p == ' ' || *in->p == '\t')) {
        in->p++;
    }
}


/* 1, and reads it, if text comes next, letters in any case. */
static int
at_retry_literal(at_retry_in_t *in, const char *text)
{
    at_str_t  a, b;

    b.data = text;
    b.len = strlen(text);

    if ((size_t) (in->end - in->p) < b.len) {
        return 0;
    }

    a.data = in->p;
    a.len = b.len;

    if (!at_str_ieq(a, b)) {
        return 0;
    }

    in->p += b.len;

    return 1;
}


/* The index of the name that comes next, or -1. */
static int
at_retry_name(at_retry_in_t *in, const char *const *names, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (at_retry_literal(in, names[i])) {
            return (int) i;
        }
    }

    return -1;
}


/* Exactly n digits. */
static int
at_retry_digits(at_retry_in_t *in, size_t n, int64_t *value)
{
    *value = 0;

    while (n--) {
        if (in->p == in->end || !at_retry_digit(*in->p)) {
            return AT_ERROR;
        }

        *value = *value * 10 + (*in->p++ - '0');
    }

    return AT_OK;
}


/* " 08:49:37 " */
static int
at_retry_clock(at_retry_in_t *in, at_retry_date_t *d)
{
    if (at_retry_literal(in, " ")
        && at_retry_digits(in, 2, &d->hour) == AT_OK
        && at_retry_literal(in, ":")
        && at_retry_digits(in, 2, &d->minute) == AT_OK
        && at_retry_literal(in, ":")
        && at_retry_digits(in, 2, &d->second) == AT_OK
        && at_retry_literal(in, " "))
    {
        return AT_OK;
    }

    return AT_ERROR;
}


/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static int
at_retry_imf(at_retry_in_t in, at_retry_date_t *d)
{
    if (at_retry_name(&in, at_retry_days_short, 7) < 0
        || !at_retry_literal(&in, ", ")
        || at_retry_digits(&in, 2, &d->day) != AT_OK
        || !at_retry_literal(&in, " "))
    {
        return AT_ERROR;
    }

    d->month = at_retry_name(&in, at_retry_months, 12) + 1;

    if (!at_retry_literal(&in, " ")
        || at_retry_digits(&in, 4, &d->year) != AT_OK
        || at_retry_clock(&in, d) != AT_OK
        || !at_retry_literal(&in, "GMT")
        || in.p != in.end)
    {
        return AT_ERROR;
    }

    return at_retry_date_valid(d);
}


/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static int
at_retry_rfc850(at_retry_in_t in, int64_t now, at_retry_date_t *d)
{
    int64_t  days, year;

    if (at_retry_name(&in, at_retry_days_long, 7) < 0
        || !at_retry_literal(&in, ", ")
        || at_retry_digits(&in, 2, &d->day) != AT_OK
        || !at_retry_literal(&in, "-"))
    {
        return AT_ERROR;
    }

    d->month = at_retry_name(&in, at_retry_months, 12) + 1;

    if (!at_retry_literal(&in, "-")
        || at_retry_digits(&in, 2, &d->year) != AT_OK
        || at_retry_clock(&in, d) != AT_OK
        || !at_retry_literal(&in, "GMT")
        || in.p != in.end)
    {
        return AT_ERROR;
    }

    /*
     * RFC 9110: a year that seems more than 50 years ahead is the latest
     * past year with these digits.  The mean year is exact enough to know
     * the century of now.
     */

    days = now / 86400;
    year = 1970 + days * 400 / 146097;

    d->year += year - year % 100;

    if (d->year > year + 50) {
        d->year -= 100;

    } else if (d->year <= year - 50) {
        d->year += 100;
    }

    return at_retry_date_valid(d);
}


/* "Sun Nov  6 08:49:37 1994" */
static int
at_retry_asctime(at_retry_in_t in, at_retry_date_t *d)
{
    if (at_retry_name(&in, at_retry_days_short, 7) < 0
        || !at_retry_literal(&in, " "))
    {
        return AT_ERROR;
    }

    d->month = at_retry_name(&in, at_retry_months, 12) + 1;

    if (!at_retry_literal(&in, " ")
        || at_retry_digits(&in, at_retry_literal(&in, " ") ? 1 : 2, &d->day)
           != AT_OK
        || at_retry_clock(&in, d) != AT_OK
        || at_retry_digits(&in, 4, &d->year) != AT_OK
        || in.p != in.end)
    {
        return AT_ERROR;
    }

    return at_retry_date_valid(d);
}


/* "1994-11-06T08:49:37.125Z", "1994-11-06 09:49:37+01:00" */
static int
at_retry_iso(at_retry_in_t in, at_retry_date_t *d)
{
    if (at_retry_digits(&in, 4, &d->year) != AT_OK
        || !at_retry_literal(&in, "-")
        || at_retry_digits(&in, 2, &d->month) != AT_OK
        || !at_retry_literal(&in, "-")
        || at_retry_digits(&in, 2, &d->day) != AT_OK
        || (!at_retry_literal(&in, "T") && !at_retry_literal(&in, " "))
        || at_retry_digits(&in, 2, &d->hour) != AT_OK
        || !at_retry_literal(&in, ":")
        || at_retry_digits(&in, 2, &d->minute) != AT_OK
        || !at_retry_literal(&in, ":")
        || at_retry_digits(&in, 2, &d->second) != AT_OK
        || at_retry_zone(&in, d) != AT_OK
        || in.p != in.end)
    {
        return AT_ERROR;
    }

    return at_retry_date_valid(d);
}


/* ".125Z", "Z", "+01:00", or nothing, which is taken for UTC. */
static int
at_retry_zone(at_retry_in_t *in, at_retry_date_t *d)
{
    int      west;
    int64_t  hours, minutes;

    if (at_retry_literal(in, ".")) {
        while (in->p < in->end && at_retry_digit(*in->p)) {
            in->p++;
        }
    }

    if (in->p == in->end || at_retry_literal(in, "Z")) {
        return AT_OK;
    }

    west = at_retry_literal(in, "-");

    if ((!west && !at_retry_literal(in, "+"))
        || at_retry_digits(in, 2, &hours) != AT_OK
        || !at_retry_literal(in, ":")
        || at_retry_digits(in, 2, &minutes) != AT_OK)
    {
        return AT_ERROR;
    }

    d->ahead = (hours * 3600 + minutes * 60) * (west ? -1 : 1);

    return AT_OK;
}


static int
at_retry_date_valid(const at_retry_date_t *d)
{
    int                  leap;
    static const int8_t  days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    if (d->month < 1 || d->month > 12) {
        return AT_ERROR;
    }

    leap = d->month == 2
           && d->year % 4 == 0 && (d->year % 100 != 0 || d->year % 400 == 0);

    if (d->day < 1 || d->day > days[d->month - 1] + leap
        || d->hour > 23 || d->minute > 59 || d->second > 60)
    {
        return AT_ERROR;
    }

    return AT_OK;
}


/*
 * Days from 1970-01-01 to a date of the Gregorian calendar.  The year is
 * counted from March, so that the leap day is its last.
 */
static int64_t
at_retry_days(int64_t year, int64_t month, int64_t day)
{
    if (month <= 2) {
        year--;
        month += 12;
    }

    return 365 * year + year / 4 - year / 100 + year / 400
           + (153 * (month - 3) + 2) / 5 + day - 719469;
}
