-- Makes many different plugins, or copies of a module: `copies.lua SIDE FILE FOLDER COUNT`. A plugin gets
-- another name in each copy; a module is the same in all, and the dynamic linker takes each file for a
-- library of its own.
local samples = require "samples"

local side, file, folder, count = arg[1], arg[2], arg[3], tonumber(arg[4])
assert(count <= 9999, "the names have four digits")

local content = samples.read(file)
for i = 1, count do
  if side == "cygnixy" then
    local name = ("bench_%04d"):format(i)
    samples.write(folder .. "/" .. name .. ".so", samples.patch(content, "bench_0000", name))
  else
    -- `require` leaves out what is before the hyphen (5.1), or after it (from 5.2 on), when it looks
    -- for the function that opens the module.
    local form = _VERSION == "Lua 5.1" and "%04d-bench_minimal.so" or "bench_minimal-%04d.so"
    samples.write(folder .. "/" .. form:format(i), content)
  end
end
