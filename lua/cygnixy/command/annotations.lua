-- Annotations for the Lua language servers, made of what `cygnixy.list` tells of a plugin.

local annotations = {}

local function set(words)
  local result = {}
  for word in words:gmatch("%S+") do
    result[word] = true
  end
  return result
end

local keywords = set([[and break do else elseif end false for function goto if in local nil not or repeat
  return then true until while global]])

-- The types that language servers know by themselves.
local known = set([[any boolean false fun function integer lightuserdata nil number self string table thread
  true unknown userdata]])

local function is_name(text)
  return text:find("^[%a_][%w_]*$") ~= nil and not keywords[text]
end

-- Text as a name: what cannot be in one becomes `_`.
local function to_name(text)
  local name = text:gsub("[^%w_]", "_"):gsub("^%d", "_%0")
  if keywords[name] or name == "" then name = name .. "_" end
  return name
end

-- Splits at commas that are not within brackets or quotes.
local function split(text)
  local parts, depth, quote, from = {}, 0, nil, 1
  for at = 1, #text do
    local letter = text:sub(at, at)
    if quote then
      if letter == quote then quote = nil end
    elseif letter == '"' or letter == "'" then
      quote = letter
    elseif letter:find("[%(<{%[]") then
      depth = depth + 1
    elseif letter:find("[%)>}%]]") then
      depth = depth - 1
    elseif letter == "," and depth == 0 then
      parts[#parts + 1] = text:sub(from, at - 1)
      from = at + 1
    end
  end
  parts[#parts + 1] = text:sub(from)
  for index, part in ipairs(parts) do
    parts[index] = part:match("^%s*(.-)%s*$")
  end
  if #parts == 1 and parts[1] == "" then return {} end
  return parts
end

-- A type as it is written in a signature, in parts: `...string?` is string, optional, and the rest.
local function to_type(text)
  local bare, dots = text:gsub("^%.%.%.", "")
  local name, question = bare:gsub("%?$", "")
  return { name = name == "" and "any" or name, is_optional = question > 0, is_rest = dots > 0 }
end

-- Reads `(a: number, string?, ...integer) -> number`; returns parameters and results.
local function parse(signature)
  local inside, after = signature:match("^(%b())%s*(.*)$")
  if not inside then return {}, {} end
  local parameters, results = {}, {}
  for index, text in ipairs(split(inside:sub(2, -2))) do
    local name, of = text:match("^([%a_][%w_]*)%s*:%s*(.+)$")
    local parameter = to_type(of or text)
    parameter.parameter = name and to_name(name) or "arg" .. index
    if parameter.is_rest then parameter.parameter = "..." end
    parameters[index] = parameter
  end
  for index, text in ipairs(split(after:match("^%->%s*(.*)$") or "")) do
    results[index] = to_type(text)
  end
  return parameters, results
end

local unknown = "(...any) -> ...any"

-- Writes a type with the names of the plugin's own types as classes of the plugin; notes them.
local function localise(name, class, classes)
  local quoted = {}
  local bare = name:gsub("(([\"']).-%2)", function(text)
    quoted[#quoted + 1] = text
    return "\1" .. #quoted .. "\1"
  end)
  bare = bare:gsub("([%a_][%w_%.]*)(%??%s*:?)", function(word, colon)
    if known[word] or word:find(".", 1, true) or colon:find(":", 1, true) then return nil end
    classes[word] = true
    return class .. "." .. word .. colon
  end)
  return (bare:gsub("\1(%d+)\1", function(index)
    return quoted[tonumber(index)]
  end))
end

-- Text without line breaks and other control characters, which would end a comment.
local function one_line(text)
  return (text:gsub("%c+", " "))
end

local function doc_lines(lines, text)
  -- To Lua each of these is the end of a line.
  for line in (text:gsub("\r\n?", "\n") .. "\n"):gmatch("(.-)\n") do
    -- At its beginning, `@` would make a tag of it; Markdown shows `\@` as `@`.
    lines[#lines + 1] = "---" .. line:gsub("^(%s*)@", "%1\\@")
  end
end

-- A function as the type of a field, for a name that cannot be written after a dot.
local function as_field(lines, name, signature, doc, write)
  local parameters, results = parse(signature)
  local texts, returns = {}, {}
  for index, one in ipairs(parameters) do
    texts[index] = ("%s%s: %s"):format(one.parameter, one.is_optional and "?" or "", write(one.name))
  end
  for index, one in ipairs(results) do
    returns[index] = (one.is_rest and "..." or "") .. write(one.name) .. (one.is_optional and "?" or "")
  end
  local after = #returns > 0 and ": " .. table.concat(returns, ", ") or ""
  local quoted = ("%q"):format(name):gsub("\\\n", "\\n"):gsub("%c", function(letter)
    return ("\\%03d"):format(letter:byte())
  end)
  if doc then doc_lines(lines, doc) end
  lines[#lines + 1] = ("---@field [%s] fun(%s)%s"):format(quoted, table.concat(texts, ", "), after)
end

local function as_function(lines, variable, name, signature, doc, write)
  local parameters, results = parse(signature)
  local names = {}
  if doc then doc_lines(lines, doc) end
  for index, one in ipairs(parameters) do
    names[index] = one.parameter
    local mark = one.is_optional and not one.is_rest and "?" or ""
    lines[#lines + 1] = ("---@param %s%s %s"):format(one.parameter, mark, write(one.name))
  end
  for _, one in ipairs(results) do
    local mark = (one.is_optional and "?" or "") .. (one.is_rest and " ..." or "")
    lines[#lines + 1] = ("---@return %s%s"):format(write(one.name), mark)
  end
  lines[#lines + 1] = ("function %s.%s(%s) end"):format(variable, name, table.concat(names, ", "))
  lines[#lines + 1] = ""
end

-- The annotations of a plugin, of which `loaded` is what `cygnixy.list` tells.
function annotations.of(loaded)
  local class = to_name(loaded.name)
  local classes, fields, functions = {}, {}, {}
  local function write(name)
    return localise(name, class, classes)
  end
  for _, name in ipairs(loaded.functions) do
    local signature = one_line(loaded.signatures[name] or unknown)
    if is_name(name) then
      as_function(functions, class, name, signature, loaded.docs[name], write)
    else
      as_field(fields, name, signature, loaded.docs[name], write)
    end
  end

  local own = {}
  for name in pairs(classes) do
    own[#own + 1] = name
  end
  table.sort(own)

  local lines = { "---@meta", "", "", "" }
  lines[3] = one_line(("-- The functions of the plugin '%s' %s."):format(loaded.name, loaded.version))
  for _, name in ipairs(own) do
    -- What an object can do is not known.
    lines[#lines + 1] = ("---@class %s.%s"):format(class, name)
    lines[#lines + 1] = "---@field [string] any"
    lines[#lines + 1] = ""
  end
  lines[#lines + 1] = "---@class " .. class
  for _, field in ipairs(fields) do
    lines[#lines + 1] = field
  end
  lines[#lines + 1] = ("local %s = {}"):format(class)
  lines[#lines + 1] = ""
  for _, line in ipairs(functions) do
    lines[#lines + 1] = line
  end
  lines[#lines + 1] = "return " .. class
  return table.concat(lines, "\n") .. "\n"
end

return annotations
