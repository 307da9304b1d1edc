-- Nothing that a file is, or does, makes an unload, a reload or the end of the process wait for ever.

local cygnixy = require "cygnixy"
local support = require "support"

describe("hashtree and files that block", function()
  local hashtree, folder

  before_each(function()
    hashtree = cygnixy.load(support.plugin "hashtree")
    folder = support.new_path("tree")
    support.shell("mkdir -p", folder)
  end)

  after_each(function()
    local report = cygnixy.unload(hashtree)
    assert.is_true(report.unmapped, report.text)
  end)

  -- Runs a script in a process that is ended after some seconds, with `hashtree` and the folder.
  local function output(script, before)
    local file = support.new_file("script.lua", [[
      local plugins, folder = ...
      local cygnixy = require "cygnixy"
      local path = plugins .. "/hashtree.so"
      local hashtree = cygnixy.load(path)
    ]] .. script)
    local plugins = support.plugin "hashtree":match "^(.*)/"
    local words = { "timeout -s KILL 20", os.getenv "CYGNIXY_TEST_LUA", support.quote(file), support.quote(plugins),
      support.quote(folder) }
    local run = io.popen((before or "") .. " " .. table.concat(words, " ") .. " 2>&1; echo status $?")
    local said = run:read "*a"
    run:close()
    return said
  end

  it("reports pipes that took the place of files", function()
    local names = {}
    for i = 1, 20 do
      names[i] = folder .. "/" .. i
      support.write(names[i], "text")
    end
    local script = [[
      local job = hashtree.start(folder, { threads = 1, queue = 1 })
      repeat local progress = job:progress() until progress.is_total_known and progress.files >= 1
      os.execute("cd '" .. folder .. "' && rm -f * && mkfifo $(seq 20)")
      local pipes = 0
      for _ = 1, READS do
        for _, result in ipairs((job:wait(0.1))) do
          if result.error then
            assert(result.error:find("it is not a regular file", 1, true), result.error)
            pipes = pipes + 1
          end
        end
      end
      print(pipes > 0)
      job = nil
      print(cygnixy.unload(hashtree).unmapped)
    ]]
    assert.equal("true\ntrue\nstatus 0\n", output((script:gsub("READS", "3"))))
    for _, name in ipairs(names) do support.shell("rm -f", name) support.write(name, "text") end
    assert.equal("false\ntrue\nstatus 0\n", output((script:gsub("READS", "0"))))
  end)

  it("reports files that have nothing to read for now", function()
    local log = io.open "/proc/kmsg"
    if not log then return pending "needs root's /proc/kmsg, which has no end; left out" end
    log:close()
    local said = output [[
      local job = hashtree.start "/proc/kmsg"
      local results = job:wait(2)
      print(results[1].error:find("^cannot read '/proc/kmsg'") ~= nil)
    ]]
    assert.equal("true\nstatus 0\n", said)
  end)

  it("leaves threads alone that wait for a file system", function()
    if os.execute "command -v cc >/dev/null" ~= true and os.execute "command -v cc >/dev/null" ~= 0 then
      return pending "needs a C compiler; left out"
    end
    local source = support.new_file("stuck.c", [[
      #include <fcntl.h>
      #include <stdio.h>
      #include <string.h>
      #include <unistd.h>
      #include <sys/syscall.h>
      ssize_t read(int file, void *to, size_t size) {
        char link[64], path[4096] = "";
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        readlink(link, path, sizeof path - 100);
        if (strstr(path, "/stuck")) {
          strcat(path, " is read");
          close(open(path, O_CREAT, 0600));
          for (;;) pause();
        }
        return syscall(SYS_read, file, to, size);
      }
    ]])
    local library = source:gsub("c$", "so")
    support.shell("cc -w -shared -fPIC -o", library, source)
    support.write(folder .. "/stuck", "text")
    local said = output([[
      local function start()
        local job = hashtree.start(folder, { threads = 1 })
        local is_read
        repeat is_read = io.open(folder .. "/stuck is read") until is_read
        is_read:close()
        return job
      end
      local job = start()
      job:cancel()
      print(pcall(cygnixy.reload, hashtree))
      job = nil
      local report = cygnixy.unload(hashtree)
      print(report.unmapped, report.reasons[1].kind)
      hashtree = cygnixy.load(path)
      os.remove(folder .. "/stuck is read")
      job = start()
    ]], "LD_PRELOAD=" .. support.quote(library))
    support.has(said, "false\t", "which was cancelled, has not ended yet", "false\tthread\n", "status 0\n")
  end)
end)
