-- The method `gsub`. Functions of a script are called here and not by Rust, where an error is a text: what they
-- raise arrives as it is. Rust takes the pattern last, so that messages count the arguments without it.
local gsub = ...
local error, type = error, type

local function check(new)
  local kind = type(new)
  if kind ~= "string" and kind ~= "number" then error("invalid replacement value (a " .. kind .. ")", 3) end
end

local function with_groups(matches, text, f, is_found, ...)
  if not is_found then return ... end
  local new = f(...) or nil
  if new then check(new) end
  return with_groups(matches, text, f, matches:next_groups(text, new))
end

return function(pattern, text, replacement, limit)
  local result, count, has_several_groups = gsub(text, replacement, limit, pattern)
  if count then return result, count end
  local matches, f = result, replacement
  if type(replacement) == "table" then
    f = function(key) return replacement[key] end
  end
  if has_several_groups then return with_groups(matches, text, f, matches:next_groups(text)) end
  local next = matches.next
  result, count = next(matches, text)
  while not count do
    local new = f(result) or nil
    if new then check(new) end
    result, count = next(matches, text, new)
  end
  return result, count
end
