/*
 * The control endpoint: what tests set and read.
 *
 *     GET     /_control             everything
 *     GET     /_control/{provider}  one; ?wait=aborted>=1&timeoutMs=3000
 *     PUT     /_control/{provider}  settings, all of them
 *     DELETE  /_control[/{provider}]  settings and counters back to start
 *
 * What there is of shops beside these is in shop_control.c.
 *
 * It has no key and so answers to loopback only, whatever the address the
 * sandbox listens on.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox.h"


#define SB_AWAIT_MS      3000
#define SB_AWAIT_MS_MAX  60000


static int
sb_control_local(sb_call_t *c)
{
    const struct sockaddr           *sa;
    const struct sockaddr_in        *sin;
    const struct sockaddr_in6       *sin6;
    const union MHD_ConnectionInfo  *info;

    info = MHD_get_connection_info(c->connection,
                                   MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info == NULL || info->client_addr == NULL) {
        return 0;
    }

    sa = info->client_addr;

    if (sa->sa_family == AF_INET) {
        sin = (const struct sockaddr_in *) sa;
        return (ntohl(sin->sin_addr.s_addr) >> 24) == 127;
    }

    if (sa->sa_family == AF_INET6) {
        sin6 = (const struct sockaddr_in6 *) sa;
        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr)
               || (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)
                   && sin6->sin6_addr.s6_addr[12] == 127);
    }

    return 0;
}


void
sb_control_error(sb_call_t *c, unsigned status, const char *member,
    const char *message)
{
    yajl_gen  g;

    g = sb_gen_new();
    yajl_gen_map_open(g);

    if (member) {
        sb_gen_member(g, "member", member);
    }

    sb_gen_member(g, "error", message);
    yajl_gen_map_close(g);

    sb_answer_json(c, status, g);
}


static void
sb_control_show(sb_call_t *c, unsigned status, sb_provider_t *p)
{
    sb_answer_begin(c, status, "application/json");

    if (p) {
        sb_provider_print(p, &c->answer.body);

    } else {
        sb_provider_print_all(&c->answer.body);
    }

    sb_buf_add(&c->answer.body, "\n", 1);
}


static void
sb_control_get(sb_call_t *c, sb_provider_t *p)
{
    int          rc;
    char        *end;
    const char  *wait, *timeout, *why;
    long long    ms;

    wait = MHD_lookup_connection_value(c->connection, MHD_GET_ARGUMENT_KIND,
                                       "wait");
    timeout = MHD_lookup_connection_value(c->connection,
                                          MHD_GET_ARGUMENT_KIND, "timeoutMs");
    if (wait == NULL) {
        sb_control_show(c, 200, p);
        return;
    }

    if (p == NULL) {
        sb_control_error(c, 400, "wait", "needs /_control/{provider}");
        return;
    }

    ms = SB_AWAIT_MS;

    if (timeout) {
        ms = strtoll(timeout, &end, 10);

        if (end == timeout || *end || ms < 0 || ms > SB_AWAIT_MS_MAX) {
            sb_control_error(c, 400, "timeoutMs",
                             "must be milliseconds from 0 to 60000");
            return;
        }
    }

    rc = sb_provider_await(p, wait, ms, &why);

    if (rc == SB_ERROR) {
        sb_control_error(c, 400, "wait", why);
        return;
    }

    sb_control_show(c, rc ? 200 : 408, p);
}


static void
sb_control_put(sb_call_t *c, sb_provider_t *p)
{
    char            member[400], message[400];
    yajl_val        v;
    const char     *why;
    sb_settings_t   s;

    if (p == NULL) {
        sb_control_error(c, 405, NULL, "PUT needs /_control/{provider}");
        return;
    }

    v = sb_json_parse(&c->body, &why);
    if (v == NULL) {
        sb_control_error(c, 400, NULL, why);
        return;
    }

    if (!YAJL_IS_OBJECT(v)) {
        sb_control_error(c, 400, NULL, "the settings must be an object");

    } else if (sb_settings_parse(&s, v, member, message, sizeof(member))
               != SB_OK)
    {
        sb_control_error(c, 400, member, message);

    } else {
        sb_provider_set(p, &s);
        sb_shop_settle(p, &s);
        sb_control_show(c, 200, p);
    }

    yajl_tree_free(v);
}


void
sb_control(sb_call_t *c)
{
    sb_provider_t  *p;

    if (!sb_control_local(c)) {
        sb_control_error(c, 403, NULL, "control answers to loopback only");
        return;
    }

    if (sb_control_shop(c)) {
        return;
    }

    p = NULL;

    if (c->rest[0] && strcmp(c->rest, "/") != 0) {
        p = sb_provider_find(c->rest + 1, strlen(c->rest + 1));

        if (p == NULL) {
            sb_control_error(c, 404, NULL,
                             "a provider's name has 1 to 32 of [a-z0-9_-], "
                             "and there are at most 64 of them");
            return;
        }
    }

    if (strcmp(c->method, "GET") == 0) {
        sb_control_get(c, p);

    } else if (strcmp(c->method, "PUT") == 0) {
        sb_control_put(c, p);

    } else if (strcmp(c->method, "DELETE") == 0) {

        if (p) {
            sb_provider_reset(p);

        } else {
            sb_provider_reset_all();
        }

        sb_shop_reset(p);

        sb_control_show(c, 200, p);

    } else {
        sb_control_error(c, 405, NULL, "GET, PUT or DELETE only");
        sb_answer_header(c, "Allow", "GET, PUT, DELETE");
    }
}
