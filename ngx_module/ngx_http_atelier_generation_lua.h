/*
 * Lua that scripts about generations begin with.
 *
 * An invalidation raises atelier:generation by one and appends its pattern to
 * the stream atelier:invalidations as the entry GENERATION-0, so the entries
 * from a generation to the present one are all there or it is seen that they
 * are not.  The first generation is the time, in ms: a Redis that came back
 * empty gives none out that was before.  atelier:generation:base is that
 * first one.
 *
 * ngx_http_atelier_snapshot_lua.c and ngx_http_atelier_invalidation.c include
 * this.
 */

#ifndef NGX_HTTP_ATELIER_GENERATION_LUA_H
#define NGX_HTTP_ATELIER_GENERATION_LUA_H


/* generation(): the present one.  number(n): n without an exponent. */

#define NGX_HTTP_ATELIER_LUA_GENERATION                                       \
    "local function generation()\n"                                           \
    "  local top = redis.call('GET', 'atelier:generation')\n"                 \
    "  if not top then\n"                                                     \
    "    local t = redis.call('TIME')\n"                                      \
    "    top = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))\n"\
    "    redis.call('MSET', 'atelier:generation', top,\n"                     \
    "               'atelier:generation:base', top)\n"                        \
    "  end\n"                                                                 \
    "  return tonumber(top)\n"                                                \
    "end\n"                                                                   \
    "local function number(n) return string.format('%.0f', n) end\n"


/*
 * glob(pattern, text): at_glob_match() step by step, as Redis has no function
 * for it that scripts can call.
 */

#define NGX_HTTP_ATELIER_LUA_GLOB                                             \
    "local byte = string.byte\n"                                              \
    "local function glob_set(p, i, c)\n"                                      \
    "  local no, found = byte(p, i) == 94, false\n"                           \
    "  if no then i = i + 1 end\n"                                            \
    "  while i <= #p and byte(p, i) ~= 93 do\n"                               \
    "    if byte(p, i) == 92 and i < #p then i = i + 1 end\n"                 \
    "    local low, high = byte(p, i), byte(p, i)\n"                          \
    "    i = i + 1\n"                                                         \
    "    if i < #p and byte(p, i) == 45 and byte(p, i + 1) ~= 93 then\n"      \
    "      high, i = byte(p, i + 1), i + 2\n"                                 \
    "    end\n"                                                               \
    "    if c >= low and c <= high or c >= high and c <= low then\n"          \
    "      found = true\n"                                                    \
    "    end\n"                                                               \
    "  end\n"                                                                 \
    "  return found ~= no, math.min(i, #p) + 1\n"                             \
    "end\n"                                                                   \
    "local function glob_one(p, i, c)\n"                                      \
    "  local x = byte(p, i)\n"                                                \
    "  if x == 63 then return true, i + 1 end\n"                              \
    "  if x == 91 then return glob_set(p, i + 1, c) end\n"                    \
    "  if x == 92 and i < #p then i = i + 1 end\n"                            \
    "  return byte(p, i) == c, i + 1\n"                                       \
    "end\n"                                                                   \
    "local function glob(p, text)\n"                                          \
    "  local i, j, star, from = 1, 1, nil, nil\n"                             \
    "  while j <= #text do\n"                                                 \
    "    local ok, after = false, i\n"                                        \
    "    if byte(p, i) == 42 then\n"                                          \
    "      i = i + 1\n"                                                       \
    "      star, from = i, j\n"                                               \
    "    else\n"                                                              \
    "      if i <= #p then ok, after = glob_one(p, i, byte(text, j)) end\n"   \
    "      if ok then\n"                                                      \
    "        i, j = after, j + 1\n"                                           \
    "      elseif star then\n"                                                \
    "        from = from + 1\n"                                               \
    "        i, j = star, from\n"                                             \
    "      else\n"                                                            \
    "        return false\n"                                                  \
    "      end\n"                                                             \
    "    end\n"                                                               \
    "  end\n"                                                                 \
    "  while byte(p, i) == 42 do i = i + 1 end\n"                             \
    "  return i > #p\n"                                                       \
    "end\n"


#endif /* NGX_HTTP_ATELIER_GENERATION_LUA_H */
