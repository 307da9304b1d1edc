-- Functions of the script that are told of the progress, and fail.

local cygnixy = require "cygnixy"
local support = require "support"

describe("a job of hashtree that calls back", function()
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

  local function add_many()
    for i = 1, 50 do support.write(("%s/file %03d"):format(folder, i), "text") end
  end

  it("gives results again that were not delivered, as a function failed", function()
    add_many()
    local job = hashtree.start(folder)
    repeat until not job:progress().is_running
    local ok, message = pcall(job.wait, job, nil, function() error("no luck", 0) end)
    assert.is_false(ok)
    assert.equal("no luck", message)
    local problem = setmetatable({}, { __tostring = function() return "a problem" end })
    ok, message = pcall(job.wait, job, nil, function() error(problem) end)
    assert.is_false(ok)
    assert.is_true(rawequal(problem, message))
    coroutine.wrap(function()
      ok, message = pcall(job.wait, job, nil, function() coroutine.yield() end)
    end)()
    assert.is_false(ok)
    support.has(support.is_message(message), "attempt to yield")
    assert.equal(50, #job:wait())
  end)

  it("gives nothing more if a function fails that has cancelled it", function()
    add_many()
    local job = hashtree.start(folder)
    repeat until not job:progress().is_running
    assert.is_false(pcall(job.wait, job, nil, function()
      job:cancel()
      error "no luck"
    end))
    assert.same({ {}, true }, { job:poll() })
  end)

  it("passes on what a function raises in a loop, as it is", function()
    support.shell("truncate -s 1T", folder .. "/endless")
    local problem = {}
    local ok, message = pcall(function()
      for _ in hashtree.start(folder):results(function() error(problem) end) do error "there is none" end
    end)
    assert.is_false(ok)
    assert.is_true(rawequal(problem, message))
  end)
end)
