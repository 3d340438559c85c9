import { createHash } from 'node:crypto'

export interface Script {
  readonly source: string
  readonly sha: string
}

const script = (source: string): Script => ({ source, sha: createHash('sha1').update(source).digest('hex') })

/**
 * KEYS: value, lease. ARGV: envelope, its life in ms, the lease's owner or ''.
 * Stores unless what is stored is newer: by term, then tidemark; numbers, since Lua compares text by locale. Then gives
 * the lease back, in the same step, so that whoever takes it next finds the value.
 *
 * What no cache has written does not stand in the way for ever: a value key of another type is stored over, and a lease
 * key without an end, which no lease is, is deleted.
 */
export const storeScript = script(`
local held = redis.pcall('GETRANGE', KEYS[1], 0, 15)
local isNewer = false
if type(held) == 'string' and #held == 16 and string.sub(held, 1, 3) == string.sub(ARGV[1], 1, 3) then
  local term, high, low = struct.unpack('>I4I4I4', held, 5)
  local ownTerm, ownHigh, ownLow = struct.unpack('>I4I4I4', ARGV[1], 5)
  isNewer = term > ownTerm
    or (term == ownTerm and (high > ownHigh or (high == ownHigh and low > ownLow)))
end
if not isNewer then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
if (ARGV[3] ~= '' and redis.pcall('GET', KEYS[2]) == ARGV[3]) or redis.call('PTTL', KEYS[2]) == -1 then
  redis.call('DEL', KEYS[2])
end
return isNewer and 0 or 1
`)

/** KEYS: lease. ARGV: owner. Deletes it only if it is still this owner's. */
export const releaseScript = script(`
if redis.pcall('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`)
