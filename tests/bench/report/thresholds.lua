-- What the project wants to hold. The benchmark says whether it does and never fails over it.
local examples = require "examples"
local loading = require "loading"
local results = require "results"

local thresholds = {}

local numbers_and_strings = {
  "two numbers", "an integer", "a short string", "a string in and out", "a buffer of 1 MiB",
}
local created, fast = "cygnixy, create_function", "cygnixy, fast"

-- The names of a group's rows.
local function rows_of(result, group)
  local names = {}
  for i, row in ipairs(result.groups[group] or {}) do names[i] = row.name end
  return names
end

-- The ratios of a side to a base in some rows of a group.
local function ratios(result, group, rows, side, base)
  local found = {}
  for _, name in ipairs(rows) do
    local ratio = results.ratio(results.row(result, group, name), side, base)
    if ratio then found[#found + 1] = { name = name, value = ratio } end
  end
  return found
end

local function ratio(result, group, row, side, base)
  return ratios(result, group, { row }, side, base)
end

local function single(name, value)
  return value and { { name = name, value = value } } or {}
end

-- Each has a text, a limit, the unit of the values, and a function that gives a result's values.
local all = {
  { text = "fast functions to C, numbers and strings", most = 1.10, values = function(result)
    return ratios(result, "calls", numbers_and_strings, fast, "C")
  end },
  { text = "fast functions to plain mlua, numbers and strings", most = 0.60, values = function(result)
    return ratios(result, "calls", numbers_and_strings, fast, "mlua")
  end },
  { text = "create_function to plain mlua", most = 1.05, values = function(result)
    return ratios(result, "calls", rows_of(result, "calls"), created, "mlua")
  end },
  { text = "the C module through the C API to the FFI", least = 4, only = "luajit", values = function(result)
    return ratios(result, "ffi", rows_of(result, "ffi"), "C, through the C API", "cygnixy, ffi")
  end },
  { text = "load to require of the plain mlua module", most = 1.25, values = function(result)
    local rows, found = loading.summary(result), {}
    for _, name in ipairs { "first", "next" } do
      found[#found + 1] = single("the " .. name, results.ratio(rows[name], "cygnixy", "mlua"))[1]
    end
    return found
  end },
  { text = "the last of many plugins to the first", most = 1.5, values = function(result)
    local rows = loading.summary(result)
    local last, first = rows.last, rows.first
    return last and single("of " .. rows.count, last.cygnixy.median / first.cygnixy.median) or {}
  end },
  { text = "load, call, unload to dlopen + dlclose", most = 1.5, values = function(result)
    return ratios(result, "cycle", rows_of(result, "cycle"), "cygnixy: load, call, unload", "dlopen + dlclose")
  end },
  { text = "a disabled event", most = 3, unit = " ns", values = function(result)
    local row = results.row(result, "events", "disabled (debug!)")
    return single("median", row and row.cygnixy.median)
  end },
  { text = "size of a minimal plugin to a minimal mlua module", most = 1.15, values = function(result)
    return ratio(result, "size", "a minimal one, stripped", "cygnixy", "mlua")
  end },
  { text = "json decode/encode : lua-cjson, megabytes", most = 1.00, values = function(result)
    local found = {}
    for _, one in ipairs(examples.ratios(result, "json", "lua-cjson")) do
      if not one.name:find "messages$" then found[#found + 1] = one end
    end
    return found
  end },
  { text = "regexp : lrexlib", most = 1.00, values = function(result)
    return examples.ratios(result, "regexp", "lrexlib-pcre2")
  end },
  { text = "regexp : lrexlib with jit_compile", most = 1.00, values = function(result)
    return examples.ratios(result, "regexp", "lrexlib-pcre2, jit")
  end },
}

-- How each threshold stands for a result: `text`, `limit`, `worst` with `name` and `value`, `holds`; the
-- last two are nil if nothing was measured.
function thresholds.verdicts(abi, result)
  local verdicts = {}
  for _, threshold in ipairs(all) do
    if not threshold.only or threshold.only == abi then
      local verdict = {
        text = threshold.text,
        limit = threshold.most or threshold.least,
        kind = threshold.most and "at most" or "at least",
        unit = threshold.unit or " x",
      }
      for _, found in ipairs(threshold.values(result)) do
        local worse = not verdict.worst
          or threshold.most and found.value > verdict.worst.value
          or threshold.least and found.value < verdict.worst.value
        if worse then verdict.worst = found end
      end
      if verdict.worst and threshold.most then
        verdict.holds = verdict.worst.value <= threshold.most
      elseif verdict.worst then
        verdict.holds = verdict.worst.value >= threshold.least
      end
      verdicts[#verdicts + 1] = verdict
    end
  end
  return verdicts
end

return thresholds
