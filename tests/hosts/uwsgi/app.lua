-- An application as WSAPI has it. It takes a rebuilt plugin before it answers.
local service = require "service"
service "watch"

return function(environment)
  service "poll"
  local text = service(environment.PATH_INFO:sub(2), environment.QUERY_STRING)
  return "200", { ["Content-Type"] = "text/plain" }, coroutine.wrap(function()
    coroutine.yield(text .. "\n")
  end)
end
