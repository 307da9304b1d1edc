-- What the command writes. Nothing that is lost on the way, as on a full disk, counts as written.

local output = {}

-- As they are when the command begins: a script that `run` runs may change the library.
local stdout, stderr = io.stdout, io.stderr

-- What a write to a pipe says that nobody reads any more.
local BROKEN_PIPE = 32

local problem, code

local function note(ok, err, number)
  if not ok and not problem then
    problem, code = err, number
  end
end

-- Writes to standard output.
function output.write(...)
  note(stdout:write(...))
end

-- Whether all that was written to standard output has arrived; complains if not. Who closes the pipe has
-- read enough, and is not told.
function output.has_arrived()
  note(stdout:flush())
  if problem and code ~= BROKEN_PIPE then
    stderr:write("cygnixy: cannot write to standard output: ", problem, "\n")
  end
  return not problem
end

-- Makes a file with the given content; returns true, or nil and what is wrong.
function output.save(path, content)
  local file, err = io.open(path, "wb")
  if not file then return nil, err end
  local written, write_err = file:write(content)
  local closed, close_err = file:close()
  if written and closed then return true end
  return nil, ("%s: %s"):format(path, write_err or close_err)
end

return output
