/*
 * Which addresses of the network strangers' URLs may lead to.
 *
 * Public unicast and ports 80 and 443, nothing else: not this machine, its
 * networks, the addresses at which clouds tell secrets, nor forms of IPv6
 * that carry such an address inside.  It is addresses that are judged, never
 * names: whoever connects asks here with what it is about to connect to.
 *
 * A list of exceptions is for stand-ins of outside services.
 */

#ifndef AT_ADDRESS_H
#define AT_ADDRESS_H


#include "at.h"

#include <sys/socket.h>


/* A network, as IPv6 (IPv4 is ::ffff:0:0/96), and a port or 0 for any. */
typedef struct {
    uint8_t    bytes[16];
    unsigned   bits;
    unsigned   port;
} at_address_rule_t;


typedef struct {
    at_address_rule_t  *rules;
    size_t              n;
} at_address_list_t;


/* 127.0.0.1, 127.0.0.1:8081, 10.0.0.0/8, ::1, [::1]:8081, [fd00::]/8. */
int at_address_parse(const char *text, at_address_rule_t *rule);

/* For a setting: NULL, or what is wrong with it. */
const char *at_address_check(const char *text);

/* Of texts that were checked; the caller frees rules.  AT_ERROR: no memory. */
int at_address_list(at_address_list_t *list, char *const *texts, size_t n);

/* 1: an address of the public network, whatever its port. */
int at_address_public(const struct sockaddr *sa);

/* 1: may be connected to.  list may be NULL. */
int at_address_allowed(const struct sockaddr *sa,
    const at_address_list_t *list);

/* The same for an address in digits, as libcurl tells it. */
int at_address_allowed_text(const char *ip, unsigned port,
    const at_address_list_t *list);


#endif /* AT_ADDRESS_H */
