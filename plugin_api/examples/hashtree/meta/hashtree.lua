---@meta

-- The job of the plugin hashtree, and what it gives. The annotations that `cygnixy stubs` writes have the
-- functions, and of their own types the names alone; an editor that is given both has all.

---@class hashtree.Result
---@field path string the path of the file, from that given to `start` on
---@field size? integer its size in bytes
---@field sha256? string its digest, 64 hexadecimal digits
---@field error? string why the file, or a folder, could not be read; then there is no digest

---@class hashtree.Progress
---@field files integer how many files are done, with those that could not be read
---@field bytes integer how many bytes were hashed, of files that are not done too
---@field errors integer how many files and folders could not be read
---@field total_files integer how many files were found so far
---@field total_bytes integer how long these are together
---@field is_total_known boolean whether all were found
---@field is_running boolean whether threads are at work, or wait until results are taken
---@field current? string the file that was begun last

---@class hashtree.Job
local Job = {}

---How far the job is.
---@return hashtree.Progress
function Job:progress() end

---Takes results that are there, and does not wait.
---@param most? integer how many at most; all if not given
---@return hashtree.Result[] results in the order in which they were done
---@return boolean is_finished whether there will be no more
function Job:poll(most) end

---Takes all results; waits until the job is done, or the time is over.
---@param seconds? number how long at most
---@param on_progress? fun(progress: hashtree.Progress) called here, ten times a second and at the end; it
---cannot yield. If it raises an error, so does this, and the results can be taken again.
---@return hashtree.Result[] results
---@return boolean is_finished whether there will be no more
function Job:wait(seconds, on_progress) end

---Iterates over the results, and waits for them.
---@param on_progress? fun(progress: hashtree.Progress) called ten times a second while it waits
---@return fun(job: hashtree.Job): hashtree.Result? next
---@return hashtree.Job job
function Job:results(on_progress) end

---Stops the job. Results that were not taken are gone.
function Job:cancel() end
