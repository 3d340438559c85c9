import { script } from './script.js'

/**
 * Takes or reads the counter that heartbeats answer.
 *
 * A generation is one life of the counter on one server: it ends when the hash is lost, and also when the server is not
 * the one that began it. The second matters in a split brain: a promoted replica inherits the hash, both sides count on
 * from the same number, and a count read on one side must not answer a number taken on the other. `master_replid`
 * changes with every promotion, so it tells them apart.
 *
 * KEYS: hash. ARGV: a generation to use if one must begin, 1 to take the next number or 0 to read the last.
 * Answers {generation, count}.
 */
export const askScript = script(`
local server = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') or '-'
local held = redis.call('HMGET', KEYS[1], 'g', 's', 'n')
if not held[1] or held[2] ~= server then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'g', ARGV[1], 's', server, 'n', '0')
  held = {ARGV[1], server, '0'}
end
if ARGV[2] == '0' then return {held[1], held[3]} end
return {held[1], redis.call('HINCRBY', KEYS[1], 'n', 1)}
`)
