/**
 * Publishes positions, each once, whoever calls and however often.
 *
 * One key remembers the last position told. What lies at or below it was told before; what does not continue it means that
 * positions in between were told by nobody, and every channel that has subscribers hears a reset first. So any number of
 * services may tell the same log without agreeing on anything, and one that dies leaves no gap while another runs.
 *
 * KEYS: the last position told, as `term position`.
 * ARGV: 1 the channel of all; then for each position: term, position, '1' for every channel or '0', text, the reset to send
 *       where it does not continue, number of channels, and name and text of each.
 * Answers how many positions were told.
 */
export const tellScript = `
local all = ARGV[1]
local held = redis.pcall('GET', KEYS[1])
local term, position = string.match(type(held) == 'string' and held or '', '^(%d+) (%d+)$')
term, position = tonumber(term) or -1, tonumber(position) or -1
local told = 0
local last

local function everyone(text)
  redis.call('PUBLISH', all, text)
  for _, channel in ipairs(redis.call('PUBSUB', 'CHANNELS', all .. ':*')) do redis.call('PUBLISH', channel, text) end
end

local i = 2
while i <= #ARGV do
  local itsTerm, itsPosition, channels = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), tonumber(ARGV[i + 5])
  if itsTerm > term or (itsTerm == term and itsPosition > position) then
    local isForEveryone = ARGV[i + 2] == '1'
    local continues = itsTerm == term and itsPosition == position + 1
    if not continues then everyone(ARGV[i + 4]) end
    if isForEveryone then
      if continues or ARGV[i + 3] ~= ARGV[i + 4] then everyone(ARGV[i + 3]) end
    else
      redis.call('PUBLISH', all, ARGV[i + 3])
      for j = 1, channels do
        local at = i + 4 + 2 * j
        redis.call('PUBLISH', all .. ':' .. ARGV[at], ARGV[at + 1])
      end
    end
    term, position, told = itsTerm, itsPosition, told + 1
    last = ARGV[i] .. ' ' .. ARGV[i + 1]
  end
  i = i + 6 + 2 * channels
end
if last then redis.call('SET', KEYS[1], last) end
return told
`
