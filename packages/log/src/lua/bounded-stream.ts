/**
 * The part of a script that reads the end of a log's stream and adds to it.
 *
 * The stream is bounded in entries and in bytes. Each entry says how many bytes were added up to it (field z), so what is
 * held is the newest's minus the oldest's; above the bound it is cut by the same share as if entries were of one size,
 * until it fits. Where Redis has no memory left, the older half goes and the entry is tried again: trimming frees, and
 * nobody but this script trims. A reader that was still there rebases, which is safe.
 *
 * It needs three locals before it: `stream`, `maxEntries` and `maxBytes`. `tail()` answers {position, mark, term, nonce} as
 * text, empty for nowhere; `isForeign` then says whether that is because the last entry is none of a log. `add` gives the
 * error, if any; after adding, `fit()`.
 */
export const boundedStream = `
local overhead = 100
local bytes, isForeign = 0, false

local function number(text)
  local value = text and string.match(text, '^%d+$') and tonumber(text)
  return value and value <= 9007199254740991 and value
end

local function fields(entry)
  local field = {}
  for i = 1, #entry[2], 2 do field[entry[2][i]] = entry[2][i + 1] end
  return field
end

local function tail()
  local newest = redis.pcall('XREVRANGE', stream, '+', '-', 'COUNT', 1)
  isForeign = newest.err ~= nil
  if isForeign or not newest[1] then return {'', '', '', ''} end
  local position, field = string.match(newest[1][1], '^%d+'), fields(newest[1])
  isForeign = not (number(position) and number(field.m) and number(field.t) and number(field.e))
  if isForeign then return {'', '', '', ''} end
  bytes = number(field.z) or 0
  return {position, field.m, field.t, field.e}
end

local function append(...)
  local added = redis.pcall('XADD', stream, 'MAXLEN', '~', maxEntries, ...)
  return type(added) == 'table' and added.err or nil
end

local function add(id, size, ...)
  local total = string.format('%.0f', bytes + size)
  local failure = append(id, 'z', total, ...)
  if failure and string.find(failure, '^%-?OOM') then
    redis.call('XTRIM', stream, 'MAXLEN', math.floor(redis.call('XLEN', stream) / 2))
    failure = append(id, 'z', total, ...)
  end
  if not failure then bytes = bytes + size end
  return failure
end

local function fit()
  for _ = 1, 10 do
    local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
    local held = oldest and bytes - (number(fields(oldest).z) or 0) or 0
    if held <= maxBytes then return end
    local kept = math.floor(redis.call('XLEN', stream) * maxBytes / held * 0.9)
    redis.call('XTRIM', stream, 'MAXLEN', math.max(1, kept))
  end
end
`
