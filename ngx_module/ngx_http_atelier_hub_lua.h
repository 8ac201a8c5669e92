/*
 * The script by which the hub reads the stream of a channel.
 */

#ifndef NGX_HTTP_ATELIER_HUB_LUA_H
#define NGX_HTTP_ATELIER_HUB_LUA_H


#include "ngx_http_atelier_redis.h"


/*
 * ARGV: the id that the last entry to be read has, or nothing.  The newest
 * first; of very large ones fewer.
 *
 * A Redis that was started with an older copy of its data has streams that end
 * too early.  What they are worth is known by the run that atelier-relay has
 * last seen to (its relay_send.c): of another one nothing is believed.
 */

static ngx_http_atelier_redis_script_t  ngx_http_atelier_lua_stream = { .text =
    "local run = redis.call('GET', KEYS[2])\n"
    "if run then\n"
    "    local info = redis.pcall('INFO', 'server')\n"
    "    if type(info) == 'string'\n"
    "       and not string.find(info, 'run_id:' .. run, 1, true)\n"
    "    then\n"
    "        return {}\n"
    "    end\n"
    "end\n"
    "local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)\n"
    "if #top == 0 or ARGV[1] == '' then return top end\n"
    "local all = redis.call('XREVRANGE', KEYS[1], '+', ARGV[1] .. '-0',\n"
    "                       'COUNT', 1001)\n"
    "if #all == 0 then return top end\n"
    "local bytes = 0\n"
    "for i = 1, #all do\n"
    "    bytes = bytes + #all[i][2][2]\n"
    "    if bytes > 4194304 and i > 1 then\n"
    "        for j = #all, i, -1 do all[j] = nil end\n"
    "        break\n"
    "    end\n"
    "end\n"
    "return all\n"
};


#endif /* NGX_HTTP_ATELIER_HUB_LUA_H */
