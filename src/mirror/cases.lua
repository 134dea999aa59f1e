-- Puts cases into a list, each once in its newest state, the one that changed last first, and bounds the list. One call is
-- one step: all of it happens or nothing.
--
-- KEYS[1]  the list
-- ARGV[1]  how many cases the list keeps
-- ARGV[2]  the id of the case that was sent last, or ''
-- ARGV[3...]  cases, the one that changed last behind the others
--
-- A case is known by the id in its JSON, and its state by the version at its end. Where the list has the case in the same
-- or a newer version it stays as it is; an older one is taken out, and the new one goes to the head. What others wrote
-- stays.
--
-- Answers {kind of the key, cases pushed, length of the list, whether the list has the case ARGV[2]}.

local kind = redis.call('TYPE', KEYS[1])['ok']
if kind ~= 'none' and kind ~= 'list' then
  return {kind, 0, 0, 0}
end

local most = tonumber(ARGV[1])
local STEP = 100

local function id_of(case)
  return string.match(case, '"id"%s*:%s*"(%x+)"')
end

local function version_of(case)
  return tonumber(string.match(case, '"version"%s*:%s*(%d+)%s*}%s*$')) or 0
end

local wanted = {}
local missing = 0
local function want(id)
  if not wanted[id] then
    wanted[id] = true
    missing = missing + 1
  end
end
for place = 3, #ARGV do
  want(id_of(ARGV[place]))
end
if ARGV[2] ~= '' then
  want(ARGV[2])
end

-- The list is looked through from its head, where what changes again usually is, until all are found.
local there = {}
local length = redis.call('LLEN', KEYS[1])
local from = 0
while from < length and missing > 0 do
  local part = redis.call('LRANGE', KEYS[1], from, from + STEP - 1)
  for step = 1, #part do
    local id = id_of(part[step])
    if id and wanted[id] and not there[id] then
      there[id] = part[step]
      missing = missing - 1
    end
  end
  from = from + STEP
end
local has_last = ARGV[2] ~= '' and there[ARGV[2]] ~= nil

local pushed = 0
for place = 3, #ARGV do
  local case = ARGV[place]
  local id = id_of(case)
  local old = there[id]
  if not old or version_of(old) < version_of(case) then
    if old then
      redis.call('LREM', KEYS[1], 1, old)
    end
    redis.call('LPUSH', KEYS[1], case)
    there[id] = case
    pushed = pushed + 1
  end
end

redis.call('LTRIM', KEYS[1], 0, most - 1)
return {kind, pushed, redis.call('LLEN', KEYS[1]), has_last and 1 or 0}
