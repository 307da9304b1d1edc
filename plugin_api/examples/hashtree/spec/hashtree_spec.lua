local cygnixy = require "cygnixy"
local support = require "support"

describe("hashtree", function()
  local hashtree, folder

  before_each(function()
    hashtree = cygnixy.load(support.plugin "hashtree")
    folder = support.new_path("tree")
    support.shell("mkdir -p", folder .. "/sub/.dot", folder .. "/empty")
  end)

  -- The threads have ended, and nothing of a job is left.
  after_each(function()
    local report = cygnixy.unload(hashtree)
    assert.is_true(report.unmapped, report.text)
  end)

  local function add(name, content)
    return support.write(folder .. "/" .. name, content)
  end

  local function add_many(count)
    for i = 1, count do add(("file %03d"):format(i), ("%d\n"):format(i):rep(i)) end
  end

  -- Takes hours to hash, and no room.
  local function add_endless()
    support.shell("truncate -s 1T", folder .. "/endless")
  end

  local function by_path(results)
    local found = {}
    for _, result in ipairs(results) do
      assert.is_nil(found[result.path])
      found[result.path] = result
    end
    return found
  end

  local function threads()
    local list = io.popen "ls /proc/$PPID/task | wc -l"
    local count = list:read "*n"
    list:close()
    return count
  end

  it("finds the digests that other programs find", function()
    local contents = { a = "", ["sub/b"] = "text", ["sub/.dot/c\195\182 \"'"] = "\0\255" }
    contents["sub/d\254"] = ("x"):rep(1000000)
    for name, content in pairs(contents) do add(name, content) end
    local results, is_finished = hashtree.start(folder):wait()
    assert.is_true(is_finished)
    assert.equal(4, #results)
    local found = by_path(results)
    for name, content in pairs(contents) do
      local result = found[folder .. "/" .. name]
      assert.equal(#content, result.size)
      assert.equal(support.sha256(result.path), result.sha256)
      assert.is_nil(result.error)
    end
  end)

  it("takes one file too", function()
    local results = hashtree.start(add("a", "text")):wait()
    assert.equal(1, #results)
    assert.equal(support.sha256(folder .. "/a"), results[1].sha256)
  end)

  it("takes the paths that it gives, whatever bytes they have", function()
    add("d\254\195", "text")
    local path = hashtree.start(folder):wait()[1].path
    assert.equal(folder .. "/d\254\195", path)
    local again = hashtree.start(path):wait()[1]
    assert.equal(path, again.path)
    assert.equal(4, again.size)
  end)

  it("follows a link that it is given", function()
    add("a", "text")
    support.shell("ln -s", "a", folder .. "/to_file")
    support.shell("ln -s", ".", folder .. "/to_folder")
    local result = hashtree.start(folder .. "/to_file"):wait()[1]
    assert.equal(4, result.size)
    assert.equal(support.sha256(folder .. "/a"), result.sha256)
    assert.equal(folder .. "/to_folder/a", hashtree.start(folder .. "/to_folder"):wait()[1].path)
  end)

  it("has nothing to say of an empty folder", function()
    local job = hashtree.start(folder .. "/empty")
    local results, is_finished = job:wait()
    assert.same({}, results)
    assert.is_true(is_finished)
    assert.is_false(job:progress().is_running)
  end)

  it("leaves out what it is told to", function()
    add(".hidden", "")
    add("sub/.dot/a", "")
    add("kept", "")
    add("left_out", "")
    add(".gitignore", "left_out\n")
    support.shell("ln -s", "kept", folder .. "/link")
    local function names(options)
      local found = {}
      for _, result in ipairs((hashtree.start(folder, options):wait())) do
        found[#found + 1] = result.path:sub(#folder + 2)
      end
      table.sort(found)
      return table.concat(found, " ")
    end
    assert.equal(".gitignore .hidden kept left_out sub/.dot/a", names())
    assert.equal("kept left_out", names { hidden = false })
    assert.equal(".gitignore .hidden kept sub/.dot/a", names { ignore = true })
    assert.equal("kept", names { ignore = true, hidden = false })
    assert.equal("kept left_out link", names { follow = true, hidden = false, threads = 3, queue = 1 })
  end)

  describe("gives", function()
    it("results while the program goes on", function()
      add_many(50)
      local job, found = hashtree.start(folder, { queue = 4 }), {}
      repeat
        local results, is_finished = job:poll(3)
        assert.is_true(#results <= 3)
        for _, result in ipairs(results) do found[#found + 1] = result end
      until is_finished
      assert.equal(50, #found)
      by_path(found)
      assert.same({ {}, true }, { job:poll() })
    end)

    it("results in a loop", function()
      add_many(50)
      local found = {}
      for result in hashtree.start(folder, { queue = 1 }):results() do found[#found + 1] = result end
      assert.equal(50, #found)
      by_path(found)
    end)

    it("no more results than the queue is long, until they are taken", function()
      add_many(50)
      local job = hashtree.start(folder, { queue = 2, threads = 2 })
      repeat local progress = job:progress() until progress.files >= 2 and progress.is_total_known
      assert.equal(50, job:progress().total_files)
      assert.is_true(job:progress().files <= 4)
      assert.is_true(job:progress().is_running)
      assert.equal(2, #job:poll(2))
      assert.equal(48, #job:wait())
    end)

    it("its progress", function()
      add_many(50)
      local size = 0
      for i = 1, 50 do size = size + #tostring(i) * i + i end
      local job, told = hashtree.start(folder), {}
      local results = job:wait(nil, function(progress) told[#told + 1] = progress end)
      local last = told[#told]
      assert.equal(50, #results)
      assert.same({ 50, size, 50, size, 0 },
        { last.files, last.bytes, last.total_files, last.total_bytes, last.errors })
      assert.is_true(last.is_total_known)
      assert.equal(1, last.current:find(folder .. "/file", 1, true))
    end)

    it("up after a time", function()
      add_endless()
      local job = hashtree.start(folder)
      local count = 0
      local results, is_finished = job:wait(0.25, function() count = count + 1 end)
      assert.same({}, results)
      assert.is_false(is_finished)
      assert.is_true(count >= 1)
      assert.same({ {}, false }, { job:poll() })
      local progress = job:progress()
      assert.is_true(progress.bytes > 0)
      assert.equal(0, progress.files)
      assert.equal(1024 ^ 4, progress.total_bytes)
      assert.equal(folder .. "/endless", progress.current)
    end)

    it("errors as results", function()
      add("a", "text")
      support.shell("ln -s", "nowhere", folder .. "/dangling")
      support.shell("ln -s", "..", folder .. "/sub/loop")
      support.shell("mkfifo", folder .. "/pipe")
      local job = hashtree.start(folder, { follow = true })
      local results = job:wait()
      assert.equal(3, #results)
      local found = by_path(results)
      assert.truthy(found[folder .. "/a"].sha256)
      for name, problem in pairs { dangling = "No such file or directory", ["sub/loop"] = "loop" } do
        local result = found[folder .. "/" .. name]
        assert.is_nil(result.sha256)
        support.has(result.error, folder, problem)
      end
      assert.equal(2, job:progress().errors)
      -- A file whose beginning nobody can read.
      results = hashtree.start("/proc/self/mem"):wait()
      support.has(results[1].error, "cannot read '/proc/self/mem'")
    end)
  end)

  it("refuses what it cannot do", function()
    local message = support.failure(hashtree.start, folder .. "/none")
    support.has(message, "cannot hash '" .. folder .. "/none'", "No such file")
    message = support.failure(hashtree.start, "/dev/null")
    assert.equal("cannot hash '/dev/null': it is neither a file nor a folder", message)
    support.has(support.failure(hashtree.start, folder .. "\0"), "cannot hash")
    local job = hashtree.start(folder .. "/empty")
    local function fails(what, f)
      local ok, text = pcall(f)
      assert.is_false(ok)
      assert.truthy(text:find("^[^\n]*hashtree_spec%.lua:%d+: "), text)
      support.has(text, what)
    end
    fails("bad argument #1 to 'poll' (", function() return (job:poll(-1)) end)
    fails("bad argument #1 to 'wait' (number expected, got boolean)", function() return (job:wait(true)) end)
    fails("bad argument #2 to 'wait' (function expected, got string)", function() return (job:wait(1, "")) end)
    fails("bad argument #1 to 'results' (function expected", function() return (job:results(1)) end)
    fails("calling 'wait' on bad self (Job expected, got nil)", function() return (job.wait()) end)
    local function refused(options, ...)
      support.has(support.failure(hashtree.start, folder, options), ...)
    end
    refused({ treads = 2 }, "unknown option 'treads'", "threads")
    refused({ threads = 0 }, "option 'threads': expected an integer from 1 to 256, got 0")
    refused({ threads = "many" }, "option 'threads'", "many")
    refused({ queue = 0.5 }, "option 'queue'")
    refused({ follow = 1 }, "option 'follow': expected a boolean")
  end)

  describe("stops", function()
    it("when it is cancelled", function()
      add_many(50)
      add_endless()
      local job = hashtree.start(folder, { queue = 1, threads = 2 })
      job:cancel()
      assert.same({ {}, true }, { job:poll() })
      assert.same({ {}, true }, { job:wait() })
      assert.is_false(job:progress().is_running)
      for _ in job:results() do error "there are none" end
      job:cancel()
    end)

    it("when it is collected", function()
      add_endless()
      local before = threads()
      local job = hashtree.start(folder, { threads = 2 })
      repeat until job:progress().bytes > 0
      assert.is_true(threads() > before)
      job = nil -- luacheck: ignore
      for _ = 1, 3 do collectgarbage() end
      repeat until threads() == before
    end)

    it("with the plugin", function()
      add_endless()
      local before = threads()
      local job = hashtree.start(folder, { threads = 2 })
      repeat until job:progress().bytes > 0
      local report = cygnixy.unload(hashtree)
      assert.equal(before, threads())
      -- The object goes on, and keeps the library.
      assert.is_false(report.unmapped)
      assert.equal("object", report.reasons[1].kind)
      assert.same({ {}, true }, { job:wait() })
      support.has(support.failure(hashtree.start, folder), "plugin 'hashtree' has been unloaded")
      job = nil -- luacheck: ignore
      for _, left in ipairs(cygnixy.collect()) do
        if left.name == "hashtree" then report = left end
      end
      assert.is_true(report.unmapped, report.text)
      hashtree = cygnixy.load(support.plugin "hashtree")
    end)

    it("with the state, or the process", function()
      add_endless()
      for _, ending in ipairs { "", "os.exit(0)", "job = nil collectgarbage()" } do
        support.output([[
          local plugins, _, folder = ...
          job = require("cygnixy").load(plugins .. "/hashtree.so").start(folder)
          repeat until job:progress().bytes > 0
        ]] .. ending, { args = { folder } })
      end
    end)
  end)

  describe("with a reload", function()
    local path

    before_each(function()
      cygnixy.unload(hashtree)
      path = support.copy(support.plugin "hashtree")
      hashtree = cygnixy.load(path)
    end)

    local function rebuild()
      support.write(path .. ".new", support.read(path) .. "1")
      assert(os.rename(path .. ".new", path))
    end

    it("refuses it while a job is running", function()
      add_endless()
      local job = hashtree.start(folder)
      rebuild()
      support.has(support.failure(cygnixy.reload, hashtree), "the job over '" .. folder .. "' is running")
      assert.same({ {}, false }, { job:poll() })
      job:cancel()
      job = nil -- luacheck: ignore
      assert.is_true(cygnixy.reload(hashtree).unmapped)
    end)

    it("has the results of jobs that are done", function()
      add_many(10)
      local job = hashtree.start(folder)
      repeat until not job:progress().is_running
      rebuild()
      assert.is_false(cygnixy.reload(hashtree).unmapped)
      assert.equal(10, #job:wait())
      assert.equal(10, #hashtree.start(folder):wait())
    end)
  end)

  it("logs what its threads do", function()
    local path, logged = add("a", "text"), {}
    cygnixy.on_log(function(record) logged[#logged + 1] = record end, "hashtree=debug")
    hashtree.start(path):wait()
    cygnixy.flush_log()
    cygnixy.on_log(nil)
    local found = {}
    for _, record in ipairs(logged) do found[record.message] = record.fields end
    assert.equal(path, found.hashed.path)
    assert.equal(4, found.hashed.size)
    assert.equal(1, found.walked.files)
  end)

  it("is described for editors", function()
    local stubs, _, status = support.command { "stubs", support.plugin "hashtree" }
    assert.equal(0, status)
    support.has(stubs, "---@class hashtree.Job", "---@param path string", "---@param options? {", "threads?: integer",
      "---@return hashtree.Job")
    local methods = support.read "plugin_api/examples/hashtree/meta/hashtree.lua"
    local job = hashtree.start(folder)
    for name in methods:gmatch "function Job:(%w+)" do assert.equal("function", type(job[name]), name) end
    for name in pairs(job:progress()) do support.has(methods, "---@field " .. name) end
  end)

  -- Only LuaJIT can fork without a C module.
  if rawget(_G, "jit") then
    it("says so in a child process", function()
      add_endless()
      local output = support.output([[
        local plugins, _, folder = ...
        local ffi = require "ffi"
        ffi.cdef "int fork(void); int waitpid(int, int *, int);"
        local cygnixy = require "cygnixy"
        local hashtree = cygnixy.load(plugins .. "/hashtree.so")
        local job = hashtree.start(folder)
        local child = ffi.C.fork()
        if child == 0 then
          print(pcall(job.poll, job))
          print(pcall(job.wait, job))
          cygnixy.unload(hashtree)
          io.flush()
          os.exit(0, true)
        end
        ffi.C.waitpid(child, nil, 0)
        print(select(2, job:poll()))
      ]], { args = { folder } })
      local _, count = output:gsub("false\t[^\n]*was started by another process, of which this one is a child", "")
      assert.equal(2, count, output)
      assert.truthy(output:find "false\n$")
    end)
  end
end)
