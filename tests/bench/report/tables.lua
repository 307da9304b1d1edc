-- The results as text, for a terminal.
local examples = require "examples"
local loading = require "loading"
local results = require "results"
local thresholds = require "thresholds"

local tables = {}

local function figure(value)
  local digits = math.abs(value) < 9.95 and 2 or math.abs(value) < 99.5 and 1 or 0
  local text = ("%." .. digits .. "f"):format(value)
  return tonumber(text) == 0 and text:gsub("^-", "") or text
end

local function times(ratio)
  return ratio and ("%.2f x"):format(ratio) or "-"
end

local function pad(text, width, left)
  local space = (" "):rep(width - utf8.len(text))
  return left and text .. space or space .. text
end

-- A table of rows: a column with median and quartiles for each side, and a column for each ratio, given as
-- `{ title, side, base }`.
local function of_rows(title, rows, sides, ratios)
  local lines = { title }
  local header = { pad("", 28, true) }
  for _, side in ipairs(sides) do header[#header + 1] = pad(side, 28) end
  for _, ratio in ipairs(ratios) do header[#header + 1] = pad(ratio[1], 13) end
  lines[#lines + 1] = table.concat(header, " ")
  for _, row in ipairs(rows) do
    local line = { pad(row.name, 28, true) }
    for _, side in ipairs(sides) do
      local cell = row[side]
      local text = "-"
      if cell and cell.count > 2 then
        text = ("%s (%s - %s)"):format(figure(cell.median), figure(cell.low), figure(cell.high))
      elseif cell then
        text = figure(cell.median)
      end
      line[#line + 1] = pad(text, 28)
    end
    for _, ratio in ipairs(ratios) do
      line[#line + 1] = pad(times(results.ratio(row, ratio[2], ratio[3])), 13)
    end
    lines[#lines + 1] = table.concat(line, " ")
  end
  return table.concat(lines, "\n") .. "\n"
end

-- Those of the names that a side of some row has.
local function present(rows, names)
  local found = {}
  for _, name in ipairs(names) do
    for _, row in ipairs(rows) do
      if row[name] then
        found[#found + 1] = name
        break
      end
    end
  end
  return found
end

local function spread(cell)
  local digits = cell.median < 9.95 and 2 or 1
  return (("%%.%df (%%.%df - %%.%df)"):format(digits, digits, digits):format(cell.median, cell.low, cell.high))
end

-- The example plugins: a line for each row and rock.
local function of_examples(comparisons)
  local function line(name, ours, rock, theirs, ratio)
    local cells = { pad(name, 34, true), pad(ours, 24), "", pad(rock, 20, true), pad(theirs, 24), pad(ratio, 15) }
    return table.concat(cells, " ")
  end
  local lines = { "example plugins, next to rocks that do the same", line("", "cygnixy", "rock", "", "cygnixy : rock") }
  for _, one in ipairs(comparisons) do
    lines[#lines + 1] = line(("%s, %s"):format(one.row, one.unit), spread(one.ours), one.theirs.name,
      spread(one.theirs), times(one.ratio))
  end
  return table.concat(lines, "\n") .. "\n"
end

local function of_verdicts(abi, result)
  local lines = { "thresholds" }
  for _, verdict in ipairs(thresholds.verdicts(abi, result)) do
    local state, found = "not measured", ""
    if verdict.worst then
      state = verdict.holds and "holds" or "MISSED"
      found = ("worst %s%s (%s)"):format(figure(verdict.worst.value), verdict.unit, verdict.worst.name)
    end
    local limit = ("%s %.2f%s"):format(verdict.kind, verdict.limit, verdict.unit)
    local line = ("  %-13s %-52s %-17s %s"):format(state, verdict.text, limit, found)
    lines[#lines + 1] = line:gsub("%s+$", "")
  end
  return table.concat(lines, "\n") .. "\n"
end

-- All tables of one ABI.
function tables.of(abi, result)
  local parts = { ("== %s (%s) ==\n"):format(abi, result.facts.interpreter or "?") }
  local function add(group, title, sides, ratios, rows)
    rows = rows or result.groups[group]
    if rows and #rows > 0 then parts[#parts + 1] = of_rows(title, rows, present(rows, sides), ratios) end
  end
  add("calls", "a call, ns (through the C API)",
    { "C", "mlua", "cygnixy, create_function", "cygnixy, fast" }, {
      { "create : mlua", "cygnixy, create_function", "mlua" },
      { "fast : C", "cygnixy, fast", "C" },
      { "fast : mlua", "cygnixy, fast", "mlua" },
    })
  add("ffi", "a call, ns (compiled by LuaJIT)",
    { "C, through the C API", "C, through the FFI", "cygnixy, fast", "cygnixy, ffi" }, {
      { "C API : ffi", "C, through the C API", "cygnixy, ffi" },
      { "ffi : C ffi", "cygnixy, ffi", "C, through the FFI" },
    })
  local to_mlua = { { "to mlua", "cygnixy", "mlua" }, { "to C", "cygnixy", "C" } }
  local three = { "C", "mlua", "cygnixy" }
  local summary = loading.summary(result)
  for _, row in ipairs(summary) do
    row.name = ({
      first = "the first", next = "the next nine", last = ("the last 5 %% of %d"):format(summary.count),
      mean = "all but the first, mean",
    })[row.name]
  end
  add("loading", "loading, us (require, or cygnixy.load)", three, to_mlua, summary)
  add("require", "once in a process, us", { "cygnixy" }, {})
  local bare = "dlopen + dlclose"
  add("cycle", "a life, us", { bare, "cygnixy: load, call, unload", "cygnixy: reload" }, {
    { "life : bare", "cygnixy: load, call, unload", bare },
    { "reload : bare", "cygnixy: reload", bare },
  })
  add("heap", "unloading, ms, by objects in the Lua heap", { "one collectgarbage()", "cygnixy: unload" }, {
    { "to one", "cygnixy: unload", "one collectgarbage()" },
  })
  add("memory", "memory for each of many loaded, KiB", three, to_mlua)
  add("size", "file size, KiB", three, to_mlua)
  add("events", "a tracing event in a plugin, ns", { "cygnixy" }, {})
  local comparisons = examples.comparisons(result)
  if #comparisons > 0 then parts[#parts + 1] = of_examples(comparisons) end
  for _, fact in ipairs(result.facts) do
    if fact.name:find "^left out" then parts[#parts + 1] = ("note: %s: %s\n"):format(fact.name, fact.value) end
  end
  if result.facts.events then parts[#parts + 1] = "note: " .. result.facts.events .. "\n" end
  parts[#parts + 1] = of_verdicts(abi, result)
  return table.concat(parts, "\n")
end

return tables
