-- What a partition holds of limits that all of a tenant share: a hash for each tenant and cap, <tag>:lease:<tenant>:<cap>
--   <bucket>   'granted used returned'   counts since ever: what may still be taken is granted - returned - used
--   floor      the newest bucket that was forgotten: at or before it there is nothing to be had
-- A bucket is a stretch of event time. Only the ledger (ledger.lua) grants. stream/state/leases/ is the same in
-- TypeScript; a property test holds the two together.

local KEPT_BUCKETS = 64
local NO_BUCKET = -1e15

local function whole_number(number)
  return string.format('%.0f', number)
end

local function parse_lease(text)
  local granted, used, returned = string.match(text or '', '^(%d+) (%d+) (%d+)$')
  return { granted = tonumber(granted or 0), used = tonumber(used or 0), returned = tonumber(returned or 0) }
end

local function write_lease(key, bucket, lease)
  redis.call('HSET', key, bucket,
    whole_number(lease.granted) .. ' ' .. whole_number(lease.used) .. ' ' .. whole_number(lease.returned))
end

-- The lease that a take of a cap is from; `leases` holds those that a call has read.
local function lease_of(leases, caps_key, take)
  local tag, tenant = string.match(caps_key, '^({[^}]*}):cap:([^:]*):')
  local key, bucket = tag .. ':lease:' .. tenant .. ':' .. take[1], whole_number(take[7])
  local name = key .. '@' .. bucket
  if not leases[name] then
    local lease = parse_lease(redis.call('HGET', key, bucket))
    lease.key, lease.bucket = key, bucket
    leases[name] = lease
  end
  return leases[name]
end

local function write_leases(leases)
  for _, lease in pairs(leases) do
    if lease.is_dirty then write_lease(lease.key, lease.bucket, lease) end
  end
end

-- The oldest bucket of a hash, and how many there are; other fields are no numbers.
local function oldest_bucket(key)
  local oldest, count = nil, 0
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local bucket = tonumber(field)
    if bucket then
      count = count + 1
      if not oldest or bucket < oldest then oldest = bucket end
    end
  end
  return oldest, count
end

-- Reads what a partition holds of one bucket; notes what the ledger granted; gives back what is left.
-- KEYS: 1 the lease (hash)
-- ARGV: 1 bucket, 2 all that was ever granted or '', 3 '1' to give back
-- Reply: {granted, used, returned}, or {} for a bucket that has been forgotten
-- Flags: allow-oom, because commits wait for it.
local function lease(keys, argv)
  local key, bucket = keys[1], argv[1]
  if redis.call('TYPE', key).ok ~= 'none' and redis.call('TYPE', key).ok ~= 'hash' then
    return redis.error_reply('INVALID ' .. key .. ' is not a hash')
  end
  local number = tonumber(bucket)
  if not number then return redis.error_reply('INVALID the bucket is no number') end
  local text = redis.call('HGET', key, bucket)
  if not text then
    local floor = tonumber(redis.call('HGET', key, 'floor') or NO_BUCKET)
    if number <= floor then return {} end
  end
  local held = parse_lease(text)
  local granted, gives_back = tonumber(argv[2]), argv[3] == '1'
  local is_changed = false
  if granted and granted > held.granted then
    held.granted, is_changed = granted, true
  end
  if gives_back and held.granted - held.returned > held.used then
    held.returned, is_changed = held.granted - held.used, true
  end
  if is_changed and not text then
    local oldest, count = oldest_bucket(key)
    if count >= KEPT_BUCKETS then
      if number < oldest then return {} end
      redis.call('HDEL', key, whole_number(oldest))
      redis.call('HSET', key, 'floor', whole_number(oldest))
    end
  end
  if is_changed then write_lease(key, bucket, held) end
  return { whole_number(held.granted), whole_number(held.used), whole_number(held.returned) }
end
