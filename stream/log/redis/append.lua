-- Appends records to several partitions of the log: all or none, in order, and once, however often it is sent.
-- KEYS: 1 appender (string: MessagePack {number of its last call, {first offset, ...}}), 2... the streams appended to
-- ARGV: 1 number of this call, counted by the appender; 2 append time, Unix milliseconds
--       3 MessagePack of {{key, value, key, value, ...}, ...}, one list for each stream, in the order of KEYS
-- Reply: {first offset, ...}, one for each stream; the records of a list follow one another
--        error 'INVALID ...'; nothing was written
-- Flags: none: refused above maxmemory.
-- Entries: k = record key, v = record value, t = append time; ids 0-1, 0-2..., so that offset N is id 0-(N+1).

local APPENDER_KEPT_MS = 3600000

local function is_our_stream(key)
  local found = redis.call('TYPE', key)['ok']
  if found == 'none' then return true end
  if found ~= 'stream' then return false end
  local info = redis.call('XINFO', 'STREAM', key)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return string.sub(info[i + 1], 1, 2) == '0-' end
  end
  return false
end

local function append(keys, argv)
  local call, time = argv[1], argv[2]
  local last = redis.call('GET', keys[1])
  if last then
    local known = cmsgpack.unpack(last)
    if known[1] == call then return known[2] end
  end
  local is_packed, lists = pcall(cmsgpack.unpack, argv[3])
  if not is_packed or type(lists) ~= 'table' or #lists ~= #keys - 1 then
    return redis.error_reply('INVALID the records are not one list for each stream')
  end
  for i, list in ipairs(lists) do
    if type(list) ~= 'table' or #list == 0 or #list % 2 ~= 0 then return redis.error_reply('INVALID list of records') end
    for _, part in ipairs(list) do
      if type(part) ~= 'string' then return redis.error_reply('INVALID record') end
    end
    if not is_our_stream(keys[i + 1]) then return redis.error_reply('INVALID ' .. keys[i + 1] .. ' is not a stream of ours') end
  end

  local firsts = {}
  for i, list in ipairs(lists) do
    for j = 1, #list, 2 do
      local id = redis.call('XADD', keys[i + 1], '0-*', 'k', list[j], 'v', list[j + 1], 't', time)
      if j == 1 then firsts[i] = tonumber(string.sub(id, 3)) - 1 end
    end
  end
  redis.call('SET', keys[1], cmsgpack.pack({ call, firsts }), 'PX', APPENDER_KEPT_MS)
  return firsts
end
