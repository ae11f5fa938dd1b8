-- Checks of stored keys, for functions that must know before their first write that no write can fail.

-- Is the key missing or of this type?
local function is_missing_or(key, kind)
  local found = redis.call('TYPE', key)['ok']
  return found == 'none' or found == kind
end

-- Can entries 0-1, 0-2... go on in this stream?
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
