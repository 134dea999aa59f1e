-- Puts alerts into a list, each exactly once however often they are sent, and bounds the list. One call is one step: all
-- of it happens or nothing.
--
-- KEYS[1]  the list, newest alert first
-- ARGV[1]  'head': ARGV[4…] are newer than what is there, the oldest of them first;
--          'tail': they are older, the newest first, and go behind, as long as there is room
-- ARGV[2]  how many alerts the list keeps
-- ARGV[3]  the alert that stands just before ARGV[4] in the log, as "seq:id", or ''
--
-- An alert is known by the number and the id in its own JSON. The list is looked through from the side where the alerts
-- go, up to the first that is ARGV[3] or one of ARGV[4…]: what stands behind that one in ARGV is missing, and only that.
-- If there is none of them, the alerts whose ids the list has not are missing.
--
-- Answers {kind of the key, whether an alert was found, alerts pushed, length of the list}.

local kind = redis.call('TYPE', KEYS[1])['ok']
if kind ~= 'none' and kind ~= 'list' then
  return {kind, 0, 0, 0}
end

local at_head = ARGV[1] == 'head'
local most = tonumber(ARGV[2])
local FIRST = 4
local STEP = 100

local function seq_and_id(alert)
  return string.match(alert, '"seq"%s*:%s*(%d+)'), string.match(alert, '"id"%s*:%s*"(%x+)"')
end

local places = {}
local ids = {}
for place = FIRST, #ARGV do
  local seq, id = seq_and_id(ARGV[place])
  places[seq .. ':' .. id] = place
  ids[place] = id
end
places[ARGV[3]] = FIRST - 1

local length = redis.call('LLEN', KEYS[1])
local found
local there = {}
local looked_at = 0
while looked_at < length and not found do
  local from, to = looked_at, looked_at + STEP - 1
  if not at_head then
    from, to = -looked_at - STEP, -looked_at - 1
  end
  local part = redis.call('LRANGE', KEYS[1], from, to)
  for step = 1, #part do
    local seq, id = seq_and_id(part[at_head and step or #part + 1 - step])
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
  if not at_head and length >= most then
    break
  end
  if found or not there[ids[place]] then
    redis.call(at_head and 'LPUSH' or 'RPUSH', KEYS[1], ARGV[place])
    length = length + 1
    pushed = pushed + 1
  end
end
if length > most then
  redis.call('LTRIM', KEYS[1], 0, most - 1)
  length = most
end
return {kind, found and 1 or 0, pushed, length}
