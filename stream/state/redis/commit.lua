-- The atomic commit of a partition (ARCHITECTURE, "The commit").
-- KEYS: 1 head    hash: position, commit, sequence, generation (in force; absent: 0). <tag>:head@<n> is the head of a
--                 generation that is being built beside it
--       2 commits hash: <sequence mod 8> -> commit id, newline, JSON list of resolutions; what a repeat is answered from
--       3 outbox  stream with ids 0-1, 0-2...
--       4 partition string
--       While the partition is being moved, <tag>:dirty takes the names of what is written (moving.lua).
--       State blobs, caps and timers (sorted sets) have the keys' hash tag and are named in the argument: 3,000 KEYS would cost more than
--       the writes.
-- ARGV: 1 MessagePack of
--         {previous commit id, this commit id, position, partition state or false,
--          {blob key, blob, ...}, {key to delete, ...},
--          {item, ...},
--          {{timers key, {due, member, ...}, {member to remove, ...}}, ...},
--          generation that blobs and timers are of, generation to put in force or false}; an item is one of
--           {'batch' | 'dead' | 'forward', payload}
--           {'decision', payload, caps key, {{action, {{cap, session, limit, window, at, role, bucket}, ...}}, ...}, slots}
--           {'transfer', payload, caps key}  published with the caps, which the subject then has no more
--           {'caps', JSON, caps key}         publishes nothing: adds caps that another subject's transfer carried
--           {'mark', cap, caps key, window, time}   publishes nothing: marks a cap (caps.lua), as a dismissal does
--           {'expire', time, caps key, ms of silence before it, timers key or false, member}
--                                            publishes nothing: forgets caps if none of them can count any more, and
--                                            the entry of a subject that has none then
--         Items take effect on caps one after the other.
-- Reply: {'committed', sequence, JSON list of resolutions}   also when this very commit had been made before
--        {'fenced', position, commit id, sequence, generation} the head is another one, or of another generation
--        error 'INVALID ...' when an argument or a stored key is not what it must be; nothing was written
-- Flags: allow-oom, because the way out of a full Redis is through commits.

local KEPT_COMMITS = 8
local MOST_BLOBS = 3000
local MOST_TIMERS = 6000
-- Values that one call may take through unpack.
local AT_ONCE = 2000

local function stored_answer(commits, id)
  local flat = redis.call('HVALS', commits)
  for _, value in ipairs(flat) do
    local sequence, known, resolutions = string.match(value, '^(%d+)\n([^\n]*)\n(.*)$')
    if known == id then return { 'committed', sequence, resolutions } end
  end
  return nil
end

local function ids_problem(args)
  if type(args) ~= 'table' then return 'the argument is not a list' end
  if type(args[1]) ~= 'string' then return 'the previous commit id is not a string' end
  if type(args[2]) ~= 'string' or args[2] == '' then return 'the commit id is not a string' end
  return nil
end

local function is_own(key, prefix)
  return type(key) == 'string' and string.sub(key, 1, #prefix) == prefix
end

local function is_finite(number)
  return type(number) == 'number' and number >= 0 and number < 1e14
end

-- How keys of a generation are told from those of others.
local function mark_of(generation)
  return generation == 0 and '' or '@' .. whole(generation)
end

local function is_generation(number)
  return type(number) == 'number' and number >= 0 and number < 1e9 and number == math.floor(number)
end

-- A generation is put in force at the very position that it has reached.
local function activation_problem(generation, position, tag)
  if generation == false then return nil end
  if not is_generation(generation) then return 'the generation to activate is no number' end
  local shadow = tag .. ':head@' .. whole(generation)
  if not is_missing_or(shadow, 'hash') then return shadow .. ' is not a hash' end
  if tonumber(redis.call('HGET', shadow, 'position') or 0) ~= position then
    return 'generation ' .. whole(generation) .. ' is not at position ' .. whole(position)
  end
  return nil
end

local function timers_problem(timers, prefix)
  if type(timers) ~= 'table' then return 'the timers are not lists' end
  local count = 0
  for _, index in ipairs(timers) do
    if type(index) ~= 'table' or not is_own(index[1], prefix) then return 'a foreign timers key' end
    if not is_missing_or(index[1], 'zset') then return index[1] .. ' is not a sorted set' end
    local due, gone = index[2], index[3]
    if type(due) ~= 'table' or type(gone) ~= 'table' or #due % 2 ~= 0 then return 'the timers are not lists' end
    count = count + #due / 2 + #gone
    if count > MOST_TIMERS then return 'too many timers' end
    for i = 1, #due, 2 do
      if not is_finite(due[i]) or type(due[i + 1]) ~= 'string' then return 'a timer is not {due, member}' end
    end
    for _, member in ipairs(gone) do
      if type(member) ~= 'string' then return 'a timer to remove is not a string' end
    end
  end
  return nil
end

local function expiry_problem(item, tag, prefix)
  local _, at, caps_key, ttl, timers_key, member = unpack(item, 1, 6)
  if not is_own(caps_key, tag .. ':cap:') or (timers_key and not is_own(timers_key, prefix)) then
    return 'a foreign key of an expired subject'
  end
  if type(member) ~= 'string' or not is_finite(at) or not is_finite(ttl) then
    return 'an expired subject without a time'
  end
  if not is_missing_or(caps_key, 'hash') then return caps_key .. ' is not a hash' end
  if timers_key and not is_missing_or(timers_key, 'zset') then return timers_key .. ' is not a sorted set' end
  return nil
end

local function item_problem(item, tag, timers_prefix)
  if type(item) ~= 'table' then return 'an outbox item is not a list' end
  local kind = item[1]
  if kind == 'expire' then return expiry_problem(item, tag, timers_prefix) end
  if type(item[2]) ~= 'string' then return 'an outbox item without payload' end
  if kind == 'batch' or kind == 'dead' or kind == 'forward' then return nil end
  if kind ~= 'decision' and kind ~= 'transfer' and kind ~= 'caps' and kind ~= 'mark' then return 'an outbox item of an unknown kind' end
  if not is_own(item[3], tag .. ':cap:') then return 'a foreign caps key' end
  if not is_missing_or(item[3], 'hash') then return item[3] .. ' is not a hash' end
  if kind == 'caps' and not unpack_caps(item[2]) then return 'caps that are none' end
  if kind == 'mark' and not (is_mark(item[2]) and is_finite(item[4]) and is_finite(item[5])) then
    return 'a mark that is none'
  end
  if kind ~= 'decision' then return nil end
  return choices_problem(item[4]) or slots_problem(item[5])
end

local function commit_problem(args, head_position, tag)
  local position, partition_state, blobs, deletes, outbox = args[3], args[4], args[5], args[6], args[7]
  -- Only a generation that was made anew may begin anywhere: the log may have lost what the one before is at.
  if type(position) ~= 'number' or (position < head_position and not args[10]) then
    return 'position ' .. tostring(position) .. ' is before the committed ' .. tostring(head_position)
  end
  if partition_state ~= false and type(partition_state) ~= 'string' then return 'the partition state is not bytes' end
  if type(blobs) ~= 'table' or #blobs % 2 ~= 0 or #blobs > 2 * MOST_BLOBS then return 'too many blobs' end
  if type(deletes) ~= 'table' or #deletes > MOST_BLOBS then return 'too many deletes' end
  if type(outbox) ~= 'table' then return 'the outbox is not a list' end
  if not is_generation(args[9]) then return 'the generation is no number' end
  local mark = mark_of(args[9])
  local timers_prefix = tag .. ':timers' .. mark .. ':'
  local prefix = tag .. ':state' .. mark .. ':'
  local length = #prefix
  for i = 1, #blobs, 2 do
    if type(blobs[i]) ~= 'string' or string.sub(blobs[i], 1, length) ~= prefix then return 'a foreign blob key' end
    if type(blobs[i + 1]) ~= 'string' then return 'a blob is not bytes' end
  end
  for _, key in ipairs(deletes) do
    if type(key) ~= 'string' or string.sub(key, 1, length) ~= prefix then return 'a foreign key to delete' end
  end
  for _, item in ipairs(outbox) do
    local problem = item_problem(item, tag, timers_prefix)
    if problem then return problem end
  end
  return timers_problem(args[8], timers_prefix) or activation_problem(args[10], position, tag)
end

-- ZADD or ZREM with many values.
local function many(command, key, values)
  for from = 1, #values, AT_ONCE do
    redis.call(command, key, unpack(values, from, math.min(from + AT_ONCE - 1, #values)))
  end
end

-- What an item does to the caps of its subject; what it then has to say with its payload.
local function apply(item, caps)
  local kind = item[1]
  if kind == 'decision' then return resolve(caps, item[4], item[5]) end
  if kind == 'transfer' then return pack_and_clear(caps) end
  if kind == 'mark' then
    take_window(caps, { item[2], false, 1, item[4], item[5] })
  elseif kind == 'expire' then
    if caps_end(caps, item[4]) <= item[2] then clear_caps(caps) end
  else
    union_caps(caps, unpack_caps(item[2]))
  end
  return nil
end

-- Everything of subjects that a commit writes, by name.
local function touched(args, by_subject)
  local names = {}
  for i = 1, #args[5], 2 do table.insert(names, args[5][i]) end
  for _, key in ipairs(args[6]) do table.insert(names, key) end
  for key in pairs(by_subject) do table.insert(names, key) end
  for _, index in ipairs(args[8]) do
    for i = 2, #index[2], 2 do table.insert(names, index[1] .. '\0' .. index[2][i]) end
    for _, member in ipairs(index[3]) do table.insert(names, index[1] .. '\0' .. member) end
  end
  for _, item in ipairs(args[7]) do
    if item[1] == 'expire' and item[5] then table.insert(names, item[5] .. '\0' .. item[6]) end
  end
  return names
end

local function commit(keys, argv)
  local head_key, commits_key, outbox_key, partition_key = keys[1], keys[2], keys[3], keys[4]
  if not is_missing_or(head_key, 'hash') or not is_missing_or(commits_key, 'hash')
    or not is_missing_or(partition_key, 'string') or not is_our_stream(outbox_key) then
    return redis.error_reply('INVALID a key of this partition has a foreign type')
  end
  local is_packed, args = pcall(cmsgpack.unpack, argv[1])
  if not is_packed then return redis.error_reply('INVALID the argument is not MessagePack') end
  local problem = ids_problem(args)
  if problem then return redis.error_reply('INVALID ' .. problem) end

  local head = redis.call('HMGET', head_key, 'position', 'commit', 'sequence', 'generation')
  local position, current, sequence = tonumber(head[1] or 0), head[2] or '', tonumber(head[3] or 0)
  local generation = tonumber(head[4] or 0)
  local tag = string.match(head_key, '^{[^}]*}')
  local is_shadow = head_key ~= tag .. ':head'
  -- What is built beside the generation in force ends when it is that itself, or has been overtaken.
  if is_shadow then generation = tonumber(redis.call('HGET', tag .. ':head', 'generation') or 0) end
  local is_current = (is_shadow and generation < (tonumber(args[9]) or 0)) or (not is_shadow and generation == args[9])
  if current ~= args[1] or not is_current then
    return stored_answer(commits_key, args[2])
      or { 'fenced', whole(position), current, whole(sequence), whole(generation) }
  end
  problem = commit_problem(args, position, tag)
  if problem then return redis.error_reply('INVALID ' .. problem) end

  local id, blobs, deletes, outbox = args[2], args[5], args[6], args[7]
  local by_subject, leases, resolutions, resolved = {}, {}, {}, {}
  for i, item in ipairs(outbox) do
    if item[3] then
      local caps = by_subject[item[3]]
      if not caps then
        caps = read_caps(item[3], leases)
        by_subject[item[3]] = caps
      end
      resolved[i] = apply(item, caps)
      if item[1] == 'decision' then table.insert(resolutions, resolved[i]) end
    end
  end

  -- Every check is behind us; from here on only writes that cannot fail, position and commit id last.
  if #blobs > 0 then redis.call('MSET', unpack(blobs)) end
  if #deletes > 0 then redis.call('DEL', unpack(deletes)) end
  if is_moving(tag) then note_touched(tag, touched(args, by_subject)) end
  if args[4] then redis.call('SET', partition_key, args[4]) end
  for _, caps in pairs(by_subject) do write_caps(caps) end
  write_leases(leases)
  for _, index in ipairs(args[8]) do
    many('ZADD', index[1], index[2])
    many('ZREM', index[1], index[3])
  end
  for i, item in ipairs(outbox) do
    if item[1] == 'expire' then
      if item[5] and has_no_caps(by_subject[item[3]]) then redis.call('ZREM', item[5], item[6]) end
    elseif item[1] ~= 'caps' and item[1] ~= 'mark' then
      publish(outbox_key, item[1], item[2], resolved[i], id)
    end
  end
  local next_sequence = whole(sequence + 1)
  local answer = '[' .. table.concat(resolutions, ',') .. ']'
  redis.call('HSET', commits_key, whole((sequence + 1) % KEPT_COMMITS), next_sequence .. '\n' .. id .. '\n' .. answer)
  if args[10] then redis.call('HSET', head_key, 'generation', whole(args[10])) end
  redis.call('HSET', head_key, 'position', whole(args[3]), 'sequence', next_sequence, 'commit', id)
  return { 'committed', next_sequence, answer }
end
