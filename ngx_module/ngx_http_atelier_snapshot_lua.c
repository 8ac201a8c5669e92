/*
 * The Lua of snapshots (see ngx_http_atelier_snapshot.h for the keys).
 *
 * Each script is one step that nobody sees half done.  Time is that of Redis,
 * so nodes need not agree on it.  Names of keys are made from arguments: this
 * is for one logical Redis, not for a cluster.
 */

#include "ngx_http_atelier_snapshot_lua.h"
#include "ngx_http_atelier_generation_lua.h"


/* Shared by all: the time, and what there is to know of a snapshot. */

#define NGX_HTTP_ATELIER_LUA_HEAD                                             \
    "local t = redis.call('TIME')\n"                                          \
    "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"                     \
    "local function key(s, name)\n"                                           \
    "  return 'atelier:snap:' .. s .. ':' .. name\n"                          \
    "end\n"                                                                   \
    "local names = {'meta', 'frozen', 'pending', 'items', 'joins',\n"         \
    "               'mirrors'}\n"                                             \
    "local function live(s, life)\n"                                          \
    "  for _, name in ipairs(names) do\n"                                     \
    "    redis.call('EXPIRE', key(s, name), life)\n"                          \
    "  end\n"                                                                 \
    "  redis.call('EXPIRE', KEYS[1], life)\n"                                 \
    "end\n"                                                                   \
    "local function meta(s)\n"                                                \
    "  local m, flat = {}, redis.call('HGETALL', key(s, 'meta'))\n"           \
    "  for i = 1, #flat, 2 do m[flat[i]] = flat[i + 1] end\n"                 \
    "  return m\n"                                                            \
    "end\n"                                                                   \
    "local function sources(list, m, f)\n"                                    \
    "  for name in string.gmatch(list, '[^,]+') do\n"                         \
    "    if m[name .. '.done'] ~= '1' then\n"                                 \
    "      f(name, tonumber(m[name .. '.retry'] or 0) <= now)\n"              \
    "    end\n"                                                               \
    "  end\n"                                                                 \
    "end\n"


/*
 * gone(s): the snapshot is none of the feed, or not any more.  It is not when
 * a pattern that matches the text of its feed came after it, or may have
 * come; one that was found not to be outdated is not looked at again until the
 * next invalidation.
 */

#define NGX_HTTP_ATELIER_LUA_GONE                                             \
    NGX_HTTP_ATELIER_LUA_GENERATION                                           \
    NGX_HTTP_ATELIER_LUA_GLOB                                                 \
    "local function outdated(made, top, text)\n"                              \
    "  if made > top or top - made > 1000 then return true end\n"             \
    "  local list = redis.call('XRANGE', 'atelier:invalidations',\n"          \
    "                          number(made + 1), '+')\n"                      \
    "  if #list ~= top - made then return true end\n"                         \
    "  for _, entry in ipairs(list) do\n"                                     \
    "    for i = 1, #entry[2], 2 do\n"                                        \
    "      if entry[2][i] == 'pattern' and glob(entry[2][i + 1], text) then\n"\
    "        return true\n"                                                   \
    "      end\n"                                                             \
    "    end\n"                                                               \
    "  end\n"                                                                 \
    "  return false\n"                                                        \
    "end\n"                                                                   \
    "local function gone(s)\n"                                                \
    "  local m = redis.call('HMGET', key(s, 'meta'), 'feed', 'generation',\n" \
    "                       'text')\n"                                        \
    "  if m[1] ~= ARGV[1] then return true end\n"                             \
    "  local made, top = tonumber(m[2] or 0), generation()\n"                 \
    "  if made == top then return false end\n"                                \
    "  if outdated(made, top, m[3] or '') then\n"                             \
    "    for _, name in ipairs(names) do\n"                                   \
    "      redis.call('UNLINK', key(s, name))\n"                              \
    "    end\n"                                                               \
    "    return true\n"                                                       \
    "  end\n"                                                                 \
    "  redis.call('HSET', key(s, 'meta'), 'generation', number(top))\n"       \
    "  return false\n"                                                        \
    "end\n"


/*
 * KEYS: the feed.  ARGV: K, snapshot or "", from, count, fresh, stale, life,
 * "ask" or "take".
 *
 * The gap between a page that is short because its sources may have more, and
 * the next one, is filled up with empty names: whatever comes later stands
 * behind it, so no page that was seen ever changes.
 */

ngx_http_atelier_redis_script_t  ngx_http_atelier_lua_page = { .text =
    NGX_HTTP_ATELIER_LUA_HEAD
    NGX_HTTP_ATELIER_LUA_GONE
    "local s, restarted, expired, age = ARGV[2], 0, 0, 0\n"
    "local from, count = tonumber(ARGV[3]), tonumber(ARGV[4])\n"
    "if s ~= '' and gone(s) then s, restarted = '', 1 end\n"
    "if s == '' then\n"
    "  local head = redis.call('HMGET', KEYS[1], 'snapshot', 'at')\n"
    "  s = head[1]\n"
    "  if not s or gone(s) then return {'none', restarted} end\n"
    "  age = now - tonumber(head[2])\n"
    "  if from == 0 and age >= tonumber(ARGV[5]) then\n"
    "    expired = 1\n"
    "    if age >= tonumber(ARGV[5]) + tonumber(ARGV[6]) then\n"
    "      return {'none', restarted}\n"
    "    end\n"
    "  end\n"
    "end\n"
    "local m = meta(s)\n"
    "age = now - tonumber(m.created)\n"
    "live(s, ARGV[7])\n"
    "local frozen, pending = key(s, 'frozen'), key(s, 'pending')\n"
    "local len = redis.call('LLEN', frozen)\n"
    "local wait = redis.call('ZCARD', pending)\n"
    "local more, due, last = 0, false, from + count\n"
    "sources(m.sources or '', m, function(name, now)\n"
    "  more = 1\n"
    "  due = due or now\n"
    "end)\n"
    "if len + wait < last and due and expired == 0 and ARGV[8] == 'ask' then\n"
    "  return {'short', restarted}\n"
    "end\n"
    "if len < last and len + wait > from then\n"
    "  local popped = redis.call('ZPOPMIN', pending, last - len)\n"
    "  local ids = {}\n"
    "  for i = 1, #popped, 2 do ids[#ids + 1] = popped[i] end\n"
    "  len, wait = len + #ids, wait - #ids\n"
    "  if more == 1 then\n"
    "    while len < last do\n"
    "      ids[#ids + 1], len = '', len + 1\n"
    "    end\n"
    "  end\n"
    "  for i = 1, #ids, 1000 do\n"
    "    redis.call('RPUSH', frozen,\n"
    "               unpack(ids, i, math.min(i + 999, #ids)))\n"
    "  end\n"
    "end\n"
    "local ids, shares = {}, {}\n"
    "for _, id in ipairs(redis.call('LRANGE', frozen, from, last - 1)) do\n"
    "  if id ~= '' then\n"
    "    ids[#ids + 1] = id\n"
    "    redis.call('SET', 'atelier:at:' .. id, s, 'EX', ARGV[7])\n"
    "  end\n"
    "end\n"
    "for name in string.gmatch(m.sources or '', '[^,]+') do\n"
    "  if m[name .. '.outcome'] then\n"
    "    shares[#shares + 1] = name\n"
    "    shares[#shares + 1] = m[name .. '.outcome']\n"
    "    shares[#shares + 1] = m[name .. '.count']\n"
    "    shares[#shares + 1] = m[name .. '.ms']\n"
    "  end\n"
    "end\n"
    "local items, mirrors, likes = {}, {}, {}\n"
    "if #ids > 0 then\n"
    "  items = redis.call('HMGET', key(s, 'items'), unpack(ids))\n"
    "  mirrors = redis.call('HMGET', key(s, 'mirrors'), unpack(ids))\n"
    "  likes = redis.call('HMGET', 'atelier:likes', unpack(ids))\n"
    "end\n"
    "return {'page', restarted, s, expired, age,\n"
    "        math.max(len + wait - last, 0), more, shares,\n"
    "        ids, items, mirrors, likes,\n"
    "        tonumber(redis.call('GET', 'atelier:generation') or 0)}\n"
};


/*
 * KEYS: the feed.  ARGV: K, snapshot or "", how many designs are wanted, 1 if
 * for the first page, fresh, an id for a new snapshot, token, ms of the lease,
 * the sources that can be asked, the sources of a round.
 *
 * Of an existing snapshot those sources are asked whose designs are used up,
 * and all that are due if none is.  A lease of the same node, which is the
 * first part of a token, is that of a worker that died.
 */

ngx_http_atelier_redis_script_t  ngx_http_atelier_lua_begin = { .text =
    NGX_HTTP_ATELIER_LUA_HEAD
    NGX_HTTP_ATELIER_LUA_GONE
    "local s, fresh, ask = ARGV[2], 0, {}\n"
    "if s ~= '' and gone(s) then s = '' end\n"
    "if s == '' then\n"
    "  local head = redis.call('HMGET', KEYS[1], 'snapshot', 'at')\n"
    "  s = head[1]\n"
    "  if not s or gone(s)\n"
    "     or ARGV[4] == '1' and now - tonumber(head[2]) >= tonumber(ARGV[5])\n"
    "  then\n"
    "    s, fresh = ARGV[6], 1\n"
    "  end\n"
    "end\n"
    "if fresh == 1 then\n"
    "  for name in string.gmatch(ARGV[9], '[^,]+') do\n"
    "    ask[#ask + 1] = {name, 1, 0}\n"
    "  end\n"
    "else\n"
    "  local pending = key(s, 'pending')\n"
    "  local have = redis.call('LLEN', key(s, 'frozen'))\n"
    "               + redis.call('ZCARD', pending)\n"
    "  if have >= tonumber(ARGV[3]) then return {'enough', s} end\n"
    "  local m, left, used = meta(s), {}, false\n"
    "  for _, id in ipairs(redis.call('ZRANGE', pending, 0, -1)) do\n"
    "    local name = string.match(id, '^[^:]+')\n"
    "    left[name] = (left[name] or 0) + 1\n"
    "  end\n"
    "  sources(ARGV[9], m, function(name, due)\n"
    "    if due then\n"
    "      local few = (left[name] or 0) < tonumber(ARGV[10])\n"
    "      ask[#ask + 1] = {name, tonumber(m[name .. '.page'] or 1),\n"
    "                       tonumber(m[name .. '.rank'] or 0), few}\n"
    "      used = used or few\n"
    "    end\n"
    "  end)\n"
    "  if used then\n"
    "    local few = {}\n"
    "    for _, a in ipairs(ask) do\n"
    "      if a[4] then few[#few + 1] = a end\n"
    "    end\n"
    "    ask = few\n"
    "  end\n"
    "  if #ask == 0 then return {'enough', s} end\n"
    "end\n"
    "local lease = 'atelier:lease:' .. ARGV[1]\n"
    "local holder = redis.call('GET', lease)\n"
    "if holder and string.sub(holder, 1, 8) ~= string.sub(ARGV[7], 1, 8)\n"
    "then\n"
    "  return {'busy', s}\n"
    "end\n"
    "redis.call('SET', lease, ARGV[7], 'PX', ARGV[8])\n"
    "local flat = {}\n"
    "for _, a in ipairs(ask) do\n"
    "  flat[#flat + 1] = a[1]\n"
    "  flat[#flat + 1] = a[2]\n"
    "  flat[#flat + 1] = a[3]\n"
    "end\n"
    "return {'fill', s, fresh, generation(), flat}\n"
};


/*
 * KEYS: the feed.  ARGV: K, text, snapshot, fresh, token, generation, life,
 * sources, 1 if it is the last part of the fill, the number of cursors, eight
 * words for each, then five for each design: id, order, JSON, JSON as a mirror,
 * join keys by line.
 *
 * A fill comes in parts, so that none takes long.  Only the last one brings
 * cursors, ends the lease and shows a new snapshot: a fill that breaks off is
 * made anew, and what it left is known by its join keys.
 *
 * A new snapshot becomes the current one only if it holds something, or if a
 * source said that there is nothing: else the one before it stays.
 */

ngx_http_atelier_redis_script_t  ngx_http_atelier_lua_commit = { .text =
    NGX_HTTP_ATELIER_LUA_HEAD
    NGX_HTTP_ATELIER_LUA_GENERATION
    "local s, lease, added, ok = ARGV[3], 'atelier:lease:' .. ARGV[1], 0,\n"
    "                            false\n"
    "local held = redis.call('GET', lease) == ARGV[5]\n"
    "local last = ARGV[9] == '1'\n"
    "if generation() ~= tonumber(ARGV[6])\n"
    "   or ARGV[4] == '0' and redis.call('EXISTS', key(s, 'meta')) == 0\n"
    "   or not held\n"
    "then\n"
    "  if held then redis.call('DEL', lease) end\n"
    "  return {'outdated', 0}\n"
    "end\n"
    "if last then redis.call('DEL', lease) end\n"
    "local at, n = 11, tonumber(ARGV[10])\n"
    "for i = 1, n do\n"
    "  local name = ARGV[at]\n"
    "  redis.call('HSET', key(s, 'meta'), name .. '.page', ARGV[at + 1],\n"
    "             name .. '.rank', ARGV[at + 2],\n"
    "             name .. '.done', ARGV[at + 3],\n"
    "             name .. '.retry', now + tonumber(ARGV[at + 4]),\n"
    "             name .. '.outcome', ARGV[at + 5],\n"
    "             name .. '.ms', ARGV[at + 7])\n"
    "  redis.call('HINCRBY', key(s, 'meta'), name .. '.count', ARGV[at + 6])\n"
    "  ok = ok or ARGV[at + 5] == 'ok'\n"
    "  at = at + 8\n"
    "end\n"
    "redis.call('HSET', key(s, 'meta'), 'sources', ARGV[8])\n"
    "if ARGV[4] == '1' then\n"
    "  redis.call('HSET', key(s, 'meta'), 'feed', ARGV[1], 'text', ARGV[2],\n"
    "             'created', now, 'generation', ARGV[6])\n"
    "end\n"
    "local joins, mirrors = key(s, 'joins'), key(s, 'mirrors')\n"
    "for i = at, #ARGV, 5 do\n"
    "  local id, keys, twin = ARGV[i], {}, nil\n"
    "  for k in string.gmatch(ARGV[i + 4], '[^\\n]+') do\n"
    "    keys[#keys + 1] = k\n"
    "  end\n"
    "  local found = redis.call('HMGET', joins, unpack(keys))\n"
    "  for _, other in ipairs(found) do twin = twin or other end\n"
    "  if not twin then\n"
    "    redis.call('ZADD', key(s, 'pending'), ARGV[i + 1], id)\n"
    "    redis.call('HSET', key(s, 'items'), id, ARGV[i + 2])\n"
    "    added = added + 1\n"
    "  elseif not found[1] then\n"
    "    local list = redis.call('HGET', mirrors, twin)\n"
    "    if not list then\n"
    "      redis.call('HSET', mirrors, twin, '[' .. ARGV[i + 3] .. ']')\n"
    "    elseif #list < 4096 then\n"
    "      redis.call('HSET', mirrors, twin,\n"
    "                 string.sub(list, 1, -2) .. ',' .. ARGV[i + 3] .. ']')\n"
    "    end\n"
    "  end\n"
    "  for _, k in ipairs(keys) do\n"
    "    redis.call('HSETNX', joins, k, twin or id)\n"
    "  end\n"
    "end\n"
    "if ARGV[4] == '1' and last then\n"
    "  if ok or redis.call('EXISTS', key(s, 'items')) == 1 then\n"
    "    redis.call('HSET', KEYS[1], 'snapshot', s, 'at', now,\n"
    "               'generation', ARGV[6])\n"
    "  else\n"
    "    redis.call('DEL', key(s, 'meta'))\n"
    "  end\n"
    "end\n"
    "live(s, ARGV[7])\n"
    "return {'stored', added}\n"
};


/* KEYS: the lease.  ARGV: its token, ms that it lasts; 0: it ends. */

ngx_http_atelier_redis_script_t  ngx_http_atelier_lua_lease = { .text =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then\n"
    "  return redis.call('PEXPIRE', KEYS[1], ARGV[2])\n"
    "end\n"
    "return 0\n"
};


/* ARGV: the id of a design. */

ngx_http_atelier_redis_script_t  ngx_http_atelier_lua_find = { .text =
    "local s = redis.call('GET', 'atelier:at:' .. ARGV[1])\n"
    "if not s then return {'none'} end\n"
    "local function of(name)\n"
    "  return redis.call('HGET', 'atelier:snap:' .. s .. ':' .. name,\n"
    "                    ARGV[1])\n"
    "end\n"
    "local item = of('items')\n"
    "if not item then return {'none'} end\n"
    "return {'design', item, of('mirrors'),\n"
    "        redis.call('HGET', 'atelier:likes', ARGV[1])}\n"
};
