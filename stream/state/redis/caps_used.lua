-- How full caps are, without taking.
-- KEYS: 1 caps of the subject (hash)
-- ARGV: 1 MessagePack of {{cap, session, limit, window, at, role, bucket}, ...}
-- Reply: {used, ...} in the order asked
-- Flags: no-writes.

local function caps_used(keys, argv)
  if not is_missing_or(keys[1], 'hash') then return redis.error_reply('INVALID the caps are not a hash') end
  local takes = cmsgpack.unpack(argv[1])
  local problem = choices_problem({ { '', takes } })
  if problem then return redis.error_reply('INVALID ' .. problem) end
  local caps = read_caps(keys[1])
  local used = {}
  for i, take in ipairs(takes) do used[i] = how_full(caps, take) end
  return used
end
