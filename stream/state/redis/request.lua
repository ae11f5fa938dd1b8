-- A decision of the request path: takes caps and publishes in one step. Never touches head or blobs.
-- KEYS: 1 idempotency key (string: MessagePack {payload, resolution, member})
--       2 outbox (stream)
--       3 caps of the subject (hash)
--       4 state blob of the subject (string)
--       5 head of the partition (hash)
--       6 timers of the tenant (sorted set)
-- ARGV: 1 MessagePack of {payload, {{action, {{cap, session, limit, window, at, role, bucket}, ...}}, ...}, milliseconds to keep the answer,
--         generation of the state blob, time to look at the caps of a subject without state or false, its member in the timers, slots}
-- Reply: {'decided', offset, resolution}    resolution is JSON
--        {'repeated', payload, resolution}  the key has been answered before: the first answer
--        {'moved'}                          the subject's state and caps have moved to another; nothing was written
--        {'other', generation}              the blob is of a generation that is not in force, as this is; nothing was written
--        error 'INVALID ...'; nothing was written
-- Flags: none: refused above maxmemory, because a new decision makes the log no shorter.

local MOVED = 0xfe

local function request(keys, argv)
  local answer_key, outbox_key, caps_key, blob_key = keys[1], keys[2], keys[3], keys[4]
  if not is_missing_or(answer_key, 'string') or not is_missing_or(caps_key, 'hash')
    or not is_missing_or(blob_key, 'string') or not is_missing_or(keys[5], 'hash')
    or not is_missing_or(keys[6], 'zset')
    or not is_our_stream(outbox_key) then
    return redis.error_reply('INVALID a key of this request has a foreign type')
  end
  local first = redis.call('GET', answer_key)
  if first then
    local payload, resolution = unpack(cmsgpack.unpack(first))
    return { 'repeated', payload, resolution }
  end
  local is_packed, args = pcall(cmsgpack.unpack, argv[1])
  if not is_packed or type(args) ~= 'table' then return redis.error_reply('INVALID the argument is not MessagePack') end
  local generation = tonumber(redis.call('HGET', keys[5], 'generation') or 0)
  if generation ~= args[4] then return { 'other', whole(generation) } end
  if string.byte(redis.call('GETRANGE', blob_key, 0, 0)) == MOVED then return { 'moved' } end
  local payload, choices, keep = args[1], args[2], args[3]
  if type(payload) ~= 'string' then return redis.error_reply('INVALID the payload is not a string') end
  if type(keep) ~= 'number' or keep < 1 then return redis.error_reply('INVALID the time to keep the answer') end
  local forget_at, member = args[5], args[6]
  if (forget_at and type(forget_at) ~= 'number') or type(member) ~= 'string' then
    return redis.error_reply('INVALID the time to look at the caps')
  end
  local problem = choices_problem(choices) or slots_problem(args[7])
  if problem then return redis.error_reply('INVALID ' .. problem) end

  local caps = read_caps(caps_key)
  local resolution = resolve(caps, choices, args[7])
  -- Nothing else would ever look at caps of someone who only asks: it comes up in the index as a silent subject does.
  if forget_at and next(caps.dirty) and redis.call('EXISTS', blob_key) == 0 then
    redis.call('ZADD', keys[6], 'NX', whole(forget_at), member)
  end
  write_caps(caps)
  write_leases(caps.leases)
  local now = redis.call('TIME')
  local offset = publish(outbox_key, 'decision', payload, resolution, 'request:' .. now[1] .. '.' .. now[2])
  -- With the subject, which the key does not name: that is what the answer is moved by.
  redis.call('SET', answer_key, cmsgpack.pack({ payload, resolution, member }), 'PX', whole(keep))
  local tag = string.match(answer_key, '^{[^}]*}')
  if is_moving(tag) then note_touched(tag, { answer_key, caps_key, keys[6] .. '\0' .. member }) end
  return { 'decided', whole(offset), resolution }
end
