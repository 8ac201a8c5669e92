/*
 * robots.txt (see at_robots.h).
 *
 * Rules and paths are compared in one spelling: what needs no percent sign
 * has none, all else has one with capital digits.  A star and a dollar of a
 * path have one too, so that they are told from those of a rule.
 */

#include "at_robots.h"
#include "at_args.h"

#include <stdlib.h>
#include <string.h>


#define AT_ROBOTS_STEPS  (8 * 1024 * 1024)  /* of one question */
#define AT_ROBOTS_DELAY  86400000           /* ms */


/* Whom the lines that are read are for. */
typedef enum {
    AT_ROBOTS_OTHERS = 0,
    AT_ROBOTS_ALL = 1,          /* "*" */
    AT_ROBOTS_US = 2
} at_robots_whom_e;


typedef struct {
    at_str_t      agent;
    at_robots_t   sets[2];      /* for all, for us */
    size_t        caps[2];
    unsigned      whom;
    unsigned      named:1;      /* there was a group for us */
    unsigned      naming:1;     /* the last rule-like line was a user agent */
} at_robots_parser_t;


static int at_robots_line(at_robots_parser_t *p, at_str_t line);
static void at_robots_user_agent(at_robots_parser_t *p, at_str_t value);
static int at_robots_rule(at_robots_parser_t *p, at_str_t value, int allow);
static int at_robots_add(at_robots_parser_t *p, unsigned set, at_str_t text,
    int allow, int whole);
static void at_robots_delay(at_robots_parser_t *p, at_str_t value);
static at_str_t at_robots_trim(at_str_t s);
static size_t at_robots_spell(at_str_t s, int rule, char *out, size_t size,
    int *cut);
static int at_robots_match(at_str_t rule, int whole, at_str_t path,
    size_t *steps);


int
at_robots_parse(at_str_t text, at_str_t agent, at_robots_t *out)
{
    int                  rc;
    size_t               i;
    at_str_t             line;
    at_robots_parser_t   p;

    memset(&p, 0, sizeof(at_robots_parser_t));
    p.agent = agent;

    if (text.len > AT_ROBOTS_MAX) {
        text.len = AT_ROBOTS_MAX;
    }

    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) {
        text.data += 3;
        text.len -= 3;
    }

    rc = AT_OK;

    while (text.len > 0 && rc == AT_OK) {
        for (i = 0; i < text.len; i++) {
            if (text.data[i] == '\n' || text.data[i] == '\r') {
                break;
            }
        }

        line = (at_str_t) { i, text.data };
        rc = at_robots_line(&p, line);

        i += (i < text.len);
        text.data += i;
        text.len -= i;
    }

    if (rc != AT_OK) {
        at_robots_free(&p.sets[0]);
        at_robots_free(&p.sets[1]);
        memset(out, 0, sizeof(at_robots_t));
        return AT_NO_MEMORY;
    }

    *out = p.sets[p.named];
    at_robots_free(&p.sets[!p.named]);

    return AT_OK;
}


void
at_robots_free(at_robots_t *r)
{
    free(r->rules);
    at_buf_free(&r->text);
    memset(r, 0, sizeof(at_robots_t));
}


int
at_robots_allowed(const at_robots_t *r, at_str_t path)
{
    int                      allowed, cut;
    char                     spelt[AT_ROBOTS_PATH_MAX * 3];
    size_t                   i, best, steps;
    at_str_t                 rule;
    const at_robots_rule_t  *this;

    if (at_str_is(path, "/robots.txt")) {
        return 1;
    }

    if (path.len > AT_ROBOTS_PATH_MAX) {
        return r->n == 0;
    }

    path.len = at_robots_spell(path, 0, spelt, sizeof(spelt), &cut);
    path.data = spelt;

    allowed = 1;
    best = 0;
    steps = AT_ROBOTS_STEPS;

    for (i = 0; i < r->n; i++) {
        this = &r->rules[i];

        if (this->len + (size_t) this->whole < best
            || (this->len + (size_t) this->whole == best && !this->allow))
        {
            continue;
        }

        rule = (at_str_t) { this->len,
                            (const char *) r->text.data + this->at };

        if (at_robots_match(rule, this->whole, path, &steps)) {
            best = this->len + (size_t) this->whole;
            allowed = this->allow;
        }

        if (steps == 0) {
            return 0;
        }
    }

    return allowed;
}


at_str_t
at_robots_agent(at_str_t user_agent)
{
    size_t  i;
    int     c;

    for (i = 0; i < user_agent.len; i++) {
        c = user_agent.data[i] | 0x20;

        if (!(c >= 'a' && c <= 'z') && user_agent.data[i] != '-'
            && user_agent.data[i] != '_')
        {
            break;
        }
    }

    return (at_str_t) { i, user_agent.data };
}


static int
at_robots_line(at_robots_parser_t *p, at_str_t line)
{
    at_str_t     key, value;
    const char  *end;

    end = line.len ? memchr(line.data, '#', line.len) : NULL;

    if (end) {
        line.len = (size_t) (end - line.data);
    }

    end = line.len ? memchr(line.data, ':', line.len) : NULL;

    if (end == NULL) {
        return AT_OK;
    }

    key = (at_str_t) { (size_t) (end - line.data), line.data };
    value = (at_str_t) { line.len - key.len - 1, end + 1 };
    key = at_robots_trim(key);
    value = at_robots_trim(value);

    if (at_str_ieq(key, AT_STR("user-agent"))
        || at_str_ieq(key, AT_STR("useragent"))
        || at_str_ieq(key, AT_STR("user agent")))
    {
        at_robots_user_agent(p, value);
        return AT_OK;
    }

    if (at_str_ieq(key, AT_STR("crawl-delay"))) {
        at_robots_delay(p, value);
        return AT_OK;
    }

    if (at_str_ieq(key, AT_STR("allow"))) {
        return at_robots_rule(p, value, 1);
    }

    if (at_str_ieq(key, AT_STR("disallow"))
        || at_str_ieq(key, AT_STR("dissallow")))
    {
        return at_robots_rule(p, value, 0);
    }

    /* other records do not come between a group's agents and its rules */

    return AT_OK;
}


static void
at_robots_user_agent(at_robots_parser_t *p, at_str_t value)
{
    if (!p->naming) {
        p->whom = AT_ROBOTS_OTHERS;
    }

    p->naming = 1;

    if (value.len > 0 && value.data[0] == '*'
        && (value.len == 1 || value.data[1] == ' ' || value.data[1] == '\t'))
    {
        p->whom |= AT_ROBOTS_ALL;
        return;
    }

    value = at_robots_agent(value);

    if (value.len > 0 && at_str_ieq(value, p->agent)) {
        p->whom |= AT_ROBOTS_US;
        p->named = 1;
    }
}


static int
at_robots_rule(at_robots_parser_t *p, at_str_t value, int allow)
{
    int       whole, cut;
    char      spelt[AT_ROBOTS_PATH_MAX];
    size_t    len;
    unsigned  set;

    p->naming = 0;

    if (value.len == 0 || p->whom == AT_ROBOTS_OTHERS) {
        return AT_OK;
    }

    whole = (value.data[value.len - 1] == '$');
    value.len -= (size_t) whole;

    if (value.len == 0) {
        return AT_OK;
    }

    len = at_robots_spell(value, 1, spelt, sizeof(spelt), &cut);

    /* cut, a rule matches more than it did: right only if it forbids */

    if (cut) {
        if (allow) {
            return AT_OK;
        }

        whole = 0;
    }

    for (set = 0; set < 2; set++) {
        if ((p->whom & (1u << set))
            && at_robots_add(p, set, (at_str_t) { len, spelt }, allow, whole)
               != AT_OK)
        {
            return AT_NO_MEMORY;
        }
    }

    return AT_OK;
}


static int
at_robots_add(at_robots_parser_t *p, unsigned set, at_str_t text, int allow,
    int whole)
{
    size_t             cap;
    at_robots_t       *r = &p->sets[set];
    at_robots_rule_t  *rules;

    if (r->n == p->caps[set]) {
        cap = r->n ? r->n * 2 : 16;
        rules = realloc(r->rules, cap * sizeof(at_robots_rule_t));

        if (rules == NULL) {
            return AT_NO_MEMORY;
        }

        r->rules = rules;
        p->caps[set] = cap;
    }

    r->rules[r->n] = (at_robots_rule_t) {
        .at = (uint32_t) r->text.len, .len = (uint16_t) text.len,
        .allow = (uint8_t) allow, .whole = (uint8_t) whole
    };

    if (at_buf_append_str(&r->text, text) != AT_OK) {
        return AT_NO_MEMORY;
    }

    r->n++;

    return AT_OK;
}


/* Seconds, with a fraction or without; of several the longest. */

static void
at_robots_delay(at_robots_parser_t *p, at_str_t value)
{
    size_t    i;
    int64_t   ms, unit;
    unsigned  set;

    ms = 0;
    unit = 0;

    for (i = 0; i < value.len && ms < AT_ROBOTS_DELAY; i++) {
        if (value.data[i] == '.' && unit == 0) {
            unit = 1000;

        } else if (value.data[i] < '0' || value.data[i] > '9') {
            return;

        } else if (unit == 0) {
            ms = ms * 10 + (value.data[i] - '0') * 1000;

        } else if (unit > 1) {
            unit /= 10;
            ms += (value.data[i] - '0') * unit;
        }
    }

    if (ms > AT_ROBOTS_DELAY) {
        ms = AT_ROBOTS_DELAY;
    }

    for (set = 0; set < 2; set++) {
        if ((p->whom & (1u << set)) && ms > p->sets[set].delay) {
            p->sets[set].delay = ms;
        }
    }
}


static at_str_t
at_robots_trim(at_str_t s)
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


/* Writes at most size bytes, never a part of a percent triple. */

static size_t
at_robots_spell(at_str_t s, int rule, char *out, size_t size, int *cut)
{
    int                 c, escape;
    size_t              i, n;
    static const char   digits[] = "0123456789ABCDEF";

    n = 0;
    *cut = 0;

    for (i = 0; i < s.len; i++) {
        c = (unsigned char) s.data[i];
        escape = (c <= ' ' || c >= 0x7f || (!rule && (c == '*' || c == '$')));

        if (at_args_escape(s, i)) {
            c = at_args_hex(s.data[i + 1]) * 16 + at_args_hex(s.data[i + 2]);
            i += 2;
            escape = (c <= ' ' || c >= 0x7f
                      || strchr("!\"#$%&'()*+,/:;<=>?@[\\]^`{|}", c) != NULL);
        }

        if (n + (escape ? 3 : 1) > size) {
            *cut = 1;
            return n;
        }

        if (escape) {
            out[n++] = '%';
            out[n++] = digits[c >> 4];
            out[n++] = digits[c & 15];

        } else {
            out[n++] = (char) c;
        }
    }

    return n;
}


/* A star that failed is given one byte more; only the last one need be. */

static int
at_robots_match(at_str_t rule, int whole, at_str_t path, size_t *steps)
{
    size_t  i, j, star, mark;

    i = 0;
    j = 0;
    star = SIZE_MAX;
    mark = 0;

    for ( ;; ) {
        if (*steps == 0) {
            return 0;
        }

        (*steps)--;

        if (i == rule.len && (!whole || j == path.len)) {
            return 1;
        }

        if (i < rule.len && rule.data[i] == '*') {
            star = ++i;
            mark = j;
            continue;
        }

        if (i < rule.len && j < path.len && rule.data[i] == path.data[j]) {
            i++;
            j++;
            continue;
        }

        if (star == SIZE_MAX || mark == path.len) {
            return 0;
        }

        i = star;
        j = ++mark;
    }
}
