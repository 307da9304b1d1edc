-- Text of others, such as what a plugin file says of itself, to be shown on a terminal.

local text = {}

local function escape(letter)
  return ("\\x%02x"):format(letter:byte())
end

-- Text with its control characters escaped but for line breaks and tabs: they could change the terminal.
function text.printable(given)
  -- The second half of them has two bytes in UTF-8.
  return (given:gsub("[%z\1-\8\11-\31\127]", escape):gsub("\194([\128-\159])", escape))
end

-- The same on one line.
function text.one_line(given)
  return (text.printable(given):gsub("[\t\n]", escape))
end

return text
