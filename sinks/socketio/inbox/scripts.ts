/** While a partition is being moved, what is written is named, to be moved once more (stream/state/redis/moving.lua). */
const noteTouched = `
local tag = string.match(KEYS[1], '^{[^}]*}')
local function noteTouched()
  if redis.call('EXISTS', tag .. ':moving') == 1 then redis.call('SADD', tag .. ':dirty', unpack(KEYS)) end
end
`;

/**
 * Adds an offer once and keeps both hashes within their bounds. The second hash remembers what the first one forgets,
 * so a repeat after the offer was shown does not bring it back.
 *
 * KEYS[1] waiting offers: decision -> JSON of PendingOffer; expires with its latest offer
 * KEYS[2] pushed offers: decision -> JSON of PushedOffer; expires `keep` later
 * ARGV    decision, PendingOffer, PushedOffer, expiresAt, now, max waiting, max pushed, keep (times in ms)
 * Returns {1 if it waits now, number of unexpired offers dropped for it}
 */
export const putScript = `${noteTouched}
local expiresAt, now = tonumber(ARGV[4]), tonumber(ARGV[5])
local function live(json) return cjson.decode(json)['expiresAt'] > now end

local known = redis.call('HGET', KEYS[2], ARGV[1])
if known and cjson.decode(known)['expiresAt'] + tonumber(ARGV[8]) > now then
  local waiting = redis.call('HGET', KEYS[1], ARGV[1])
  return {(waiting and live(waiting)) and 1 or 0, 0}
end
if expiresAt <= now then return {0, 0} end

local function shrink(key, max, keep)
  if redis.call('HLEN', key) <= max then return 0 end
  local fields, aged = redis.call('HGETALL', key), {}
  for i = 1, #fields, 2 do
    local offer = cjson.decode(fields[i + 1])
    if offer['expiresAt'] + keep <= now then
      redis.call('HDEL', key, fields[i])
    else
      aged[#aged + 1] = {fields[i], offer['decidedAt']}
    end
  end
  local surplus = #aged - max
  if surplus <= 0 then return 0 end
  table.sort(aged, function(a, b)
    if a[2] ~= b[2] then return a[2] < b[2] end
    return a[1] < b[1]
  end)
  for i = 1, surplus do redis.call('HDEL', key, aged[i][1]) end
  return surplus
end

local function lastsAtLeast(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
end

local keep = tonumber(ARGV[8])
noteTouched()
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
lastsAtLeast(KEYS[2], expiresAt - now + keep)
lastsAtLeast(KEYS[1], expiresAt - now)
shrink(KEYS[2], tonumber(ARGV[7]), keep)
local dropped = shrink(KEYS[1], tonumber(ARGV[6]), 0)
return {redis.call('HEXISTS', KEYS[1], ARGV[1]), dropped}
`;

/**
 * Gives an offer to its first claimant.
 *
 * KEYS[1] pushed offers: decision -> JSON of PushedOffer
 * ARGV    decision, claimant, now (ms), keep (ms)
 * Returns 'granted' | 'held' | 'unknown' | 'expired'
 */
export const claimScript = `${noteTouched}
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known then return 'unknown' end
local offer, now = cjson.decode(known), tonumber(ARGV[3])
if offer['expiresAt'] + tonumber(ARGV[4]) <= now then return 'unknown' end
if offer['expiresAt'] <= now then return 'expired' end
if offer['claimedBy'] then return offer['claimedBy'] == ARGV[2] and 'granted' or 'held' end
offer['claimedBy'] = ARGV[2]
noteTouched()
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(offer))
return 'granted'
`;

/**
 * Takes an offer out.
 *
 * KEYS[1] waiting offers
 * ARGV    decision
 */
export const settleScript = `${noteTouched}
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then noteTouched() end
`;
