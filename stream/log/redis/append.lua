-- Appends records to several partitions of the log: all or none, in order, and once, however often it is sent.
-- KEYS: 1 appender (string: MessagePack {number of its last call, {first offset, ...}}), 2... the streams appended to
-- ARGV: 1 number of this call, counted by the appender
--       2 MessagePack of {{record, ...}, ...}, one list for each stream, in the order of KEYS
-- Reply: {first offset, ...}, one for each stream; the records of a list follow one another
--        error 'INVALID ...'; nothing was written; also for a late copy of an earlier call, which has been answered
-- Flags: none: refused above maxmemory. append_always is the same with allow-oom, for what must get through so that the
--        outbox can be trimmed.
-- Entries: r = '<append time> <bytes of the key> <key><value>'; ids 0-1, 0-2..., so that offset N is id 0-(N+1).

local APPENDER_KEPT_MS = 3600000

local function append(keys, argv)
  local call = tonumber(argv[1])
  local last = redis.call('GET', keys[1])
  if last then
    local known = cmsgpack.unpack(last)
    if known[1] == call then return known[2] end
    if known[1] > call then return redis.error_reply('INVALID a late copy of an earlier call') end
  end
  local is_packed, lists = pcall(cmsgpack.unpack, argv[2])
  if not is_packed or type(lists) ~= 'table' or #lists ~= #keys - 1 then
    return redis.error_reply('INVALID the records are not one list for each stream')
  end
  for i, list in ipairs(lists) do
    if type(list) ~= 'table' or #list == 0 then return redis.error_reply('INVALID list of records') end
    for _, record in ipairs(list) do
      if type(record) ~= 'string' then return redis.error_reply('INVALID record') end
    end
    if not is_our_stream(keys[i + 1]) then return redis.error_reply('INVALID ' .. keys[i + 1] .. ' is not a stream of ours') end
  end

  local firsts = {}
  for i, list in ipairs(lists) do
    for j, record in ipairs(list) do
      local id = redis.call('XADD', keys[i + 1], '0-*', 'r', record)
      if j == 1 then firsts[i] = tonumber(string.sub(id, 3)) - 1 end
    end
  end
  redis.call('SET', keys[1], cmsgpack.pack({ call, firsts }), 'PX', APPENDER_KEPT_MS)
  return firsts
end

local function append_always(keys, argv)
  return append(keys, argv)
end
