/*
 * The Lua of snapshots, for ngx_http_atelier_snapshot.c alone.
 */

#ifndef NGX_HTTP_ATELIER_SNAPSHOT_LUA_H
#define NGX_HTTP_ATELIER_SNAPSHOT_LUA_H


#include "ngx_http_atelier_redis.h"


extern ngx_http_atelier_redis_script_t  ngx_http_atelier_lua_page;
extern ngx_http_atelier_redis_script_t  ngx_http_atelier_lua_begin;
extern ngx_http_atelier_redis_script_t  ngx_http_atelier_lua_commit;
extern ngx_http_atelier_redis_script_t  ngx_http_atelier_lua_lease;
extern ngx_http_atelier_redis_script_t  ngx_http_atelier_lua_find;


#endif /* NGX_HTTP_ATELIER_SNAPSHOT_LUA_H */
