/*
 * What the files of at_pace share; nobody else includes this.
 */

#ifndef AT_PACE_OWN_H
#define AT_PACE_OWN_H


#include "at_pace.h"
#include "at_time.h"


#define AT_PACE_TRIES  5000000          /* between those to reach Redis */


struct at_pace_s {
    const at_pace_settings_t  *settings;
    at_redis_t                *redis;
    uint64_t                   id;
    uint64_t                   n;       /* tickets */
    int64_t                    turn;    /* of this process; -1: none */
};


/* at_pace_script.c */
extern const at_redis_script_t  at_pace_script;


/* at_pace_alone.c: what the script does, for a process without Redis. */

at_pace_e at_pace_alone(at_pace_t *p, at_pace_host_t *h,
    const at_pace_rule_t *rule, at_pace_ticket_t *ticket, int64_t *wait);
int at_pace_apart(at_pace_t *p, at_pace_host_t *h,
    const at_pace_rule_t *rule, at_pace_ticket_t *ticket);

/* The next one goes a gap after this moment, whatever Redis will say. */
void at_pace_later(at_pace_host_t *h, const at_pace_rule_t *rule);
void at_pace_end(at_pace_t *p, at_pace_host_t *h,
    const at_pace_rule_t *rule, const at_pace_ticket_t *ticket,
    at_pace_event_e event, int64_t later);

/* How long others may yet send by themselves when Redis is back. */
int64_t at_pace_back(const at_pace_t *p, const at_pace_host_t *h,
    const at_pace_rule_t *rule);


/* Only what was refused is a reason for a larger one. */

static inline int64_t
at_pace_gap(const at_pace_host_t *h, int64_t base)
{
    return (h->rate.mark && h->rate.gap > base) ? h->rate.gap : base;
}


#endif /* AT_PACE_OWN_H */
