/*
 * The script that keeps shared limits in Redis, for
 * ngx_http_atelier_joint_sync.c alone.
 *
 * KEYS[1] is the prefix of all keys.  ARGV: node, nodes, lease, register
 * (0 or 1), full (0 or 1), number of windows and of parties, and a token that
 * grows with each question of the node; for each window name, calls, span,
 * hold, want, busy (0 or 1), number of calls to report, and for each of those
 * its id and age; for each party its name and a pause.  Times are ms.
 *
 * The answer is {0} if Redis does not know the node, which then registers
 * with all it knows of; {2} if a later question of the node came before this
 * one, which is void then; {3, ...} while a Redis that knows no past has not
 * heard of all nodes: the calls are noted, but the node has to go by itself;
 * else {1, for each window: granted, calls in it, what is left after that,
 * wait, and eight times; for each party: its pause}.
 *
 * A window is a sorted set of calls by time.  What each node holds - calls it
 * may make, and those it has made and not reported yet - is in a hash beside
 * it, and calls + holds never exceed the limit.  A node that is silent for
 * longer than the lease goes by its own rules, which give it its share at
 * most: that much is held for it until what it did has left the window, and
 * for 15 s at least, in which it finds Redis again if it lives and can.  So is
 * a share for each node not seen yet in a Redis that knows no past.
 *
 * A node may promise calls to its requests without asking: it is granted its
 * part of what is free, or more if requests wait for it (want); a node that
 * is not busy gets less, so that the others have it.
 */

#ifndef NGX_HTTP_ATELIER_JOINT_LUA_H
#define NGX_HTTP_ATELIER_JOINT_LUA_H


/* Times of calls that a full answer names for each window. */
#define NGX_HTTP_ATELIER_JOINT_MARKS  8


static const char  ngx_http_atelier_joint_lua[] =
"local prefix = KEYS[1]\n"
"local node = ARGV[1]\n"
"local nodes = tonumber(ARGV[2])\n"
"local lease = tonumber(ARGV[3])\n"
"local full = ARGV[5] == '1'\n"
"local nwindows, nparties = tonumber(ARGV[6]), tonumber(ARGV[7])\n"
"local t = redis.call('TIME')\n"
"local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
"local registry, since = prefix .. ':nodes', prefix .. ':since'\n"
"local last, flat = {}, redis.call('HGETALL', registry)\n"
"for i = 1, #flat, 2 do last[flat[i]] = tonumber(flat[i + 1]) end\n"
"if not last[node] and ARGV[4] ~= '1' then return {0} end\n"
"local token, tokens = tonumber(ARGV[8]), prefix .. ':tokens'\n"
"if token <= tonumber(redis.call('HGET', tokens, node) or 0) then\n"
"  return {2}\n"
"end\n"
"redis.call('HSET', tokens, node, token)\n"
"redis.call('HSET', registry, node, now)\n"
"redis.call('SET', since, now, 'NX')\n"
"local age = now - redis.call('GET', since)\n"
"local all = 1\n"
"for other, seen in pairs(last) do\n"
"  if other ~= node then all = all + 1 end\n"
"end\n"
"local partial = all < nodes and age < 15000 + lease\n"
"local keep, a, answer = 3600000, 9, {partial and 3 or 1}\n"
"for w = 1, nwindows do\n"
"  local calls, span = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])\n"
"  local hold, want = tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])\n"
"  local busy, n = ARGV[a + 5] == '1', tonumber(ARGV[a + 6])\n"
"  local key = prefix .. ':' .. ARGV[a]\n"
"  local held = key .. ':held'\n"
"  a = a + 7\n"
"  for i = 1, n do\n"
"    redis.call('ZADD', key, now - ARGV[a + 1], node .. ':' .. ARGV[a])\n"
"    a = a + 2\n"
"  end\n"
"  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - span)\n"
"  local count = redis.call('ZCARD', key)\n"
"  local share = math.floor(calls / nodes)\n"
"  local grace = math.max(span, 15000) + lease\n"
"  local others, known = 0, 1\n"
"  for other, seen in pairs(last) do\n"
"    if other ~= node and now - seen <= grace then\n"
"      local holds = tonumber(redis.call('HGET', held, other) or 0)\n"
"      if now - seen > lease then holds = math.max(holds, share) end\n"
"      others, known = others + holds, known + 1\n"
"    end\n"
"  end\n"
"  if age < grace then\n"
"    others = others + math.max(0, nodes - known) * share\n"
"  end\n"
"  local free = math.max(0, calls - count)\n"
"  local left = math.max(0, free - others - hold)\n"
"  if partial then left, hold = 0, math.max(hold, share) end\n"
"  local part = math.floor(free / (busy and nodes or 4 * nodes))\n"
"  local grant = math.min(math.max(part - hold, want), left)\n"
"  redis.call('HSET', held, node, hold + grant)\n"
"  local wait, first = 0, redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')\n"
"  if first[2] then wait = first[2] + span - now end\n"
"  for _, v in ipairs({grant, count, left - grant, wait}) do\n"
"    answer[#answer + 1] = v\n"
"  end\n"
"  for i = 1, 8 do\n"
"    local rank = math.floor(count * i / 8)\n"
"    local mark = {}\n"
"    if full and rank > 0 then\n"
"      mark = redis.call('ZRANGE', key, rank - 1, rank - 1, 'WITHSCORES')\n"
"    end\n"
"    answer[#answer + 1] = mark[2] and mark[2] + span - now or 0\n"
"  end\n"
"  redis.call('PEXPIRE', key, span)\n"
"  keep = math.max(keep, 2 * grace)\n"
"  redis.call('PEXPIRE', held, keep)\n"
"end\n"
"for p = 1, nparties do\n"
"  local key, pause = prefix .. ':' .. ARGV[a] .. ':pause', ARGV[a + 1] + 0\n"
"  local left = math.max(0, redis.call('PTTL', key))\n"
"  if pause > left then\n"
"    redis.call('SET', key, 1, 'PX', pause)\n"
"    redis.call('PUBLISH', prefix, node)\n"
"    left = pause\n"
"  end\n"
"  answer[#answer + 1] = left\n"
"  a = a + 2\n"
"end\n"
"for other, seen in pairs(last) do\n"
"  if now - seen > keep then\n"
"    redis.call('HDEL', registry, other)\n"
"    redis.call('HDEL', tokens, other)\n"
"  end\n"
"end\n"
"redis.call('PEXPIRE', registry, keep)\n"
"redis.call('PEXPIRE', tokens, keep)\n"
"redis.call('PEXPIRE', since, keep)\n"
"return answer\n";


#endif /* NGX_HTTP_ATELIER_JOINT_LUA_H */
