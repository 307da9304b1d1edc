-- A service, a converter, an action and a task. With `lua-load` all threads share one state, with
-- `lua-load-per-thread` each has its own, with a task of its own.
local service = require "service"

-- luacheck: globals core

core.register_service("step", "http", function(applet)
  local text = service(applet.path:sub(2), applet.qs) .. "\n"
  applet:set_status(200)
  applet:add_header("content-type", "text/plain")
  applet:add_header("content-length", tostring(#text))
  applet:start_response()
  applet:send(text)
end)

core.register_converters("greet", function(name)
  return service("hello", name)
end)

core.register_action("greet", { "http-req" }, function(transaction)
  transaction:set_var("txn.greeting", service("hello", transaction.sf:query()))
end)

core.register_task(function()
  service "watch"
  while true do
    core.msleep(50)
    local said = service "poll"
    if said ~= "" then
      core.log(core.notice, "reloaded: " .. said)
    end
  end
end)
