-- The ledger of a limit that all of a tenant share: what partitions have leased of it. Its keys have a tag of their own.
-- KEYS: 1 hash: <bucket> -> leased of it and not returned; floor -> the newest bucket that was forgotten
--       2 hash of the bucket, <key 1>@<bucket>: g<place> -> ever granted to it, r<place> -> ever returned by it
-- ARGV: 1 bucket, 2 spans, 3 limit, 4 place, 5 granted and 6 returned as the place has them, 7 wanted
--       The limit holds for any spans + 1 buckets in a row.
-- Reply: {granted in all, room that is left}
--        A place that has not noted all that it was granted (it was killed between) is told so, and gets no more.
-- Flags: allow-oom, because commits wait for it.

local function ledger(keys, argv)
  local numbers = {}
  for _, i in ipairs({ 1, 2, 3, 5, 6, 7 }) do
    numbers[i] = tonumber(argv[i])
    if not numbers[i] then return redis.error_reply('INVALID an argument of the ledger is no number') end
  end
  local bucket, spans, limit, place = numbers[1], numbers[2], numbers[3], argv[4]
  local own_granted, own_returned, wanted = numbers[5], numbers[6], numbers[7]
  local totals, floor, count, oldest = {}, NO_BUCKET, 0, nil
  local flat = redis.call('HGETALL', keys[1])
  for i = 1, #flat, 2 do
    local number = tonumber(flat[i])
    if number then
      totals[number] = tonumber(flat[i + 1])
      count = count + 1
      if not oldest or number < oldest then oldest = number end
    else
      floor = tonumber(flat[i + 1])
    end
  end
  local is_new = totals[bucket] == nil
  local is_over = is_new and count >= KEPT_BUCKETS
  -- Buckets that were forgotten may have shared the limit with this one.
  if bucket - spans <= math.max(floor, is_over and oldest or NO_BUCKET) then
    return { whole_number(own_granted), '0' }
  end
  local known = redis.call('HMGET', keys[2], 'g' .. place, 'r' .. place)
  local granted, returned = tonumber(known[1] or 0), tonumber(known[2] or 0)
  local total = totals[bucket] or 0
  -- A place knows more than the ledger only if the ledger went back in time.
  if own_granted > granted then
    total, granted = total + own_granted - granted, own_granted
  end
  if own_returned > returned then
    total, returned = total - (own_returned - returned), own_returned
  end
  totals[bucket] = total
  local fullest = 0
  for first = bucket - spans, bucket do
    local sum = 0
    for one = first, first + spans do sum = sum + (totals[one] or 0) end
    fullest = math.max(fullest, sum)
  end
  local room = math.max(0, limit - fullest)
  local given = granted > own_granted and 0 or math.min(wanted, room)
  if is_over then
    redis.call('HDEL', keys[1], whole_number(oldest))
    redis.call('DEL', keys[1] .. '@' .. whole_number(oldest))
    redis.call('HSET', keys[1], 'floor', whole_number(oldest))
  end
  redis.call('HSET', keys[2], 'g' .. place, whole_number(granted + given), 'r' .. place, whole_number(returned))
  redis.call('HSET', keys[1], whole_number(bucket), whole_number(total + given))
  return { whole_number(granted + given), whole_number(room - given) }
end
