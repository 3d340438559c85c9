import { script } from './script.js'

/** For hashes of cards, of which each process writes one. KEYS: the hash. ARGV: id, card, how long the hash outlives its last card in ms. Dates the card by this server's clock. */
export const announceScript = script(`
local now = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000)) .. ' ' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`)

/** KEYS: hash of cards. ARGV: longest silence in ms. Answers [card, ms since, …] and drops the silent ones. */
export const rosterScript = script(`
local now = redis.call('TIME')
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local present = {}
local cards = redis.call('HGETALL', KEYS[1])
for i = 1, #cards, 2 do
  local seenMs, card = string.match(cards[i + 1], '^(%d+) (.*)$')
  if seenMs and nowMs - tonumber(seenMs) <= tonumber(ARGV[1]) then
    present[#present + 1] = card
    present[#present + 1] = string.format('%.0f', nowMs - tonumber(seenMs))
  else
    redis.call('HDEL', KEYS[1], cards[i])
  end
end
return present
`)
