/**
 * Puts an item into the queue, once.
 *
 * KEYS[1] the item (hash)
 * KEYS[2] ids that wait, by expiry (sorted set)
 * KEYS[3] those of its tenant
 * ARGV    id, summary (JSON), record (JSON), escalatesAt, expiresAt, now, most waiting, most of a tenant (times in ms)
 * Returns 'queued' | 'waiting' | 'decided' | 'expired' | 'full'
 */
export const putScript = `
if redis.call('EXISTS', KEYS[1]) == 1 then
  return redis.call('HEXISTS', KEYS[1], 'claim') == 1 and 'decided' or 'waiting'
end
if tonumber(ARGV[5]) <= tonumber(ARGV[6]) then return 'expired' end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[7]) or redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[8]) then
  return 'full'
end
redis.call('HSET', KEYS[1], 'summary', ARGV[2], 'record', ARGV[3], 'escalatesAt', ARGV[4], 'expiresAt', ARGV[5])
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[1])
return 'queued'
`;

/**
 * Gives an item its verdict: the first one stands.
 *
 * KEYS[1] the item
 * KEYS[2] ids that wait
 * KEYS[3] those of its tenant
 * KEYS[4] ids whose verdict is not published, by when it was said (sorted set)
 * ARGV    id, claim (JSON), now, 1 if it says that the time is over, else 0
 * Returns {'won'} | {'taken', the claim that stands} | {'expired'} | {'early'} | {'unknown'}
 */
export const claimScript = `
local claim, expiresAt = unpack(redis.call('HMGET', KEYS[1], 'claim', 'expiresAt'))
if claim then return {'taken', claim} end
if not expiresAt then return {'unknown'} end
local isOver = tonumber(ARGV[3]) >= tonumber(expiresAt)
if ARGV[4] == '1' then
  if not isOver then return {'early'} end
elseif isOver then
  return {'expired'}
end
redis.call('HSET', KEYS[1], 'claim', ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[4], ARGV[3], ARGV[1])
return {'won'}
`;

/**
 * Marks an item that has waited for long.
 *
 * KEYS[1] the item
 * ARGV    now (ms)
 * Returns 1 if it is marked now and was not before
 */
export const escalateScript = `
local claim, escalatesAt, escalated = unpack(redis.call('HMGET', KEYS[1], 'claim', 'escalatesAt', 'escalated'))
if claim or escalated or not escalatesAt or tonumber(ARGV[1]) < tonumber(escalatesAt) then return 0 end
redis.call('HSET', KEYS[1], 'escalated', '1')
return 1
`;

/**
 * Lets go of an item whose verdict is in the log: what is left says that it had one.
 *
 * KEYS[1] the item
 * KEYS[2] ids whose verdict is not published
 * KEYS[3] newest verdicts (list of JSON)
 * KEYS[4] those of its tenant
 * ARGV    id, what is listed (JSON), most listed, in how many ms the item is forgotten
 */
export const publishedScript = `
if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then return end
redis.call('HDEL', KEYS[1], 'record')
redis.call('HSET', KEYS[1], 'published', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
for key = 3, 4 do
  redis.call('LPUSH', KEYS[key], ARGV[2])
  redis.call('LTRIM', KEYS[key], 0, tonumber(ARGV[3]) - 1)
end
`;
