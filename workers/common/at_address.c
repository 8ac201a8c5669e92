/*
 * Judging addresses (see at_address.h): the registries of special-purpose
 * addresses (RFC 6890 and its successors), and those of clouds.
 */

#include "at_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


typedef struct {
    uint8_t   bytes[4];
    unsigned  bits;
} at_address_v4_t;


typedef struct {
    uint8_t   bytes[16];
    unsigned  bits;
    unsigned  inner;            /* where an IPv4 address is inside; 0: none */
} at_address_v6_t;


static const at_address_v4_t  at_address_special4[] = {
    { { 0 }, 8 },                       /* "this network" */
    { { 10 }, 8 },                      /* private */
    { { 100, 64 }, 10 },                /* shared; also metadata of clouds */
    { { 127 }, 8 },                     /* loopback */
    { { 168, 63, 129, 16 }, 32 },       /* a cloud's host, public by range */
    { { 169, 254 }, 16 },               /* link-local; metadata of clouds */
    { { 172, 16 }, 12 },                /* private */
    { { 192, 0, 0 }, 24 },              /* protocols */
    { { 192, 0, 2 }, 24 },              /* documentation */
    { { 192, 88, 99 }, 24 },            /* relays of 6to4 */
    { { 192, 168 }, 16 },               /* private */
    { { 198, 18 }, 15 },                /* benchmarks */
    { { 198, 51, 100 }, 24 },           /* documentation */
    { { 203, 0, 113 }, 24 },            /* documentation */
    { { 224 }, 4 },                     /* multicast */
    { { 240 }, 4 }                      /* reserved, broadcast */
};


/* Of IPv6 only 2000::/3 is given out, but for these in it. */

static const at_address_v6_t  at_address_special6[] = {
    { { 0x20, 0x01 }, 23, 0 },                  /* protocols, Teredo */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32, 0 },      /* documentation */
    { { 0x3f, 0xff }, 20, 0 }                   /* documentation */
};


/* Judged by the IPv4 address inside. */

static const at_address_v6_t  at_address_carriers[] = {
    { { [10] = 0xff, [11] = 0xff }, 96, 12 },           /* ::ffff:0:0/96 */
    { { 0x00, 0x64, 0xff, 0x9b }, 96, 12 },             /* NAT64 */
    { { 0x20, 0x02 }, 16, 2 }                           /* 6to4 */
};


static int at_address_number(const char **p, unsigned long *number);
static int at_address_in(const uint8_t *address, const uint8_t *net,
    unsigned bits);
static int at_address_public4(const uint8_t *address);
static int at_address_public6(const uint8_t *address);
static int at_address_widen(const struct sockaddr *sa, uint8_t out[16],
    unsigned *port);


int
at_address_public(const struct sockaddr *sa)
{
    unsigned  port;
    uint8_t   address[16];

    return at_address_widen(sa, address, &port) == AT_OK
           && at_address_public6(address);
}


int
at_address_allowed(const struct sockaddr *sa, const at_address_list_t *list)
{
    size_t                    i;
    unsigned                  port;
    uint8_t                   address[16];
    const at_address_rule_t  *rule;

    if (at_address_widen(sa, address, &port) != AT_OK) {
        return 0;
    }

    for (i = 0; list && i < list->n; i++) {
        rule = &list->rules[i];

        if ((rule->port == 0 || rule->port == port)
            && at_address_in(address, rule->bytes, rule->bits))
        {
            return 1;
        }
    }

    return (port == 80 || port == 443) && at_address_public6(address);
}


int
at_address_allowed_text(const char *ip, unsigned port,
    const at_address_list_t *list)
{
    struct sockaddr_in   sin;
    struct sockaddr_in6  sin6;

    memset(&sin, 0, sizeof(sin));
    memset(&sin6, 0, sizeof(sin6));

    sin.sin_family = AF_INET;
    sin.sin_port = htons((uint16_t) port);
    sin6.sin6_family = AF_INET6;
    sin6.sin6_port = htons((uint16_t) port);

    if (inet_pton(AF_INET, ip, &sin.sin_addr) == 1) {
        return at_address_allowed((struct sockaddr *) &sin, list);
    }

    if (inet_pton(AF_INET6, ip, &sin6.sin6_addr) == 1) {
        return at_address_allowed((struct sockaddr *) &sin6, list);
    }

    return 0;
}


int
at_address_parse(const char *text, at_address_rule_t *rule)
{
    int            v4, n;
    char           ip[INET6_ADDRSTRLEN], rest[16];
    const char    *p;
    unsigned long  number;

    memset(rule, 0, sizeof(at_address_rule_t));
    rest[0] = '\0';
    n = 0;

    v4 = (sscanf(text, "%45[0-9.]%15s", ip, rest) >= 1
          && inet_pton(AF_INET, ip, rule->bytes + 12) == 1);

    if (v4) {
        rule->bytes[10] = rule->bytes[11] = 0xff;

    } else {

        /* a bare IPv6 address has colons of its own, so no port */

        rest[0] = '\0';

        if ((sscanf(text, "[%45[0-9a-fA-F:.]]%n%15s", ip, &n, rest) < 1
             || n == 0)
            && sscanf(text, "%45[0-9a-fA-F:.]%15s", ip, rest) < 1)
        {
            return AT_ERROR;
        }

        if (inet_pton(AF_INET6, ip, rule->bytes) != 1) {
            return AT_ERROR;
        }
    }

    rule->bits = 128;
    p = rest;

    if (*p == '/') {
        if (at_address_number(&p, &number) != AT_OK
            || number > (v4 ? 32 : 128))
        {
            return AT_ERROR;
        }

        rule->bits = (unsigned) number + (v4 ? 96 : 0);
    }

    if (*p == ':') {
        if (at_address_number(&p, &number) != AT_OK || number == 0
            || number > 65535)
        {
            return AT_ERROR;
        }

        rule->port = (unsigned) number;
    }

    return (*p == '\0') ? AT_OK : AT_ERROR;
}


const char *
at_address_check(const char *text)
{
    at_address_rule_t  rule;

    return (at_address_parse(text, &rule) != AT_OK)
           ? "is no address: write 127.0.0.1, 127.0.0.1:8081, 10.0.0.0/8 or "
             "[::1]:8081" : NULL;
}


int
at_address_list(at_address_list_t *list, char *const *texts, size_t n)
{
    size_t  i;

    list->rules = calloc(n + 1, sizeof(at_address_rule_t));
    if (list->rules == NULL) {
        return AT_ERROR;
    }

    for (i = 0; i < n; i++) {
        (void) at_address_parse(texts[i], &list->rules[i]);
    }

    list->n = n;

    return AT_OK;
}


/* The digits behind the sign at *p; a missing number is no zero. */

static int
at_address_number(const char **p, unsigned long *number)
{
    char  *end;

    if ((*p)[1] < '0' || (*p)[1] > '9') {
        return AT_ERROR;
    }

    *number = strtoul(*p + 1, &end, 10);
    *p = end;

    return AT_OK;
}


static int
at_address_in(const uint8_t *address, const uint8_t *net, unsigned bits)
{
    unsigned  whole = bits / 8, left = bits % 8;

    return memcmp(address, net, whole) == 0
           && (left == 0
               || ((address[whole] ^ net[whole]) >> (8 - left)) == 0);
}


static int
at_address_public4(const uint8_t *address)
{
    size_t  i;

    for (i = 0; i < sizeof(at_address_special4) / sizeof(at_address_v4_t);
         i++)
    {
        if (at_address_in(address, at_address_special4[i].bytes,
                          at_address_special4[i].bits))
        {
            return 0;
        }
    }

    return 1;
}


static int
at_address_public6(const uint8_t *address)
{
    size_t                  i;
    const at_address_v6_t  *net;

    for (i = 0; i < sizeof(at_address_carriers) / sizeof(at_address_v6_t);
         i++)
    {
        net = &at_address_carriers[i];

        if (at_address_in(address, net->bytes, net->bits)) {
            return at_address_public4(address + net->inner);
        }
    }

    for (i = 0; i < sizeof(at_address_special6) / sizeof(at_address_v6_t);
         i++)
    {
        net = &at_address_special6[i];

        if (at_address_in(address, net->bytes, net->bits)) {
            return 0;
        }
    }

    return (address[0] & 0xe0) == 0x20;
}


static int
at_address_widen(const struct sockaddr *sa, uint8_t out[16], unsigned *port)
{
    struct sockaddr_in   sin;
    struct sockaddr_in6  sin6;

    memset(out, 0, 16);

    switch (sa->sa_family) {

    case AF_INET:
        memcpy(&sin, sa, sizeof(sin));
        out[10] = out[11] = 0xff;
        memcpy(out + 12, &sin.sin_addr, 4);
        *port = ntohs(sin.sin_port);
        return AT_OK;

    case AF_INET6:
        memcpy(&sin6, sa, sizeof(sin6));
        memcpy(out, &sin6.sin6_addr, 16);
        *port = ntohs(sin6.sin6_port);
        return AT_OK;

    default:
        return AT_ERROR;
    }
}
