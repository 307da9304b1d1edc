---@meta

-- The pattern of the plugin regexp. The annotations that `cygnixy stubs` writes have the functions, and of their
-- own types the names alone; an editor that is given both has all.

-- Groups: the text of a group, or false if it took no part in the match.

---@class regexp.Captures
---@field [integer] string|false the whole match at 0, and its groups
---@field [string] string|false the groups that have a name

---@alias regexp.Replace fun(...: string|false): (string|number|false)?

---A compiled pattern. Texts are bytes, and positions count them from 1; `init` may be negative, to count from
---the end.
---@class regexp.Pattern
local Pattern = {}

---Whether the pattern occurs.
---@param text string
---@param init? integer where the search begins
---@return boolean
function Pattern:is_match(text, init) end

---Where the first match begins and ends, and its groups; or nil.
---@param text string
---@param init? integer where the search begins
---@return integer? first
---@return integer? last
---@return string|false ... the groups
function Pattern:find(text, init) end

---The groups of the first match, or the match if there are none; or nil.
---@param text string
---@param init? integer where the search begins
---@return string|false|nil first
---@return string|false ... further groups
function Pattern:match(text, init) end

---The first match with its groups, by number and by name; or nil.
---@param text string
---@param init? integer where the search begins
---@return regexp.Captures?
function Pattern:captures(text, init) end

---How often the pattern occurs.
---@param text string
---@return integer
function Pattern:count(text) end

---Iterates over what `match` gives, of one match after the other.
---@param text string
---@return fun(): (string|false)?, (string|false)...
function Pattern:gmatch(text) end

---Replaces matches. In a text, `$1`, `$name` and `${name}` stand for groups, `$0` for the match and `$$` for a
---dollar. Of a table, it is the value of the first group, or of the match if there are no groups; of a function
---the result for all groups, or for the match. The match stays if these give nil or false. The function may
---yield, and what it raises arrives as it is.
---@param text string
---@param replacement string|number|table|regexp.Replace
---@param limit? integer how many at most; none if it is below 1
---@return string text
---@return integer count how many were replaced
function Pattern:gsub(text, replacement, limit) end

---The texts between the matches.
---@param text string
---@param limit? integer how many at most, the last of which is all that is left; none if it is below 1
---@return string[]
function Pattern:split(text, limit) end
