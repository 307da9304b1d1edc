-- Answers all requests. It is run anew for each, in one state: what is required stays.

-- luacheck: globals lighty
local service = require "service"

service "watch"
service "poll"
local attributes = lighty.r.req_attr
lighty.r.resp_header["Content-Type"] = "text/plain"
lighty.r.resp_body:set { service(attributes["uri.path"]:sub(2), attributes["uri.query"]), "\n" }
return 200
