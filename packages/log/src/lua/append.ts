import { script } from './script.js'

/**
 * Brings a run of links onto the stream, and answers asks.
 *
 * Invariant: the stream is a piece of one history without holes. A link is appended only right after the link that it
 * names, and a stream is replaced only as a whole and only if it still ends where the caller saw it end. So shippers may
 * race, repeat and die at any point: nobody has to remember what was shipped, and nothing forks.
 *
 * The last link can be read from the last entry alone, heartbeats carry it too. Links and marks are compared as text and
 * positions only ordered, so nothing depends on how Lua prints a double.
 *
 * A heartbeat is appended only if its count is higher than the last one's, kept in the ask hash (field b): polling when
 * nobody has asked anything new does not grow the stream. The hash must still be of the generation that the count was
 * read from; losing it only costs a heartbeat.
 *
 * KEYS: stream, ask hash
 * ARGV: 1 'append' or 'reset'; 2, 3 position and mark where the stream must end ('' and '' for an empty one);
 *       4 about how many entries the stream keeps; 5, 6 generation and count of the heartbeat ('' for none);
 *       7, 8, 9 position, term and nonce that the stream must have reached to deserve it;
 *       10 … eight a link: position, mark, previous mark, term, nonce, tags, changes, sequenced at.
 * Answers {what, position, mark, term, nonce}: where the stream ends now, empty strings for nowhere, zeros for a last
 * entry that is none of a log. What:
 *       'shipped'; 'elsewhere': it ends elsewhere, nothing done; 'damaged': entries were deleted from its end.
 */
export const appendScript = script(`
local stream, ask = KEYS[1], KEYS[2]
local first, width = 10, 8

local function tail()
  local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  if not newest then return {'', '', '', ''} end
  local field = {}
  for i = 1, #newest[2], 2 do field[newest[2][i]] = newest[2][i + 1] end
  return {string.match(newest[1], '^%d+'), field.m or '0', field.t or '0', field.e or '0'}
end

local function add(id, ...)
  local added = redis.pcall('XADD', stream, 'MAXLEN', '~', ARGV[4], id, ...)
  return type(added) == 'table' and added.err or nil
end

local function answer(what, last)
  return {what, last[1], last[2], last[3], last[4]}
end

local last = tail()
local from = first
local continues = last[1] == ARGV[2] and last[2] == ARGV[3]
if ARGV[1] == 'reset' then
  if not continues then return answer('elsewhere', last) end
  redis.call('DEL', stream)
  redis.call('HDEL', ask, 'b')
elseif not continues then
  for i = first, #ARGV, width do
    if last[1] == ARGV[i] and last[2] == ARGV[i + 1] then
      from, continues = i + width, true
    end
  end
  if not continues then return answer('elsewhere', last) end
end

for i = from, #ARGV, width do
  local failure = add(ARGV[i] .. '-0', 'm', ARGV[i + 1], 'q', ARGV[i + 2], 't', ARGV[i + 3], 'e', ARGV[i + 4],
    'k', ARGV[i + 5], 'c', ARGV[i + 6], 's', ARGV[i + 7])
  if failure then
    if string.find(failure, 'equal or smaller', 1, true) then return answer('damaged', tail()) end
    return redis.error_reply(failure)
  end
end

if from <= #ARGV then last = tail() end
if ARGV[5] ~= '' and last[3] == ARGV[8] and last[4] == ARGV[9] and tonumber(last[1]) >= tonumber(ARGV[7]) then
  local held = redis.call('HMGET', ask, 'g', 'b')
  if held[1] == ARGV[5] and tonumber(held[2] or '0') < tonumber(ARGV[6]) then
    local failure = add(last[1] .. '-*', 'm', last[2], 't', last[3], 'e', last[4], 'g', ARGV[5], 'n', ARGV[6])
    if failure then
      if string.find(failure, 'equal or smaller', 1, true) then return answer('damaged', last) end
      return redis.error_reply(failure)
    end
    redis.call('HSET', ask, 'b', ARGV[6])
  end
end
return answer('shipped', last)
`)
