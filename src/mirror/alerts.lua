-- Puts alerts into a list, each exactly once however often they are sent, and bounds the list. One call is one step: all
-- of it happens or nothing.
--
-- KEYS[1]  the list, newest alert first
-- ARGV[1]  'head': ARGV[5...] are newer than what is there, the oldest of them first;
--          'mend': ARGV[5...] stand together in the log, the newest first, and each must be in the list, in this order; a
--          full list may lack the older of them
--          'insist': as 'mend', where the alerts before them were missing: a full list may lack none of them for older ones
-- ARGV[2]  how many alerts the list keeps
-- ARGV[3]  the alert that stands just before ARGV[5] in the order of ARGV, as "seq:id", or ''
-- ARGV[4]  'mend', 'insist': where ARGV[3] stood in the list last, from 0
--
-- An alert is known by the number and the id in its own JSON. Whoever writes with this script keeps its own alerts in
-- the list in the order of their numbers, each once:
--
-- 'head'  The list is looked through from its head up to the first that is ARGV[3] or one of ARGV[5...]: what stands
--         behind that one in ARGV is missing, and only that. If there is none of them, the alerts whose ids the list has
--         not are missing.
-- 'mend'  Without ARGV[3] in the list nothing is done: the list is not what the last call left. Where the alerts stand
--         below ARGV[3] in their order nothing is to be done. Else the list is written anew: alerts of ARGV that stand
--         in a wrong place or twice go, those that are missing come behind the one before them. What others wrote stays.
--
-- Answers {kind of the key, whether an alert was found, alerts pushed, length of the list, place of the last of ARGV or
-- -1 if the list ends before it}.

local kind = redis.call('TYPE', KEYS[1])['ok']
if kind ~= 'none' and kind ~= 'list' then
  return {kind, 0, 0, 0, -1}
end

local most = tonumber(ARGV[2])
local FIRST = 5
local STEP = 100
-- A list that is longer is not looked through above the alert before.
local LONG = 20000

local function seq_and_id(alert)
  return string.match(alert, '"seq"%s*:%s*(%d+)'), string.match(alert, '"id"%s*:%s*"(%x+)"')
end

local places = {}
local place_of_id = {}
local ids = {}
for place = FIRST, #ARGV do
  local seq, id = seq_and_id(ARGV[place])
  places[seq .. ':' .. id] = place
  place_of_id[id] = place
  ids[place] = id
end

local length = redis.call('LLEN', KEYS[1])

local function push_at_head()
  places[ARGV[3]] = FIRST - 1
  local found
  local there = {}
  local looked_at = 0
  while looked_at < length and not found do
    local part = redis.call('LRANGE', KEYS[1], looked_at, looked_at + STEP - 1)
    for step = 1, #part do
      local seq, id = seq_and_id(part[step])
      if seq and id then
        found = places[seq .. ':' .. id]
        if found then
          break
        end
        there[id] = true
      end
    end
    looked_at = looked_at + STEP
  end
  local pushed = 0
  for place = (found or FIRST - 1) + 1, #ARGV do
    if found or not there[ids[place]] then
      redis.call('LPUSH', KEYS[1], ARGV[place])
      length = length + 1
      pushed = pushed + 1
    end
  end
  if length > most then
    redis.call('LTRIM', KEYS[1], 0, most - 1)
    length = most
  end
  return {kind, found and 1 or 0, pushed, length, -1}
end

-- Where the alert before stands, or nil.
local function place_of_before()
  local wanted = string.match(ARGV[3], ':(.*)')
  local function is_wanted(alert)
    local _, id = seq_and_id(alert)
    return id == wanted
  end
  local hint = tonumber(ARGV[4]) or 0
  local there = redis.call('LINDEX', KEYS[1], hint)
  if there and is_wanted(there) then
    return hint
  end
  for from = 0, length - 1, STEP do
    local part = redis.call('LRANGE', KEYS[1], from, from + STEP - 1)
    for step = 1, #part do
      if is_wanted(part[step]) then
        return from + step - 1
      end
    end
  end
end

-- The list from `from` on has all of ARGV in their order: the place of the last, or nil.
local function in_order(from)
  local next_place = FIRST
  local last = -1
  while from < length do
    local part = redis.call('LRANGE', KEYS[1], from, from + STEP - 1)
    for step = 1, #part do
      local seq, id = seq_and_id(part[step])
      local place = seq and id and places[seq .. ':' .. id]
      if place then
        if place ~= next_place then
          return nil
        end
        if place == #ARGV then
          return from + step - 1
        end
        next_place = place + 1
      end
    end
    from = from + #part
  end
  return length >= most and ARGV[1] == 'mend' and last or nil
end

local function mend()
  local from = 0
  if ARGV[3] ~= '' then
    local before = place_of_before()
    if not before then
      return {kind, 0, 0, length, -1}
    end
    from = before + 1
  end
  if from >= most then
    return {kind, 1, 0, length, -1}
  end
  local last = in_order(from)
  if last then
    return {kind, 1, 0, length, last}
  end

  local kept = 0
  if length > LONG and from > 0 then
    kept = from
  end
  local all = {}
  while kept + #all < length do
    local part = redis.call('LRANGE', KEYS[1], kept + #all, kept + #all + STEP - 1)
    for step = 1, #part do
      all[#all + 1] = part[step]
    end
  end
  -- Alerts that somebody else's element tells of already.
  local told = {}
  local place_at = {}
  for index = 1, #all do
    local seq, id = seq_and_id(all[index])
    if seq and id then
      place_at[index] = places[seq .. ':' .. id]
      if not place_at[index] and place_of_id[id] then
        told[place_of_id[id]] = true
      end
    end
  end

  local new = {}
  local was_there = {}
  local next_place = FIRST
  -- Behind this one of `new` comes what is missing.
  local behind = 0
  local function put_up_to(place)
    while next_place <= place do
      if not told[next_place] then
        new[#new + 1] = ARGV[next_place]
      end
      next_place = next_place + 1
    end
  end
  for index = 1, #all do
    local place = place_at[index]
    local is_above = kept + index <= from
    if place then
      was_there[place] = true
      if not is_above and place >= next_place then
        put_up_to(place)
        behind = #new
      end
    else
      new[#new + 1] = all[index]
      if is_above then
        behind = #new
      end
    end
  end
  local rest = {}
  for index = behind + 1, #new do
    rest[#rest + 1] = new[index]
    new[index] = nil
  end
  put_up_to(#ARGV)
  last = kept + #new - 1
  for index = 1, #rest do
    new[#new + 1] = rest[index]
  end

  local pushed = 0
  for place = FIRST, #ARGV do
    if not told[place] and not was_there[place] then
      pushed = pushed + 1
    end
  end
  if kept == 0 then
    redis.call('DEL', KEYS[1])
  else
    redis.call('LTRIM', KEYS[1], 0, kept - 1)
  end
  local room = math.min(#new, most - kept)
  for index = 1, room, STEP do
    redis.call('RPUSH', KEYS[1], unpack(new, index, math.min(index + STEP - 1, room)))
  end
  length = kept + math.max(room, 0)
  if last >= length then
    last = -1
  end
  return {kind, 1, pushed, length, last}
end

if ARGV[1] == 'head' then
  return push_at_head()
end
return mend()
