-- The command `cygnixy`: finds the subcommand, reads its options and runs it.
--
-- A subcommand is a module `cygnixy.command.NAME`, a table of
--
--   summary   what it does, in a line
--   usage     its arguments, in a line
--   help      the rest of its `--help`
--   options   its flags: `true`, or the name of the value that one takes
--   runs_script   whether what follows the first operand is not its own
--   run       function(options, operands, arg) -> exit status; or nil and what is wrong with the usage
--
-- The exit status is 0 if all is well, 1 if a check or a program failed or what is written does not arrive,
-- and 2 for wrong usage.

local options = require("cygnixy.command.options")
local output = require("cygnixy.command.output")

local command = {}

local OK, FAILED, USAGE = 0, 1, 2

-- In the order of `--help`.
local names = { "new", "run", "check", "inspect", "list", "stubs", "doctor" }

local function find(name)
  for _, known in ipairs(names) do
    if known == name then return require("cygnixy.command." .. name) end
  end
end

local function usage_of(name, subcommand)
  return ("usage: cygnixy %s %s"):format(name, subcommand.usage):gsub("%s+$", "") .. "\n"
end

local function overview()
  local lines = {
    "usage: cygnixy COMMAND [ARGUMENTS]",
    "",
    "Makes, checks and runs plugins that are written in Rust.",
    "",
  }
  for _, name in ipairs(names) do
    lines[#lines + 1] = ("  %-9s %s"):format(name, find(name).summary)
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "`cygnixy COMMAND --help` says more; `cygnixy --version` names the versions."
  lines[#lines + 1] = "Exit status: 0 if all is well, 1 if a check or a program failed or the output could not be"
  lines[#lines + 1] = "written, 2 for wrong usage."
  return table.concat(lines, "\n") .. "\n"
end

local function version()
  local found, cygnixy = pcall(require, "cygnixy")
  if not found then
    io.stderr:write("cygnixy: the module cannot be loaded; `cygnixy doctor` says more\n")
    return FAILED
  end
  local lua = rawget(_G, "jit") and jit.version or _VERSION
  output.write(("%s (%s, plugins for %s)\n"):format(cygnixy._VERSION, lua, cygnixy.abi))
  return OK
end

local function wrong_usage(prefix, problem, usage)
  io.stderr:write(prefix, ": ", problem, "\n", usage)
  return USAGE
end

-- Does what the arguments say; returns the exit status, and whether what was written is a script's own.
local function dispatch(arg)
  local name = arg[1]
  if name == "--help" or name == "-h" or name == "help" then
    output.write(overview())
    return OK
  elseif name == "--version" then
    return version()
  elseif not name then
    return wrong_usage("cygnixy", "a command is missing", overview())
  end
  local subcommand = find(name)
  if not subcommand then
    return wrong_usage("cygnixy", ("unknown command '%s'"):format(name), "`cygnixy --help` lists them\n")
  end
  local usage = usage_of(name, subcommand)
  local given, operands = options.parse(arg, 2, subcommand.options or {}, subcommand.runs_script)
  if given == nil then return wrong_usage("cygnixy " .. name, operands, usage) end
  if given.help then
    output.write(usage, "\n", subcommand.help)
    return OK
  end
  local status, problem = subcommand.run(given, operands, arg)
  if status == nil then return wrong_usage("cygnixy " .. name, problem, usage) end
  return status, subcommand.runs_script
end

-- Runs the command with the arguments of the program, as in the global `arg`; returns the exit status.
function command.main(arg)
  local status, of_script = dispatch(arg)
  if not of_script and not output.has_arrived() and status == OK then return FAILED end
  return status
end

return command
