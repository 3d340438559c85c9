import { script } from './script.js'

/**
 * Takes or reads the counter that heartbeats answer.
 *
 * A generation is one life of the counter on one server: it ends when the hash is lost, and also when the server is not
 * the one that began it. The second matters in a split brain: a promoted replica inherits the hash, both sides count on
 * from the same number, and a count read on one side must not answer a number taken on the other. `master_replid`
 * changes with every promotion, so it tells them apart.
 *
 * What is no counter, fields that are no numbers or a key of another type, is begun anew likewise. The hash never grows, so
 * a Redis without memory left must count on: it lets a script go on that has made a write that needs none.
 *
 * KEYS: hash. ARGV: a generation to use if one must begin, 1 to take the next number or 0 to read the last.
 * Answers {generation, count}.
 */
export const askScript = script(`
local server = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') or '-'
local function isNumber(text)
  return text and #text <= 15 and string.match(text, '^%d+$')
end
local held = redis.pcall('HMGET', KEYS[1], 'g', 's', 'n')
if held.err or held[2] ~= server or not (isNumber(held[1]) and isNumber(held[3])) then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'g', ARGV[1], 's', server, 'n', '0')
  held = {ARGV[1], server, '0'}
end
if ARGV[2] == '0' then return {held[1], held[3]} end
redis.call('PERSIST', KEYS[1])
return {held[1], redis.call('HINCRBY', KEYS[1], 'n', 1)}
`)
