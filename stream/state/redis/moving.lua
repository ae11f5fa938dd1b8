-- While the partition's subjects are being moved to another number of partitions (<tag>:moving is there), the names of
-- keys that are written go into the set <tag>:dirty: they are moved once more. Of an index of timers the member is
-- named too, after a zero byte.

local function is_moving(tag)
  return redis.call('EXISTS', tag .. ':moving') == 1
end

local function note_touched(tag, names)
  for from = 1, #names, 2000 do
    redis.call('SADD', tag .. ':dirty', unpack(names, from, math.min(from + 1999, #names)))
  end
end
