-- A tree of files hashed in the background, next to a loop in Lua over the same files with OpenSSL's SHA-256
-- (Debian's lua-luaossl) where there is a rock for this Lua, and everywhere next to the program `sha256sum`
-- that is read through a pipe: `bench.lua PLUGIN.so SCRATCH`, run by tests/bench.sh. The rock has to be told
-- which files there are, which is not counted. Figures are of elapsed time.
local samples = require "samples"
local cygnixy = require "cygnixy"

local scratch = arg[2]
local hashtree = cygnixy.load(arg[1])
local has_openssl, digest = pcall(require, "openssl.digest")
if not has_openssl then
  print "fact\thashtree: OpenSSL\tthere is no lua-luaossl for this Lua, so its side is missing"
end

-- The time that has passed, in hundredths of a second: no other clock of that kind is in every Lua. So a sample
-- is of as many rounds as take six tenths of a second.
local function elapsed()
  local file = io.open "/proc/uptime"
  local seconds = file:read "*n"
  file:close()
  return seconds
end

local function make(name, count, size)
  local folder = scratch .. "/" .. name
  os.execute("mkdir -p '" .. folder .. "'")
  local tree = { name = name, folder = folder, paths = {}, bytes = count * size }
  local piece = ("%d bytes of no meaning, "):format(size):rep(math.ceil(size / 24)):sub(1, size)
  for i = 1, count do
    tree.paths[i] = ("%s/%05d"):format(folder, i)
    samples.write(tree.paths[i], (("%08d"):format(i) .. piece):sub(1, size))
  end
  return tree
end

local sides = {}

local function add(name, hash)
  sides[#sides + 1] = { name = name, hash = hash }
end

local function with_threads(count)
  return function(tree)
    local found = {}
    for _, result in ipairs((hashtree.start(tree.folder, { threads = count }):wait())) do
      found[result.path] = assert(result.sha256, result.error)
    end
    return found
  end
end

add("cygnixy: hashtree", with_threads(nil))
add("cygnixy: hashtree, one thread", with_threads(1))
if has_openssl then
  add("lua-luaossl", function(tree)
    local found = {}
    for _, path in ipairs(tree.paths) do
      local file = assert(io.open(path, "rb"))
      local hash = digest.new "sha256"
      while true do
        local piece = file:read(262144)
        if not piece then break end
        hash:update(piece)
      end
      file:close()
      found[path] = hash:final():gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
    end
    return found
  end)
end
add("sha256sum through a pipe", function(tree)
  local found = {}
  local pipe = io.popen("find '" .. tree.folder .. "' -type f -exec sha256sum '{}' +")
  for line in pipe:lines() do
    local hash, path = line:match "^(%x+)  (.*)$"
    found[path] = hash
  end
  pipe:close()
  return found
end)

local trees = { make("small files", 10000, 4096), make("large files", 8, 16 * 1024 * 1024) }

for _, tree in ipairs(trees) do
  local row = ("hashtree: %d files, %.0f MiB"):format(#tree.paths, tree.bytes / 2 ^ 20)
  local expected = sides[1].hash(tree)
  for repetition = 0, math.min(samples.repetitions, 7) do
    -- The first is for warming up.
    for _, side in ipairs(sides) do
      local started, rounds, seconds, found = elapsed(), 0
      repeat
        found = side.hash(tree)
        rounds = rounds + 1
        seconds = elapsed() - started
      until repetition == 0 or seconds >= 0.6
      if repetition == 0 then
        for _, path in ipairs(tree.paths) do assert(found[path] and found[path] == expected[path], path) end
      else
        samples.add("examples", row, side.name, "ms", seconds / rounds * 1e3)
      end
    end
  end
end
