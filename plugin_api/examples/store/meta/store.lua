---@meta

-- The handles of the plugin store. The annotations that `cygnixy stubs` writes have the functions, and of their
-- own types the names alone; an editor that is given both has all.

---A store, or a transaction in one. Keys and values are strings of any bytes.
---@class store.Store
---@field path string where the file is
---@field store? store.Store of a transaction: its store
local Store = {}

---Closes a store; an open transaction is rolled back. Does nothing the second time. Of a transaction, the same
---as `rollback`.
function Store:close() end

---The value of a key; nil if there is none. In a transaction, with what was written in it.
---@param key string|number
---@return string?
function Store:get(key) end

---Gives a key a value. Outside of a transaction, it is on the disk when this returns.
---@param key string|number
---@param value string|number
function Store:set(key, value) end

---Removes a key. Outside of a transaction, that is on the disk when this returns.
---@param key string|number
---@return boolean was_there
function Store:delete(key) end

---How many keys there are.
---@return integer
function Store:count() end

---The first key from `from` on and before `to`, with its value; nil if there is none.
---@param from? string|number
---@param to? string|number
---@return string? key
---@return string? value
function Store:seek(from, to) end

---The first key after `key` and before `to`, with its value; nil if there is none.
---@param key string|number
---@param to? string|number
---@return string? key
---@return string? value
function Store:next(key, to) end

---Iterates over keys and values from `from` on and before `to`, in order. The loop may write.
---@param from? string|number
---@param to? string|number
---@return fun(): string?, string?
function Store:range(from, to) end

---Iterates over the keys that begin with a text, as `range` does.
---@param prefix string|number
---@return fun(): string?, string?
function Store:prefix(prefix) end

---Calls a function with a transaction and commits it. If the function raises an error, nothing is written, and the
---error is raised again as it was. The function may end the transaction itself.
---@generic R
---@param f fun(transaction: store.Store): R...
---@return R... results those of the function
function Store:write(f) end

---Begins a transaction. There is one at a time; meanwhile the store itself can be read, as it was before.
---@return store.Store transaction
function Store:begin() end

---Ends a transaction. All that was written in it is on the disk when this returns.
function Store:commit() end

---Ends a transaction and forgets what was written in it. Does nothing the second time.
function Store:rollback() end
