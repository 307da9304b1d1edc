//! What scripts can do with a job.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use plugin_api::LuaExt as _;
use plugin_api::fast::FastMethods as _;
use plugin_api::mlua::{
    self, Function, IntoLua, Lua, MultiValue, Table, UserData, UserDataFields, Value,
};

use crate::callback::{self, Failure};
use crate::hashing::Outcome;
use crate::job::{Next, Work};
use crate::path;

/// How often a script is told of the progress while it waits.
const INTERVAL: Duration = Duration::from_millis(100);

/// A job as a script has it. One that is collected is cancelled.
pub(crate) struct Job(pub(crate) Arc<Work>);

impl Drop for Job {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Job {
    /// The work of what should be a job.
    fn of(value: &Value, method: &str) -> mlua::Result<Arc<Work>> {
        let job = value
            .as_userdata()
            .and_then(|job| job.borrow::<Self>().ok());
        let Some(job) = job else {
            let found = value.type_name();
            return Err(mlua::Error::runtime(format!(
                "calling '{method}' on bad self (Job expected, got {found})"
            )));
        };
        Ok(Arc::clone(&job.0))
    }
}

impl UserData for Job {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_fast_method("progress", |lua: &Lua, job: &Self| progress(lua, &job.0));
        fields.add_fast_method("poll", |lua: &Lua, job: &Self, most: Option<usize>| {
            poll(lua, &job.0, most)
        });
        fields.add_fast_method("cancel", |job: &Self| job.0.cancel());
        fields.add_field("wait", CallingBack("wait"));
        fields.add_field("results", CallingBack("results"));
    }
}

/// A method of `methods.lua`, which is read when a job is first made in a state.
struct CallingBack(&'static str);

impl IntoLua for CallingBack {
    fn into_lua(self, lua: &Lua) -> mlua::Result<Value> {
        let wait = lua.create_fast_function(wait)?;
        let results = lua.create_fast_function(results)?;
        // Functions under this name have no part in the positions of errors.
        let chunk = lua.load(include_str!("methods.lua")).set_name("=[cygnixy]");
        chunk.call::<Table>((wait, results))?.get(self.0)
    }
}

/// `job:progress()`.
fn progress(lua: &Lua, job: &Work) -> mlua::Result<Table> {
    let (table, known) = (lua.create_table()?, &job.progress);
    table.raw_set("files", known.files.load(Relaxed))?;
    table.raw_set("bytes", known.bytes.load(Relaxed))?;
    table.raw_set("errors", known.errors.load(Relaxed))?;
    table.raw_set("is_total_known", known.is_walked.load(Relaxed))?;
    table.raw_set("total_files", known.found_files.load(Relaxed))?;
    table.raw_set("total_bytes", known.found_bytes.load(Relaxed))?;
    table.raw_set("is_running", job.is_running())?;
    let current = known.current.lock().map(|path| path.clone());
    if let Some(path) = current.ok().filter(|path| !path.as_os_str().is_empty()) {
        table.raw_set("current", lua.create_string(path::bytes(&path))?)?;
    }
    Ok(table)
}

/// `job:poll(most)`.
fn poll(lua: &Lua, job: &Work, most: Option<usize>) -> mlua::Result<(Table, bool)> {
    let mut taken = Taken::new(job);
    let mut is_finished = false;
    while taken.results.len() < most.unwrap_or(usize::MAX) && !is_finished {
        match job.next(None).map_err(mlua::Error::external)? {
            Next::Result(result) => taken.results.push(result),
            Next::Later => break,
            Next::Finished => is_finished = true,
        }
    }
    Ok((taken.give(lua)?, is_finished))
}

/// `job:wait(seconds, on_progress)`, as `methods.lua` calls it.
fn wait(
    lua: &Lua,
    seconds: Option<f64>,
    on_progress: Option<Function>,
    job: Value,
    pcall: Function,
) -> mlua::Result<MultiValue> {
    let job = Job::of(&job, "wait")?;
    let tell = |job: &Work| tell(lua, job, on_progress.as_ref(), &pcall);
    callback::outcome(lua, wait_for(lua, &job, seconds, tell))
}

fn wait_for(
    lua: &Lua,
    job: &Work,
    seconds: Option<f64>,
    tell: impl Fn(&Work) -> Result<(), Failure>,
) -> Result<(Table, bool), Failure> {
    let end = match seconds {
        // What does not end within the life of this machine does not end.
        Some(seconds) => Duration::try_from_secs_f64(seconds.max(0.0))
            .ok()
            .and_then(|time| Instant::now().checked_add(time)),
        None => None,
    };
    let mut taken = Taken::new(job);
    let mut turn = Instant::now() + INTERVAL;
    let is_finished = loop {
        let until = end.map_or(turn, |end| end.min(turn));
        match job.next(Some(until)).map_err(mlua::Error::external)? {
            Next::Result(result) => taken.results.push(result),
            Next::Finished => break true,
            Next::Later => {}
        }
        let now = Instant::now();
        if end.is_some_and(|end| now >= end) {
            break false;
        }
        if now >= turn {
            tell(job)?;
            turn = now + INTERVAL;
        }
    };
    tell(job)?;
    Ok((taken.give(lua)?, is_finished))
}

/// `job:results(on_progress)`, as `methods.lua` calls it: the function that gives one result after another.
fn results(
    lua: &Lua,
    on_progress: Option<Function>,
    job: Value,
    pcall: Function,
) -> mlua::Result<Function> {
    Job::of(&job, "results")?;
    lua.create_function(move |lua, job: Value| {
        // Whoever has the loop has the job.
        let job = Job::of(&job, "results")?;
        let tell = || tell(lua, &job, on_progress.as_ref(), &pcall);
        callback::outcome(lua, next_of(lua, &job, tell))
    })
}

fn next_of(
    lua: &Lua,
    job: &Work,
    tell: impl Fn() -> Result<(), Failure>,
) -> Result<Option<Table>, Failure> {
    loop {
        let turn = Instant::now() + INTERVAL;
        match job.next(Some(turn)).map_err(mlua::Error::external)? {
            Next::Result(result) => return Ok(Some(describe(lua, &result)?)),
            Next::Finished => return Ok(None),
            Next::Later => tell()?,
        }
    }
}

fn tell(
    lua: &Lua,
    job: &Work,
    on_progress: Option<&Function>,
    pcall: &Function,
) -> Result<(), Failure> {
    if let Some(function) = on_progress {
        callback::call(pcall, function, progress(lua, job)?)?;
    }
    Ok(())
}

/// Results on the way to Lua. They go back if they do not get there.
struct Taken<'a> {
    job: &'a Work,
    results: Vec<Outcome>,
}

impl<'a> Taken<'a> {
    fn new(job: &'a Work) -> Self {
        let results = Vec::new();
        Self { job, results }
    }

    fn give(mut self, lua: &Lua) -> mlua::Result<Table> {
        let table = lua.create_table_with_capacity(self.results.len(), 0)?;
        for result in &self.results {
            table.raw_push(describe(lua, result)?)?;
        }
        self.results.clear();
        Ok(table)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.job.put_back(std::mem::take(&mut self.results));
    }
}

fn describe(lua: &Lua, result: &Outcome) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 3)?;
    table.raw_set("path", lua.create_string(path::bytes(&result.path))?)?;
    match &result.hashed {
        Ok((size, digest)) => {
            table.raw_set("size", *size)?;
            table.raw_set("sha256", digest.as_str())?;
        }
        Err(error) => table.raw_set("error", error.as_str())?,
    }
    Ok(table)
}
