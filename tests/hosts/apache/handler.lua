-- A handler for all requests. It takes a rebuilt plugin before it answers.

-- luacheck: globals apache2 handle
local service = require "service"
service "watch"

function handle(request)
  request.content_type = "text/plain"
  service "poll"
  request:puts(service(request.uri:sub(2), request.args), "\n")
  return apache2.OK
end
