-- luacheck's settings; sources, specs and rockspecs have their own globals.
std = "max"
max_line_length = 120
include_files = { "**/*.lua", "**/*.rockspec" }
exclude_files = { "build", "target" }

files["tests/spec"] = { std = "max+busted" }
files["plugin_api/examples/*/spec"] = { std = "max+busted" }
files["**/*.rockspec"] = { std = "rockspec", max_line_length = false }
-- Annotations: functions without bodies, for the language server only.
files["lua/meta"] = { ignore = { "212" } }
files["plugin_api/examples/*/meta"] = { ignore = { "212", "241" } }
