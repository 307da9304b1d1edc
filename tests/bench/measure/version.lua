-- Which Lua this is.
io.write(rawget(_G, "jit") and jit.version or _VERSION, "\n")
