-- What the measuring scripts share. They run in the Lua that is measured and write raw samples to
-- standard output, one line for each: group, row, side, unit, value, separated by tabs. What is made of
-- them is in ../report.
--
-- Time is processor time (`os.clock`): nothing here waits for anything, and what else the machine does
-- counts less. Files are in the system's cache, as they were just written.
local samples = {}

samples.repetitions = tonumber(os.getenv "BENCH_REPETITIONS") or 31

function samples.add(group, row, side, unit, value)
  io.write(("%s\t%s\t%s\t%s\t%.17g\n"):format(group, row, side, unit, value))
end

-- The seconds that a function takes.
function samples.time(f, ...)
  local started = os.clock()
  f(...)
  return os.clock() - started
end

-- A module to compare with, or nil if it is not installed for this Lua, which is said then.
function samples.peer(name)
  local ok, module = pcall(require, name)
  if ok then return module end
  local reason = ("module '%s' not found"):format(name)
  assert(tostring(module):find(reason, 1, true), module)
  io.stderr:write(("left out on %s: %s\n"):format(rawget(_G, "jit") and "LuaJIT" or _VERSION, reason))
  io.write(("fact\tleft out, %s\t%s\n"):format(name, reason))
  return nil
end

function samples.read(path)
  local file = assert(io.open(path, "rb"))
  local content = file:read "*a"
  file:close()
  return content
end

function samples.write(path, content)
  local file = assert(io.open(path, "wb"))
  assert(file:write(content))
  assert(file:close())
end

-- Replaces each occurrence of `what` in `content` by text of the same length.
function samples.patch(content, what, by)
  assert(#what == #by)
  local patched, count = content:gsub(what, by)
  assert(count > 0, "the file does not contain " .. what)
  return patched
end

return samples
