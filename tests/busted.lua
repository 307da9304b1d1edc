-- Starts busted's command-line runner. On Lua 5.5 it first makes busted load at all.
--
-- Lua 5.5 made the variables of a `for` loop read-only. Some files of penlight (busted's
-- library) assign to them and so no longer compile. Until fixed releases are packaged, such a
-- file is compiled here with a copy of the variable, `for k in x do local k = k`, on the same
-- line, so that line numbers stay as they are. No other Lua and no other file is touched.

-- The source with a copy of `name`, in the last loop up to `number` that declares it.
local function with_copy(source, name, number)
  local lines = {}
  for line in (source .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = line
  end
  for at = number, 1, -1 do
    local variables, rest = lines[at]:match("%f[%w]for%s+([%w_,%s]-)%s*(%f[%w=]in%f[%W].*)$")
    if variables and (" " .. variables .. " "):find("[%s,]" .. name .. "[%s,]") and rest:find("%f[%w]do%f[%W]") then
      lines[at] = lines[at]:gsub("%f[%w]do%f[%W]", "do local " .. name .. " = " .. name .. " ", 1)
      return table.concat(lines, "\n")
    end
  end
end

-- Compiles a file, copying loop variables for as long as that is what is wrong with it.
local function compile(path)
  local file = assert(io.open(path, "rb"))
  local source = file:read("*a")
  file:close()
  while source do
    local chunk, err = load(source, "@" .. path)
    local number, name = (err or ""):match(":(%d+): attempt to assign to const variable '([%w_]+)'")
    if chunk or not number then
      return chunk, err
    end
    source = with_copy(source, name, tonumber(number))
  end
  return nil, "cannot adapt '" .. path .. "' to this Lua"
end

-- Takes the place of the searcher for Lua files; only files that do not load need help.
local function searcher(name)
  local path, tried = package.searchpath(name, package.path)
  if not path then
    return tried
  end
  local chunk, err = loadfile(path)
  if not chunk and err:find("attempt to assign to const variable", 1, true) then
    chunk, err = compile(path)
  end
  if not chunk then
    error(("error loading module '%s' from file '%s':\n\t%s"):format(name, path, err), 0)
  end
  return chunk, path
end

if _VERSION == "Lua 5.5" then
  package.searchers[2] = searcher
end

require("busted.runner")({ standalone = false })
