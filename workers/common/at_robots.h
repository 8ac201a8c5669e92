/*
 * robots.txt by RFC 9309: what a host asks a robot to leave alone.
 *
 * The groups that name the robot count, all of them together; if there are
 * none, those of "*".  Of the rules that match a path the longest decides,
 * between equals the one that allows.  "Crawl-delay", which is not of the
 * RFC, is read too.
 *
 * The text is a stranger's: 500 kB of it are read, and where a bound is met
 * the answer is the stricter one.  Pure; fuzzed.
 */

#ifndef AT_ROBOTS_H
#define AT_ROBOTS_H


#include "at.h"


#define AT_ROBOTS_MAX       (500 * 1024)    /* bytes that are read */
#define AT_ROBOTS_PATH_MAX  2048            /* of a rule; it is cut there */


typedef struct {
    uint32_t  at;               /* its text in at_robots_t.text */
    uint16_t  len;
    uint8_t   allow;
    uint8_t   whole;            /* it ended in "$" */
} at_robots_rule_t;


typedef struct {
    at_robots_rule_t  *rules;
    size_t             n;
    at_buf_t           text;
    int64_t            delay;   /* ms; 0: none was asked for */
} at_robots_t;


/*
 * Reads what text says to the robot called agent, letters, "-" and "_", whose
 * case does not count.  AT_NO_MEMORY: out is empty.
 */
int at_robots_parse(at_str_t text, at_str_t agent, at_robots_t *out);
void at_robots_free(at_robots_t *r);

/*
 * 1: may be fetched.  path begins with "/" and goes on to the end of the query.
 * /robots.txt itself always may.
 */
int at_robots_allowed(const at_robots_t *r, at_str_t path);


/* The letters, "-" and "_" that a user agent begins with: its name here. */
at_str_t at_robots_agent(at_str_t user_agent);


#endif /* AT_ROBOTS_H */
