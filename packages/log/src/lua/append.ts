import { boundedStream } from './bounded-stream.js'
import { script } from './script.js'

/**
 * Brings a run of links onto the stream, and answers asks.
 *
 * Invariant: the stream is a piece of one history without holes. A link is appended only right after the link that it
 * names, and a stream is replaced only as a whole and only if it still ends where the caller saw it end. So shippers may
 * race, repeat and die at any point: nobody has to remember what was shipped, and nothing forks.
 *
 * That each link of a run names the one before it is looked at here too: nothing is done with a run that has a hole.
 *
 * The last link can be read from the last entry alone, heartbeats carry it too. Links and marks are compared as text and
 * positions only ordered, so nothing depends on how Lua prints a double. A key of another type, or a last entry that is
 * none of a log, ends nowhere: it is answered as damaged, and a reset from nowhere replaces it.
 *
 * A heartbeat is appended only if its count is higher than the last one's, kept in the ask hash (field b): polling when
 * nobody has asked anything new does not grow the stream. The hash must still be of the generation that the count was
 * read from; losing it only costs a heartbeat. A b above the counter itself is none of ours and counts as none.
 *
 * KEYS: stream, ask hash
 * ARGV: 1 'append' or 'reset'; 2, 3 position and mark where the stream must end ('' and '' for nowhere);
 *       4, 5 about how many entries and bytes the stream keeps; 6, 7 generation and count of the heartbeat ('' for none);
 *       8, 9, 10 position, term and nonce that the stream must have reached to deserve it;
 *       11 … eight a link: position, mark, previous mark, term, nonce, tags, changes, sequenced at.
 * Answers {what, position, mark, term, nonce}: where the stream ends now, empty strings for nowhere. What:
 *       'shipped'; 'elsewhere': it ends elsewhere, nothing done; 'damaged': entries were deleted from its end, or it ends
 *       in something foreign.
 */
export const appendScript = script(`
local stream, ask = KEYS[1], KEYS[2]
local maxEntries, maxBytes = ARGV[4], tonumber(ARGV[5])
local first, width = 11, 8

${boundedStream}
local function answer(what, last)
  return {what, last[1], last[2], last[3], last[4]}
end

local function fail(failure)
  if string.find(failure, 'equal or smaller', 1, true) then return answer('damaged', tail()) end
  return redis.error_reply(failure)
end

local last = tail()
local from = first
local continues = last[1] == ARGV[2] and last[2] == ARGV[3]
if ARGV[1] == 'reset' then
  if not continues then return answer('elsewhere', last) end
elseif isForeign then
  return answer('damaged', last)
elseif not continues then
  for i = first, #ARGV, width do
    if last[1] == ARGV[i] and last[2] == ARGV[i + 1] then
      from, continues = i + width, true
    end
  end
  if not continues then return answer('elsewhere', last) end
end

-- The first link of a reset continues nothing here.
local before = ARGV[1] ~= 'reset' and last[2]
for i = from, #ARGV, width do
  if before and before ~= ARGV[i + 2] then return answer('elsewhere', last) end
  before = ARGV[i + 1]
end
if ARGV[1] == 'reset' then
  redis.call('DEL', stream)
  redis.pcall('HDEL', ask, 'b')
  bytes = 0
end

for i = from, #ARGV, width do
  local size = overhead
  for j = i, i + width - 1 do size = size + #ARGV[j] end
  local failure = add(ARGV[i] .. '-0', size, 'm', ARGV[i + 1], 'q', ARGV[i + 2], 't', ARGV[i + 3], 'e', ARGV[i + 4],
    'k', ARGV[i + 5], 'c', ARGV[i + 6], 's', ARGV[i + 7])
  if failure then return fail(failure) end
end

if from <= #ARGV then
  fit()
  last = tail()
end
if ARGV[6] ~= '' and last[3] == ARGV[9] and last[4] == ARGV[10] and tonumber(last[1]) >= tonumber(ARGV[8]) then
  local held = redis.pcall('HMGET', ask, 'g', 'b', 'n')
  local answered, asked = number(held[2]), number(held[3])
  if not answered or not asked or answered > asked then answered = 0 end
  if held[1] == ARGV[6] and answered < tonumber(ARGV[7]) then
    local failure = add(last[1] .. '-*', overhead, 'm', last[2], 't', last[3], 'e', last[4], 'g', ARGV[6], 'n', ARGV[7])
    if failure then return fail(failure) end
    redis.call('HSET', ask, 'b', ARGV[7])
  end
end
return answer('shipped', last)
`)
