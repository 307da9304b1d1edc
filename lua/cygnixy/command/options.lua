-- Reads the options of a subcommand.

local options = {}

-- Reads the option at `arg[index]` into `given`; returns where its last word is, or nil and what is wrong.
local function read_option(arg, index, known, given)
  local text = arg[index]
  local flag, value = text:match("^%-%-([^=]+)=(.*)$")
  flag = flag or text:match("^%-%-(.+)$") or (text == "-h" and "help")
  local takes = flag and (flag == "help" or known[flag])
  if not takes then
    return nil, ("unknown option '%s'"):format(text)
  elseif takes == true then
    if value then return nil, ("option '--%s' takes no value"):format(flag) end
    given[flag] = true
    return index
  end
  if not value then
    index = index + 1
    value = arg[index]
  end
  if not value or value == "" then return nil, ("option '--%s' needs a value, %s"):format(flag, takes) end
  given[flag] = value
  return index
end

-- Reads options from `arg[first]` on, up to `--`; of a subcommand that runs a script, up to the first
-- operand, as what follows is the script's. `known` has the flags without their dashes: `true`, or the
-- name of the value that one takes, which may follow as `--flag value` or `--flag=value`. Returns the
-- options that were given, and an array of operands; or nil and what is wrong. `help` is always known.
function options.parse(arg, first, known, runs_script)
  local given, operands, index = {}, {}, first
  while arg[index] do
    local text = arg[index]
    if text == "--" then
      index = index + 1
      break
    elseif text == "-" or text:sub(1, 1) ~= "-" then
      if runs_script then break end
      operands[#operands + 1] = text
    else
      local problem
      index, problem = read_option(arg, index, known, given)
      if not index then return nil, problem end
    end
    index = index + 1
  end
  for at = index, #arg do
    operands[#operands + 1] = arg[at]
  end
  return given, operands
end

-- For subcommands without operands: says that one is too many.
function options.none(operands)
  if operands[1] then return ("unexpected argument '%s'"):format(operands[1]) end
end

-- A file as the module takes it: what has no separator and no ending of a library would be a bare name.
function options.path(text)
  if text:find("[/\\]") then return text end
  return "./" .. text
end

return options
