import { boundedStream } from './bounded-stream.js'
import { script } from './script.js'

/**
 * Numbers a change, or says where the log ends: the log of a Redis that is its own clock.
 *
 * Invariant: within one epoch, positions are given by one life of one server, one after the other, without a hole and
 * without a second history. So (epoch, position) names one change for ever, and where one epoch ends nobody has to know
 * what was lost: its successor sinks everything.
 *
 * Why it holds. The clock hash names the server that numbers, by its `master_replid`, which is drawn anew by every start
 * and every promotion, and the link that the stream ends in. An epoch begins before anything else is answered where
 * - there is no such clock, or another server wrote it: whatever this one lacks, it lacks from before this moment;
 * - the stream does not end in the clock's link: flushed, evicted, cut or written to by somebody else;
 * - the caller has followed what this log never said: a higher term, another nonce, a later position, another mark.
 *
 * The new term lies above every term known here, that of the caller included, so that the caller's token is never told
 * less than it had. Where nobody here knows any, after a flush, the server's time in seconds stands in: above any term
 * of before, as long as epochs begin less than once a second. Where a clock was set back and it is not, those who follow
 * the higher term say so with their next call, and a further epoch begins. The position lies above all that is known, so
 * that a reader who blocks on the stream wakes up to it; the epoch's own row touches everything.
 *
 * Two servers that both take themselves for the master begin epochs of their own, with nonces of their own: values of
 * the one are sunk for the other.
 *
 * Asking is a write, though it changes nothing: so a replica, a server that misses the replicas that it needs
 * (`min-replicas-to-write`), and one that cannot persist refuse, and their followers go blind. PERSIST is the one that
 * also a Redis without memory lets pass, and everything after it in the script.
 *
 * KEYS: stream, clock hash
 * ARGV: 1 'publish' or 'head'; 2, 3, 4, 5 term, nonce, position and mark that the caller follows ('' each for none);
 *       6, 7, 8, 9 if an epoch must begin: its nonce, and the mark, tags and changes of its row;
 *       10, 11 about how many entries and bytes the stream keeps; 12, 13, 14 mark, tags and changes to publish.
 * Answers {term, nonce, position, mark, previous mark, server}: the link published, or the head. The previous mark is
 *       that of a link written by this call, else empty.
 */
export const numberScript = script(`
local stream, clock = KEYS[1], KEYS[2]
local maxEntries, maxBytes = ARGV[10], tonumber(ARGV[11])
${boundedStream}
redis.call('PERSIST', clock)
local replication = redis.call('INFO', 'replication')
if string.find(replication, 'role:slave', 1, true) then
  return redis.error_reply('READONLY this server is a replica, it numbers nothing')
end
local server = string.match(replication, 'master_replid:(%w+)') or '-'
local time = redis.call('TIME')
local nowMs = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))

local held = redis.pcall('HMGET', clock, 's', 't', 'e', 'p', 'm')
if held.err then held = {} end
local last = tail()
local term, nonce, position, mark = last[3], last[4], last[1], last[2]
local isWhole = term ~= '' and term == held[2] and nonce == held[3] and position == held[4] and mark == held[5]
local previous = ''

local function isDenied()
  if ARGV[2] == '' then return false end
  local theirs, ours = number(ARGV[2]), number(term)
  if theirs ~= ours then return theirs > ours end
  if ARGV[3] ~= nonce then return true end
  theirs, ours = number(ARGV[4]), number(position)
  if theirs ~= ours then return theirs > ours end
  return ARGV[5] ~= mark
end

local function add_link(newMark, tags, changes)
  local next = string.format('%.0f', (number(position) or 0) + 1)
  local before = mark == '' and '0' or mark
  local failure = add(next .. '-0', overhead + #tags + #changes + 100, 'm', newMark, 'q', before, 't', term, 'e', nonce,
    'k', tags, 'c', changes, 's', nowMs)
  if not failure then position, mark, previous = next, newMark, before end
  return failure
end

local function begin_epoch()
  local newTerm, newPosition = math.min(tonumber(time[1]), 4000000000), 0
  for _, known in ipairs({held[2] or '', term, ARGV[2]}) do newTerm = math.max(newTerm, (number(known) or 0) + 1) end
  for _, known in ipairs({held[4] or '', position, ARGV[4]}) do newPosition = math.max(newPosition, number(known) or 0) end
  if not isWhole then
    redis.call('DEL', stream)
    bytes = 0
  end
  redis.call('DEL', clock)
  term, nonce, position = string.format('%.0f', newTerm), ARGV[6], string.format('%.0f', newPosition)
  return add_link(ARGV[7], ARGV[8], ARGV[9])
end

local failure
if not isWhole or held[1] ~= server or isDenied() then failure = begin_epoch() end
if not failure and ARGV[1] == 'publish' then failure = add_link(ARGV[12], ARGV[13], ARGV[14]) end
if failure and string.find(failure, 'equal or smaller', 1, true) then
  isWhole = false
  failure = begin_epoch()
  if not failure and ARGV[1] == 'publish' then failure = add_link(ARGV[12], ARGV[13], ARGV[14]) end
end
if failure then return redis.error_reply(failure) end
if previous ~= '' then
  fit()
  redis.call('HSET', clock, 's', server, 't', term, 'e', nonce, 'p', position, 'm', mark)
end
return {term, nonce, position, mark, previous, server}
`)
