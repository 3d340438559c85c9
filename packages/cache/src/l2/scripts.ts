/**
 * Each script carries out any number of calls, one after the other; what goes wrong with one is its reply and stops no
 * other. On a Cluster they are called for one key at a time.
 */

import { createHash } from 'node:crypto'

export interface Script {
  readonly source: string
  readonly sha: string
}

const script = (source: string): Script => ({ source, sha: createHash('sha1').update(source).digest('hex') })

/**
 * KEYS: value and lease of each. ARGV: owner, the lease's ms and the claimant's floor of each.
 * Takes the lease if it is free, or if the load that holds it is of no use to the claimant: the owner's name begins with its
 * term and tidemark, and what is loaded below the claimant's floor has sunk for it. Whoever holds it then loads on, and finds
 * when it is done that the lease is another's. Then reads the value, in this order: whoever gets the lease sees the value that the
 * holder before it stored, so that nobody loads what has just been loaded. A key of another type is no value: MGET, too,
 * says nil for it.
 */
export const claimScript = script(`
local function isBelow(held, own, floor)
  if type(held) ~= 'string' then return false end
  local term, tidemark = string.match(held, '^(%d+)-(%d+):')
  local ownTerm = string.match(own, '^%d+')
  if not term or not ownTerm then return false end
  return tonumber(term) < tonumber(ownTerm) or (term == ownTerm and tonumber(tidemark) < floor)
end
local replies = {}
for i = 1, #KEYS / 2 do
  local owner, leaseMs, floor = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
  local lease = redis.pcall('SET', KEYS[2 * i], owner, 'PX', leaseMs, 'NX')
  if not lease and isBelow(redis.pcall('GET', KEYS[2 * i]), owner, tonumber(floor)) then
    lease = redis.pcall('SET', KEYS[2 * i], owner, 'PX', leaseMs)
  end
  if lease and lease.err then
    replies[i] = lease.err
  else
    local held = redis.pcall('GET', KEYS[2 * i - 1])
    replies[i] = { lease and 1 or 0, type(held) == 'string' and held or false }
  end
end
return replies
`)

/**
 * KEYS: value and lease of each. ARGV: envelope, its life in ms, the lease's owner or '' of each.
 * Stores unless what is stored is newer: by term, then tidemark; numbers, since Lua compares text by locale. Then gives
 * the lease back, in the same step, so that whoever takes it next finds the value.
 *
 * What no cache has written does not stand in the way for ever: a value key of another type is stored over, and a lease
 * key without an end, which no lease is, is deleted.
 */
export const storeScript = script(`
local function isNewer(held, own)
  if type(held) ~= 'string' or #held ~= 16 or string.sub(held, 1, 3) ~= string.sub(own, 1, 3) then return false end
  local term, high, low = struct.unpack('>I4I4I4', held, 5)
  local ownTerm, ownHigh, ownLow = struct.unpack('>I4I4I4', own, 5)
  return term > ownTerm
    or (term == ownTerm and (high > ownHigh or (high == ownHigh and low > ownLow)))
end
local replies = {}
for i = 1, #KEYS / 2 do
  local value, lease = KEYS[2 * i - 1], KEYS[2 * i]
  local envelope, lifeMs, owner = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
  if isNewer(redis.pcall('GETRANGE', value, 0, 15), envelope) then
    replies[i] = 0
  else
    replies[i] = redis.pcall('SET', value, envelope, 'PX', lifeMs).err or 1
  end
  if (owner ~= '' and redis.pcall('GET', lease) == owner) or redis.pcall('PTTL', lease) == -1 then
    redis.pcall('DEL', lease)
  end
end
return replies
`)

/**
 * KEYS: value of each. ARGV: term, and the upper and lower half of a tidemark, of each.
 * Deletes an envelope that is as old as this or older; what is newer, and what is no envelope, stays.
 */
export const removeScript = script(`
local function mayGo(head, goneTerm, goneHigh, goneLow)
  if type(head) ~= 'string' or #head < 16 or string.sub(head, 1, 3) ~= 'TM\\1' then return false end
  local term, high, low = struct.unpack('>I4I4I4', head, 5)
  return term < goneTerm
    or (term == goneTerm and (high < goneHigh or (high == goneHigh and low <= goneLow)))
end
local replies = {}
for i = 1, #KEYS do
  local head = redis.pcall('getrange', KEYS[i], 0, 15)
  if mayGo(head, tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])) then
    replies[i] = redis.pcall('DEL', KEYS[i])
  else
    replies[i] = 0
  end
end
return replies
`)

/** KEYS: lease of each. ARGV: owner of each. Deletes it only if it is still this owner's. */
export const releaseScript = script(`
local replies = {}
for i = 1, #KEYS do
  replies[i] = redis.pcall('GET', KEYS[i]) == ARGV[i] and redis.pcall('DEL', KEYS[i]) or 0
end
return replies
`)
