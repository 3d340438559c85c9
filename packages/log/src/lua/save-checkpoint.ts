import { script } from './script.js'

/**
 * Stores a checkpoint unless the one there is a rival that is newer.
 *
 * Of one epoch, the later position wins. Of two epochs, the one that the stream ends in wins, where the saver's is that
 * one: readers take no other, so a checkpoint left behind by a lost or foreign history, of whatever term, cannot keep a
 * live one out. Where the saver's epoch is not the stream's (a new epoch is not shipped yet, the stream is lost), term
 * and position decide. While an epoch changes two savers may so replace each other's; readers check what they find.
 *
 * The head is text of fixed width, so a comparison of text orders it by term, then position; another magic or format
 * version, or a key of another type, is no rival. The nonce is compared as its eight bytes.
 *
 * KEYS: checkpoint, stream. ARGV: the checkpoint, length of its magic, length of its head, offset of its nonce, term and
 * nonce as text. Answers 1 if stored.
 */
export const saveCheckpointScript = script(`
local magic, head, nonce = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.pcall('GETRANGE', KEYS[1], 0, nonce + 7)
local given = string.sub(ARGV[1], 1, nonce + 8)

local function isLive()
  local newest = redis.pcall('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  if type(newest) ~= 'table' then return false end
  local field = {}
  for i = 1, #newest[2], 2 do field[newest[2][i]] = newest[2][i + 1] end
  return field.t == ARGV[5] and field.e == ARGV[6]
end

local function epoch(text)
  return string.sub(text, 1, magic + 10) .. string.sub(text, nonce + 1, nonce + 8)
end

local isRival = type(held) == 'string' and #held == #given and string.sub(held, 1, magic) == string.sub(given, 1, magic)
if isRival and string.sub(held, 1, head) > string.sub(given, 1, head) and (epoch(held) == epoch(given) or not isLive()) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
`)
