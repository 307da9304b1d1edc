-- Makes a guide in Markdown a shell script that does what the guide tells its reader, in one shell:
--
--   lua guide.lua script <GUIDE.md >SCRIPT     the script
--   lua guide.lua compare EXPECTED FOUND       whether a text is as expected
--
-- A block of `sh` is run. A block of `text` after it is what it prints, both streams together; `…` in it
-- stands for any text, and alone on a line for any lines. A block of another language is the content of a
-- file if the paragraph before it has a name in backquotes and ends in a colon.

local function each_block(lines)
  local number, before = 0, ""
  return function()
    for line in lines do
      number = number + 1
      local language = line:match "^```(%a+)$"
      if language then
        local first, content = number, {}
        for inner in lines do
          number = number + 1
          if inner == "```" then break end
          table.insert(content, inner)
        end
        local paragraph = before
        before = ""
        return { language = language, line = first, text = table.concat(content, "\n") .. "\n", paragraph = paragraph }
      end
      assert(line ~= "```", "line " .. number .. ": a block without a language")
      -- The last paragraph.
      if line ~= "" then before = (before:find "\n$" and "" or before .. " ") .. line else before = before .. "\n" end
    end
  end
end

-- A here-document that nothing is replaced in.
local function here(text)
  assert(not text:find "END_OF_BLOCK")
  return "<<'END_OF_BLOCK'\n" .. text .. "END_OF_BLOCK\n"
end

local function script()
  for block in each_block(io.lines()) do
    local where = "line " .. block.line
    if block.language == "sh" then
      io.write("\nbegin ", block.line, "\n", block.text, "end_block\n")
    elseif block.language == "text" then
      io.write("\nprinted ", block.line, " ", here(block.text))
    else
      local name = block.paragraph:match "`([^`]+)`[^`]*:%s*$"
      assert(name, where .. ": the paragraph before it names no file")
      io.write("\nmkdir -p \"$(dirname '", name, "')\" && cat >'", name, "' ", here(block.text))
    end
  end
end

local function lines_of(path)
  local file, lines = assert(io.open(path, "rb")), {}
  for line in file:lines() do table.insert(lines, line) end
  file:close()
  return lines
end

-- Whether a line fits one in which `…` stands for any text.
local function fits(expected, line)
  local pattern = expected:gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0"):gsub("…", ".*")
  return line:find("^" .. pattern .. "$") ~= nil
end

-- Whether the lines from `j` on are those that are expected from `i` on.
local function all_fit(expected, found, i, j)
  if i > #expected then return j > #found end
  if expected[i] == "…" then
    for rest = j, #found + 1 do
      if all_fit(expected, found, i + 1, rest) then return true end
    end
    return false
  end
  return j <= #found and fits(expected[i], found[j]) and all_fit(expected, found, i + 1, j + 1)
end

if arg[1] == "compare" then
  os.exit(all_fit(lines_of(arg[2]), lines_of(arg[3]), 1, 1) and 0 or 1)
end
script()
