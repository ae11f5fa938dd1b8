-- A reader's own bytes for a partition, and layouts: a hash field that can be written above maxmemory too, because a
-- reader that cannot save its position cannot let the logs be trimmed.
-- KEYS: 1 hash
-- ARGV: 1 field, 2 value
-- Reply: 1 when the field is new, else 0
-- Flags: allow-oom.

local function save_reader(keys, argv)
  return redis.call('HSET', keys[1], argv[1], argv[2])
end
