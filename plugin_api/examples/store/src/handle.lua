-- What scripts hold of a store. A handle is a table of numbers, and its methods are looked up in the
-- plugin's table each time: so nothing in it belongs to one version of the plugin, a handle goes on
-- working after a reload, and none keeps a library mapped.
local error, getmetatable, pcall, rawget, setmetatable = error, getmetatable, pcall, rawget, setmetatable
local byte, char, gsub, sub = string.byte, string.char, string.gsub, string.sub
-- Before Lua 5.2 only userdata have finalisers. A script may not look for globals that are not there.
local newproxy = rawget(_G, "newproxy")

local handles = {}

-- The metatable of handles. `plugin` is the plugin's table; a finaliser may run when the plugin has ended.
local function metatable_of(plugin)
  local function release(handle)
    pcall(function() plugin.close(handle) end)
  end
  return {
    __index = plugin,
    __name = "store",
    __gc = release,
    __close = release,
    __tostring = function(handle)
      return (handle[2] and "transaction: " or "store: ") .. handle.path
    end,
  }
end

local metatable

-- `number` is the store's, and `transaction` that of a transaction in it. The third place says whether that was
-- ended by hand.
function handles.new(plugin, number, transaction, path, store)
  metatable = metatable or metatable_of(plugin)
  local handle = { number, transaction, path = path, store = store }
  if newproxy then
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = function() metatable.__gc { number, transaction, true } end
    handle.proxy = proxy
  end
  return setmetatable(handle, metatable)
end

local function finish(transaction, ok, ...)
  if ok then
    if not rawget(transaction, 3) then transaction:commit() end
    return ...
  end
  transaction:rollback()
  error((...), 0)
end

function handles.write(store, f)
  local transaction = store:begin()
  return finish(transaction, pcall(f, transaction))
end

-- Each step looks for the next key, so that there is nothing to be closed and a loop may write.
function handles.range(handle, from, to)
  local key, value
  local started = false
  return function()
    if not started then
      started = true
      key, value = handle:seek(from, to)
    elseif key then
      key, value = handle:next(key, to)
    end
    return key, value
  end
end

function handles.prefix(handle, prefix)
  -- The first text behind all that begin with the prefix.
  local to = gsub(prefix, "\255+$", "")
  to = to ~= "" and sub(to, 1, -2) .. char(byte(to, -1) + 1) or nil
  return handles.range(handle, prefix, to)
end

return handles
