import { script } from './script.js'

/**
 * Stores a checkpoint unless the one there is newer. Its head is text of fixed width, so a comparison of text orders it
 * by term, then position; another magic or format version is no rival.
 *
 * KEYS: checkpoint. ARGV: the checkpoint, length of its magic, length of its head. Answers 1 if stored.
 */
export const saveCheckpointScript = script(`
local magic, head = tonumber(ARGV[2]), tonumber(ARGV[3])
local held = redis.call('GETRANGE', KEYS[1], 0, head - 1)
local given = string.sub(ARGV[1], 1, head)
if #held == head and string.sub(held, 1, magic) == string.sub(given, 1, magic) and held > given then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
`)
