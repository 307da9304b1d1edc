-- Writes the reference of the Lua API, docs/api.md, from the annotations that editors read:
-- `lua docs/api.lua <lua/meta/cygnixy.lua >docs/api.md`. Any Lua.

-- The type at the beginning of a text, and what follows it. A type has spaces only inside of brackets and
-- after the colons and commas of a function's results.
local function split_type(text)
  local depth, at = 0, 1
  while at <= #text do
    local char = text:sub(at, at)
    if char:find "[%(%[{<]" then
      depth = depth + 1
    elseif char:find "[%)%]}>]" then
      depth = depth - 1
    elseif char == " " and depth == 0 and not text:sub(at - 1, at - 1):find "[:,]" then
      break
    end
    at = at + 1
  end
  return text:sub(1, at - 1), (text:sub(at):gsub("^%s+", ""))
end

-- Reading ---------------------------------------------------------------------------------------------

-- What a block of annotations says: text, classes' fields, parameters, results, alternatives.
local function block()
  return { text = {}, fields = {}, params = {}, returns = {}, choices = {} }
end

local tags = {}

function tags.class(into, rest) into.class = rest end

function tags.alias(into, rest)
  local name, type = rest:match "^(%S+)%s*(.*)$"
  into.alias, into.type = name, type ~= "" and type or nil
end

function tags.type(into, rest) into.type = rest end

-- The text above a field is the field's.
function tags.field(into, rest)
  local name, typed = rest:match "^(%S+)%s+(.*)$"
  local type, text = split_type(typed)
  local above = into.fields_began and table.concat(into.text, "\n") or ""
  into.text = into.fields_began and {} or into.text
  table.insert(into.fields, { name = name, type = type, text = text ~= "" and text or above })
end

function tags.param(into, rest)
  local name, typed = rest:match "^(%S+)%s+(.*)$"
  local type, text = split_type(typed)
  table.insert(into.params, { name = name, type = type, text = text })
end

tags["return"] = function(into, rest)
  local type, named = split_type(rest)
  local name, text = named:match "^(%S*)%s*(.*)$"
  table.insert(into.returns, { name = name, type = type, text = text })
end

local function add(into, line)
  local tag, rest = line:match "^@(%a+)%s*(.*)$"
  if tag then
    assert(tags[tag], "unknown tag @" .. tag)(into, rest)
    if tag == "class" then
      -- What stands above the tag is about the class, what stands below about its fields.
      into.class_text, into.text, into.fields_began = into.text, {}, true
    end
  elseif line:find "^| " then
    for choice in line:gmatch '"[^"]*"' do table.insert(into.choices, choice) end
  else
    table.insert(into.text, line)
  end
end

-- All blocks with what they are about, in their order.
local function read(lines)
  local items, current = {}, nil
  for line in lines do
    local comment = line:match "^%-%-%-(.*)$"
    if comment and not comment:find "^@meta" then
      current = current or block()
      add(current, comment)
    elseif current then
      current.call = line:match "^function ([%w_.]+)%("
      current.value = not current.class and line:match "^(cygnixy[%w_.]*) = "
      -- A part of the module, such as `cygnixy.lock`: its functions tell what it is.
      current.part = current.class and line:match "^cygnixy[%w_.]* = "
      table.insert(items, current)
      current = nil
    end
  end
  return items
end

-- Writing ---------------------------------------------------------------------------------------------

local function write(...) io.write(...) io.write "\n" end

-- A heading's anchor, as forges make it.
local function anchor(heading)
  return "#" .. heading:lower():gsub("[^%w_%- ]", ""):gsub(" ", "-")
end

local known = {}

-- A type as code, with links to the types of this page that it mentions.
local function shown(type)
  local links, seen = {}, {}
  for name in type:gmatch "cygnixy%.[%w_]+" do
    if known[name] and not seen[name] then
      seen[name] = true
      table.insert(links, ("[%s](%s)"):format(name:match "%.(.*)", anchor(name)))
    end
  end
  return "`" .. type .. "`" .. (#links > 0 and " → " .. table.concat(links, ", ") or "")
end

-- A list's item: the text's further lines are indented.
local function item(name, type, text)
  local colon = text ~= "" and ": " or ""
  write("- `", name, "` (", shown(type), ")", colon, (text:gsub("^%s+", ""):gsub("\n+", "\n  ")))
end

local function paragraphs(lines)
  local text = table.concat(lines, "\n"):gsub("^%s+", ""):gsub("%s+$", "")
  if text ~= "" then write(text, "\n") end
end

-- `load(path [, options])`
local function signature(one)
  local text, open = "", 0
  for i, param in ipairs(one.params) do
    local name = param.name:gsub("%?$", "")
    if param.name:find "%?$" then
      text = text .. (i > 1 and " [, " or "[") .. name
      open = open + 1
    else
      text = text .. (i > 1 and ", " or "") .. name
    end
  end
  return one.call .. "(" .. text .. ("]"):rep(open) .. ")"
end

local function write_function(one)
  write("### ", signature(one), "\n")
  paragraphs(one.text)
  for _, param in ipairs(one.params) do item(param.name:gsub("%?$", ""), param.type, param.text) end
  for _, result in ipairs(one.returns) do
    local name = result.name ~= "" and "`" .. result.name .. "` " or ""
    local text = result.text ~= "" and ": " .. result.text or ""
    write("- returns ", name, "(", shown(result.type), ")", text)
  end
  if #one.params + #one.returns > 0 then write() end
end

local function write_type(one)
  write("### ", one.class or one.alias, "\n")
  paragraphs(one.class and one.class_text or one.text)
  if one.type then write("Short for ", shown(one.type), ".\n") end
  if #one.choices > 0 then write("One of `", table.concat(one.choices, "`, `"), "`.\n") end
  for _, field in ipairs(one.fields) do item(field.name, field.type, field.text) end
  if #one.fields > 0 then write() end
end

local items = read(io.lines())
local functions, types, module = {}, {}, nil
for _, one in ipairs(items) do
  if one.call then
    table.insert(functions, one)
  elseif one.class == "cygnixy" then
    module = one
  elseif one.value then
    local text = table.concat(one.text, "\n")
    table.insert(module.fields, { name = one.value:match "%.(.*)", type = one.type, text = text })
  elseif (one.class or one.alias) and not one.part then
    known[one.class or one.alias] = true
    table.insert(types, one)
  end
end
local function by_name(key)
  return function(a, b) return a[key] < b[key] end
end
table.sort(functions, by_name "call")
table.sort(types, function(a, b) return (a.class or a.alias) < (b.class or b.alias) end)

write "# The Lua API\n"
write "<!-- Made by docs/api.lua from lua/meta/cygnixy.lua; `make docs` makes it anew. -->\n"
paragraphs(module.class_text)
write "The [README](../README.md) explains what stands behind each, and the [guide](guide.md) is the place to begin.\n"
write "Functions:"
for i, one in ipairs(functions) do
  local comma = i < #functions and "," or "."
  write(("[%s](%s)%s"):format(one.call:match "^cygnixy%.(.*)", anchor(signature(one)), comma))
end
write "\n## Fields\n"
for _, field in ipairs(module.fields) do item("cygnixy." .. field.name, field.type, field.text) end
write "\n## Functions\n"
for _, one in ipairs(functions) do write_function(one) end
write "## Types\n"
for _, one in ipairs(types) do write_type(one) end
