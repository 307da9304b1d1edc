-- A user's configuration: a command that calls the plugin, and a timer that takes a rebuilt one. It ends with
-- the reload.

-- luacheck: globals vim
local service = require "service"

local plugins = os.getenv "HOSTS_PLUGINS"
local said = assert(io.open(os.getenv "HOSTS_SAID", "w"))

local function say(step, argument, name)
  said:write(name or step, ": ", service(step, argument), "\n")
end

vim.api.nvim_create_user_command("Greet", function(command)
  vim.api.nvim_buf_set_lines(0, 0, -1, false, { service("hello", command.args) })
end, { nargs = 1 })

vim.api.nvim_create_autocmd("User", {
  pattern = "GreetReloaded",
  callback = function()
    say("hello", "you", "rebuilt")
    say("held", "you")
    say "unload"
    said:close()
    vim.cmd "qa!"
  end,
})

vim.api.nvim_create_autocmd("VimEnter", {
  callback = function()
    say "lua"
    vim.cmd "Greet you"
    said:write("hello: ", vim.api.nvim_buf_get_lines(0, 0, 1, false)[1], "\n")
    say "fail"
    say "panic"
    say "named"
    say "other"
    say "watch"
    local timer = vim.loop.new_timer()
    timer:start(0, 50, vim.schedule_wrap(function()
      local text = service "poll"
      if text ~= "" and not timer:is_closing() then
        timer:close()
        said:write("reload: ", text, "\n")
        vim.cmd "doautocmd User GreetReloaded"
      end
    end))
    vim.loop.fs_copyfile(plugins .. "/../second.so", plugins .. "/new")
    vim.loop.fs_rename(plugins .. "/new", plugins .. "/greet.so")
  end,
})
