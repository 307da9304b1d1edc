-- `cygnixy run SCRIPT`: runs a script as the interpreter would.

-- What is needed when the script has run, which may have changed all of it.
local type, tostring, stderr = type, tostring, io.stderr
local traceback, sethook, getmetatable = debug.traceback, debug.sethook, debug.getmetatable

local run = {
  summary = "run a script; with --watch, its plugins are reloaded when they are rebuilt",
  usage = "[--watch] SCRIPT [ARGUMENTS]",
  options = { watch = true },
  runs_script = true,
  help = [[
Runs a script with its arguments, as the interpreter that runs this command would: they are in the table
`arg` and in `...`. `-` is standard input. What the interpreter finds by LuaRocks' paths, the script finds.

  --watch   reload the plugins that the script has loaded when their files are rebuilt

With --watch the script runs with a debug hook, which looks for rebuilt files several times a second while
Lua code runs. What is not looked at meanwhile, or not reloaded, waits: while a function of the plugin is
running, while the program is inside of one C function (as when it sleeps), and, in Lua 5.1 to 5.5, while a
coroutine runs. A script that sets a debug hook of its own takes the place of this one. With LuaJIT the
compiler is off. What is reloaded, or why it is not, goes to standard error; the script's functions stay
valid either way.

Exit status: 0, or what the script gives to `os.exit`; 1 if it fails.
]],
}

local function complain(text)
  stderr:write("cygnixy: ", tostring(text), "\n")
end

-- What the interpreter says of an error that nothing caught.
local function handler(err)
  local kind = type(err)
  if kind == "string" or kind == "number" then return traceback(tostring(err), 2) end
  local meta = getmetatable(err)
  if type(meta) == "table" and meta.__tostring then return tostring(err) end
  return traceback("(error object is a " .. kind .. " value)", 2)
end

local function interpreter(arg)
  local at = 0
  while arg[at - 1] do
    at = at - 1
  end
  return at < 0 and arg[at] or nil
end

function run.run(given, operands, arg)
  local script = operands[1]
  if not script then return nil, "expected a script" end
  local chunk, problem
  if script == "-" then
    chunk, problem = loadfile()
  else
    chunk, problem = loadfile(script)
  end
  if not chunk then
    complain(problem)
    return 1
  end

  local arguments = { [-1] = interpreter(arg), [0] = script }
  for index = 2, #operands do
    arguments[index - 1] = operands[index]
  end
  rawset(_G, "arg", arguments)
  if given.watch then require("cygnixy.command.watch").begin(complain) end
  local unpack = rawget(table, "unpack") or rawget(_G, "unpack")
  local ran, err = xpcall(function()
    chunk(unpack(arguments, 1, #arguments))
  end, handler)
  if given.watch then sethook() end
  if not ran then
    complain(err)
    return 1
  end
  return 0
end

return run
