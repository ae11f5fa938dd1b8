-- Caps of one subject: a hash, read whole, changed in a Lua table, written back field by field.
-- Fields (JSON):
--   w:<cap>      [window ms, floor, time, time, ...]        takes of a cap with a rolling window, oldest first
--   s:<session>  [newest take, [cap, count], [cap, count]]  takes of one session's caps; a floor may follow the newest
--   f            [session floor, cap floor]
-- A cap whose name begins with "!" holds marks: what it counts refuses others, not itself (MARK below).
-- A floor is the price of being bounded: what was forgotten ended at or before it. A take that could fall among the
-- forgotten is answered with "full", so that forgetting never exceeds a cap. stream/state/caps.ts is the same in
-- TypeScript; a property test holds the two together.

local KEPT_SESSIONS = 16
local KEPT_CAPS = 48
local NEVER = -1

local function whole(number)
  return string.format('%.0f', number)
end

local function no_caps(key)
  return { key = key, leases = {}, windows = {}, sessions = {}, session_floor = NEVER, cap_floor = NEVER, dirty = {} }
end

local function read_field(caps, field, value)
  local kind, name = string.sub(field, 1, 2), string.sub(field, 3)
  if kind == 'w:' then
    local times = {}
    for j = 3, #value do times[j - 2] = value[j] end
    caps.windows[name] = { window = value[1], floor = value[2], times = times }
  elseif kind == 's:' then
    local session = { at = value[1], floor = NEVER, counts = {} }
    for j = 2, #value do
      if type(value[j]) == 'number' then session.floor = value[j] else table.insert(session.counts, value[j]) end
    end
    caps.sessions[name] = session
  else
    caps.session_floor, caps.cap_floor = value[1], value[2]
  end
end

-- `leases`: those that this call has read of the partition (leases.lua).
local function read_caps(key, leases)
  local caps = no_caps(key)
  caps.leases = leases or caps.leases
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do read_field(caps, flat[i], cjson.decode(flat[i + 1])) end
  return caps
end

local function count_of(session, cap)
  for _, entry in ipairs(session.counts) do
    if entry[1] == cap then return entry end
  end
  return nil
end

local MARK = 0x21

local function is_mark(cap)
  return string.byte(cap) == MARK
end

local function newest(window)
  return window.times[#window.times] or window.floor
end

-- Marks were dropped by the window that they were made with: for a shorter one all up to the newest counts as full.
local function floor_for(cap, window, length)
  if is_mark(cap) and length < window.window then return newest(window) end
  return window.floor
end

-- How many other marks of its group a take of "!<group>/<name>" meets: in its session, or less than a window away.
local function others_of(caps, take)
  local cap, session, limit, window, at = take[1], take[2], take[3], take[4], take[5]
  local group = string.match(cap, '^[^/]*/') or cap
  local function is_other(name)
    return name ~= cap and string.sub(name, 1, #group) == group
  end
  local used = 0
  if session then
    local known = caps.sessions[session]
    for _, entry in ipairs(known and known.counts or {}) do
      if is_other(entry[1]) then used = used + entry[2] end
    end
    local floor = known and known.floor or caps.session_floor
    return at <= floor and math.max(used, limit) or used
  end
  local may_be_forgotten = at < caps.cap_floor
  for name, known in pairs(caps.windows) do
    if is_other(name) then
      for _, time in ipairs(known.times) do
        if math.abs(time - at) < window then used = used + 1 end
      end
      local floor = floor_for(name, known, window)
      if floor ~= NEVER and at < floor + window then may_be_forgotten = true end
    end
  end
  return may_be_forgotten and math.max(used, limit) or used
end

-- take = {cap, session or false, limit, window ms or false, at, role or false, bucket or false}. One with a bucket is of
-- a limit that all of the tenant share: it counts against what the partition has leased. Role:
--   false      as many as the limit have room
--   'exclude'  of the marks of a group, only those of one name
--   'after'    none for a window's time after a mark; takes nothing itself
local function used_of(caps, take)
  local cap, session, limit, window, at, role = take[1], take[2], take[3], take[4], take[5], take[6]
  if role == 'exclude' then return others_of(caps, take) end
  if session then
    local known = caps.sessions[session]
    if known then
      local entry = count_of(known, cap)
      local used = entry and entry[2] or 0
      return at <= known.floor and math.max(used, limit) or used
    end
    return at <= caps.session_floor and limit or 0
  end
  local known = caps.windows[cap]
  if not known then return at < caps.cap_floor and limit or 0 end
  local used = 0
  for _, time in ipairs(known.times) do
    local is_near = math.abs(time - at) < window
    if role == 'after' then is_near = time <= at and at - time < window end
    if is_near then used = used + 1 end
  end
  local floor = floor_for(cap, known, window)
  if floor ~= NEVER and at < floor + window then used = math.max(used, limit) end
  return used
end

-- Redis compares strings by the server's locale; a digest orders equally old names the same everywhere.
local function precedes(name, other)
  return redis.sha1hex(name) < redis.sha1hex(other)
end

local function forget_session(caps, kept)
  local oldest, total = nil, 0
  for name, session in pairs(caps.sessions) do
    total = total + 1
    if name ~= kept then
      local is_older = oldest == nil or session.at < caps.sessions[oldest].at
        or (session.at == caps.sessions[oldest].at and precedes(name, oldest))
      if is_older then oldest = name end
    end
  end
  if total <= KEPT_SESSIONS or oldest == nil then return false end
  caps.session_floor = math.max(caps.session_floor, caps.sessions[oldest].at)
  caps.sessions[oldest] = nil
  caps.dirty['s:' .. oldest] = true
  caps.dirty['f'] = true
  return true
end

local function forget_cap(caps, kept)
  local oldest, total, now = nil, 0, NEVER
  for _, window in pairs(caps.windows) do now = math.max(now, newest(window)) end
  for name, window in pairs(caps.windows) do
    total = total + 1
    if name ~= kept and newest(window) + window.window <= now then
      local is_older = oldest == nil or newest(window) < newest(caps.windows[oldest])
        or (newest(window) == newest(caps.windows[oldest]) and precedes(name, oldest))
      if is_older then oldest = name end
    end
  end
  if total <= KEPT_CAPS or oldest == nil then return false end
  local gone = caps.windows[oldest]
  caps.cap_floor = math.max(caps.cap_floor, newest(gone) + gone.window)
  caps.windows[oldest] = nil
  caps.dirty['w:' .. oldest] = true
  caps.dirty['f'] = true
  return true
end

-- The floor of a window of which it is only known that it may have been forgotten as far as the cap floor.
local function floor_before(cap_floor, length)
  if cap_floor == NEVER then return NEVER end
  return math.max(0, cap_floor - length)
end

-- Two windows are kept: a take at or after (newest - window) still sees every take that matters to it.
local function forget_takes(window)
  table.sort(window.times)
  if #window.times == 0 then return end
  local horizon = window.times[#window.times] - 2 * window.window
  while window.times[1] and window.times[1] <= horizon do
    window.floor = math.max(window.floor, table.remove(window.times, 1))
  end
end

-- Of marks, one between two others that are less than a window apart says nothing that they don't.
local function forget_marks(window)
  local i = 2
  while window.times[i + 1] do
    if window.times[i + 1] - window.times[i - 1] <= window.window then table.remove(window.times, i) else i = i + 1 end
  end
end

-- Event time from which on nothing taken so far can count (stream/state/caps.ts says why).
local function caps_end(caps, ttl)
  local latest = math.max(caps.session_floor + ttl, caps.cap_floor)
  for _, window in pairs(caps.windows) do latest = math.max(latest, newest(window) + 2 * window.window) end
  for _, session in pairs(caps.sessions) do latest = math.max(latest, session.at + ttl) end
  return latest
end

local function take_session(caps, take)
  local cap, name, at = take[1], take[2], take[5]
  local session = caps.sessions[name]
  if not session then
    session = { at = at, floor = caps.session_floor, counts = {} }
    caps.sessions[name] = session
    forget_session(caps, name)
  end
  session.at = math.max(session.at, at)
  local entry = count_of(session, cap)
  if entry then entry[2] = entry[2] + 1 else table.insert(session.counts, { cap, 1 }) end
  caps.dirty['s:' .. name] = true
end

local function take_window(caps, take)
  local cap, length, at = take[1], take[4], take[5]
  local window = caps.windows[cap]
  if not window then
    window = { window = length, floor = floor_before(caps.cap_floor, length), times = {} }
    caps.windows[cap] = window
  end
  window.floor = floor_for(cap, window, length)
  window.window = length
  table.insert(window.times, at)
  forget_takes(window)
  if is_mark(cap) then forget_marks(window) end
  caps.dirty['w:' .. cap] = true
  forget_cap(caps, cap)
end

local function take_all(caps, takes)
  for _, take in ipairs(takes) do
    if take[7] then
      local lease = lease_of(caps.leases, caps.key, take)
      lease.used, lease.is_dirty = lease.used + 1, true
    elseif take[6] ~= 'after' then
      if take[2] then take_session(caps, take) else take_window(caps, take) end
    end
  end
end

local function encode_window(window)
  local parts = { whole(window.window), whole(window.floor) }
  for _, time in ipairs(window.times) do table.insert(parts, whole(time)) end
  return '[' .. table.concat(parts, ',') .. ']'
end

local function encode_session(session)
  local parts = { whole(session.at) }
  if session.floor ~= NEVER then table.insert(parts, whole(session.floor)) end
  for _, entry in ipairs(session.counts) do
    table.insert(parts, '[' .. cjson.encode(entry[1]) .. ',' .. whole(entry[2]) .. ']')
  end
  return '[' .. table.concat(parts, ',') .. ']'
end

local function write_caps(caps)
  for field in pairs(caps.dirty) do
    local kind, name = string.sub(field, 1, 2), string.sub(field, 3)
    if field == 'f' and caps.session_floor == NEVER and caps.cap_floor == NEVER then
      redis.call('HDEL', caps.key, 'f')
    elseif field == 'f' then
      redis.call('HSET', caps.key, 'f', '[' .. whole(caps.session_floor) .. ',' .. whole(caps.cap_floor) .. ']')
    elseif kind == 'w:' and caps.windows[name] then
      redis.call('HSET', caps.key, field, encode_window(caps.windows[name]))
    elseif kind == 's:' and caps.sessions[name] then
      redis.call('HSET', caps.key, field, encode_session(caps.sessions[name]))
    else
      redis.call('HDEL', caps.key, field)
    end
  end
end

local function mark_all(caps)
  for name in pairs(caps.windows) do caps.dirty['w:' .. name] = true end
  for name in pairs(caps.sessions) do caps.dirty['s:' .. name] = true end
  caps.dirty['f'] = true
end

-- Adds another subject's caps (unionCaps in caps.ts): no take has more room than it would have had beside both.
local function union_caps(into, from)
  for name, window in pairs(into.windows) do
    if not from.windows[name] then
      window.floor = math.max(window.floor, floor_before(from.cap_floor, window.window))
    end
  end
  for name, other in pairs(from.windows) do
    local window = into.windows[name]
    if window then
      window.window = math.max(window.window, other.window)
      window.floor = math.max(window.floor, other.floor)
      for _, time in ipairs(other.times) do table.insert(window.times, time) end
      forget_takes(window)
      if is_mark(name) then forget_marks(window) end
    else
      other.floor = math.max(other.floor, floor_before(into.cap_floor, other.window))
      into.windows[name] = other
    end
  end
  for name, session in pairs(into.sessions) do
    if not from.sessions[name] then session.floor = math.max(session.floor, from.session_floor) end
  end
  for name, other in pairs(from.sessions) do
    local session = into.sessions[name]
    if session then
      session.at = math.max(session.at, other.at)
      session.floor = math.max(session.floor, other.floor)
      for _, entry in ipairs(other.counts) do
        local known = count_of(session, entry[1])
        if known then known[2] = known[2] + entry[2] else table.insert(session.counts, entry) end
      end
    else
      other.floor = math.max(other.floor, into.session_floor)
      into.sessions[name] = other
    end
  end
  into.session_floor = math.max(into.session_floor, from.session_floor)
  into.cap_floor = math.max(into.cap_floor, from.cap_floor)
  mark_all(into)
  while forget_session(into, nil) do end
  while forget_cap(into, nil) do end
end

local function clear_caps(caps)
  mark_all(caps)
  caps.windows, caps.sessions, caps.session_floor, caps.cap_floor = {}, {}, NEVER, NEVER
end

local function has_no_caps(caps)
  return not next(caps.windows) and not next(caps.sessions) and caps.session_floor == NEVER and caps.cap_floor == NEVER
end

local MOST_PACKED_BYTES = 256 * 1024

-- All caps as JSON, for a transfer to carry; the subject has none afterwards. Too many become floors alone.
local function pack_and_clear(caps)
  local parts = {}
  local session_floor, cap_floor = caps.session_floor, caps.cap_floor
  for name, window in pairs(caps.windows) do
    table.insert(parts, cjson.encode('w:' .. name) .. ':' .. encode_window(window))
    cap_floor = math.max(cap_floor, newest(window) + window.window)
  end
  for name, session in pairs(caps.sessions) do
    table.insert(parts, cjson.encode('s:' .. name) .. ':' .. encode_session(session))
    session_floor = math.max(session_floor, session.at, session.floor)
  end
  if caps.session_floor ~= NEVER or caps.cap_floor ~= NEVER then
    table.insert(parts, '"f":[' .. whole(caps.session_floor) .. ',' .. whole(caps.cap_floor) .. ']')
  end
  local packed = '{' .. table.concat(parts, ',') .. '}'
  if #packed > MOST_PACKED_BYTES then
    packed = '{"f":[' .. whole(session_floor) .. ',' .. whole(cap_floor) .. ']}'
  end
  clear_caps(caps)
  return packed
end

-- Caps of JSON that pack_and_clear wrote; nil when it is something else.
local function unpack_caps(packed)
  local is_json, fields = pcall(cjson.decode, packed)
  if not is_json or type(fields) ~= 'table' then return nil end
  local caps = no_caps('')
  for field, value in pairs(fields) do
    if type(field) ~= 'string' or type(value) ~= 'table' or type(value[1]) ~= 'number' then return nil end
    read_field(caps, field, value)
  end
  return caps
end

local function how_full(caps, take)
  if not take[7] then return used_of(caps, take), take[3] end
  local lease = lease_of(caps.leases, caps.key, take)
  return lease.used, lease.granted - lease.returned
end

-- Whether a choice has room; adds what was seen: in the first slot (0) everything, later what put it out.
local function has_room(caps, choice, slot, seen)
  local room = true
  for _, take in ipairs(choice[2]) do
    local used, limit = how_full(caps, take)
    local is_full = used >= limit
    if is_full then room = false end
    if slot == 0 or is_full then
      table.insert(seen, '{"cap":' .. cjson.encode(take[1]) .. ',"action":' .. cjson.encode(choice[1])
        .. ',"used":' .. whole(used) .. ',"limit":' .. whole(limit)
        .. (take[7] and ',"budget":' .. whole(take[3]) or '')
        .. (slot == 0 and '}' or ',"slot":' .. slot .. '}'))
    end
  end
  return room
end

-- choices = {{action, {take, take, ...}}, ...}. For one slot after the other, takes the caps of the first choice with
-- room, in the Lua table only; a slot that nothing is left for ends it, and so does the action '': nothing. Returns
-- the Resolution as JSON.
local function resolve(caps, choices, slots)
  local resolved, seen, left = {}, {}, {}
  for i = 1, #choices do left[i] = i end
  for slot = 0, slots - 1 do
    local available, names = {}, {}
    for _, i in ipairs(left) do
      if has_room(caps, choices[i], slot, seen) then
        table.insert(available, i)
        table.insert(names, i - 1)
      end
    end
    local chosen = table.remove(available, 1)
    table.insert(resolved, '{"chosen":' .. (chosen and chosen - 1 or -1) .. ',"available":['
      .. table.concat(names, ',') .. ']}')
    if not chosen or choices[chosen][1] == '' then break end
    take_all(caps, choices[chosen][2])
    left = available
  end
  return '{"slots":[' .. table.concat(resolved, ',') .. '],"capsSeen":[' .. table.concat(seen, ',') .. ']}'
end

local MOST_SLOTS = 16

local function slots_problem(slots)
  if type(slots) ~= 'number' or slots < 1 or slots > MOST_SLOTS or slots ~= math.floor(slots) then
    return 'the slots are no number'
  end
  return nil
end

-- Says what is wrong with choices, or nil.
local function choices_problem(choices)
  if type(choices) ~= 'table' then return 'choices are not a list' end
  for _, choice in ipairs(choices) do
    if type(choice) ~= 'table' or type(choice[1]) ~= 'string' or type(choice[2]) ~= 'table' then
      return 'a choice is not {action, takes}'
    end
    for _, take in ipairs(choice[2]) do
      if type(take) ~= 'table' or type(take[1]) ~= 'string' or type(take[3]) ~= 'number' or type(take[5]) ~= 'number' then
        return 'a take is not {cap, session, limit, window, at, role, bucket}'
      end
      if (type(take[2]) == 'string') == (type(take[4]) == 'number') then
        return 'a take needs either a session or a window'
      end
      if take[7] and (type(take[7]) ~= 'number' or take[2]) then return 'a take of no bucket' end
      if take[6] and take[6] ~= 'exclude' and (take[6] ~= 'after' or take[2]) then return 'a take of an unknown role' end
    end
  end
  return nil
end

-- Appends and returns the entry's offset.
-- `mark` tells the entry from any other that ever has its offset.
local function publish(outbox, kind, payload, resolution, mark)
  local id
  if resolution then
    id = redis.call('XADD', outbox, '0-*', 'k', kind, 'p', payload, 'm', mark, 'r', resolution)
  else
    id = redis.call('XADD', outbox, '0-*', 'k', kind, 'p', payload, 'm', mark)
  end
  return tonumber(string.sub(id, 3)) - 1
end
