-- The methods of a job that call back. What a callback raises comes from Rust as a result, and is raised
-- again here, as it was. The job comes last there, so that messages count the arguments without it.
local wait, results = ...
local error, pcall = error, pcall

local function finish(ok, ...)
  if ok then return ... end
  error((...), 0)
end

local methods = {}

function methods.wait(job, seconds, on_progress)
  return finish(wait(seconds, on_progress, job, pcall))
end

function methods.results(job, on_progress)
  local next_result = results(on_progress, job, pcall)
  return function(of) return finish(next_result(of)) end, job
end

return methods
