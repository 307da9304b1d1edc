description = [[Calls a plugin. It runs before any scan, and there is nothing to scan.]]
author = "The cygnixy authors"
license = "MIT"
categories = { "safe" }

prerule = function() return true end

action = function()
  require "script" ()
  return "done"
end
