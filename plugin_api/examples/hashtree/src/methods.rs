//! What scripts can do with a job.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use plugin_api::mlua::{self, AnyUserData, Function, Lua, Table, UserData, UserDataMethods, Value};

use crate::hashing::Outcome;
use crate::job::{Next, Work};

/// How often a script is told of the progress while it waits.
const INTERVAL: Duration = Duration::from_millis(100);

/// A job as a script has it. One that is collected is cancelled.
pub(crate) struct Job(pub(crate) Arc<Work>);

impl Drop for Job {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl UserData for Job {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("progress", |lua, job, ()| progress(lua, &job.0));
        methods.add_method("poll", |lua, job, most: Option<usize>| {
            poll(lua, &job.0, most)
        });
        methods.add_method("wait", |lua, job, (seconds, on_progress)| {
            wait(lua, &job.0, seconds, on_progress)
        });
        methods.add_method("cancel", |_, job, ()| {
            job.0.cancel();
            Ok(())
        });
        methods.add_function("results", |lua, (job, on_progress): (AnyUserData, _)| {
            // Whoever has the loop has the job.
            drop(job.borrow::<Self>()?);
            Ok((results(lua, on_progress)?, job))
        });
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
        table.raw_set(
            "current",
            lua.create_string(path.as_os_str().as_encoded_bytes())?,
        )?;
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

/// `job:wait(seconds, on_progress)`.
fn wait(
    lua: &Lua,
    job: &Work,
    seconds: Option<f64>,
    on_progress: Option<Function>,
) -> mlua::Result<(Table, bool)> {
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
            tell(lua, job, on_progress.as_ref())?;
            turn = now + INTERVAL;
        }
    };
    tell(lua, job, on_progress.as_ref())?;
    Ok((taken.give(lua)?, is_finished))
}

/// `job:results(on_progress)`: the function that gives one result after another.
fn results(lua: &Lua, on_progress: Option<Function>) -> mlua::Result<Function> {
    lua.create_function(move |lua, job: AnyUserData| {
        let job = Arc::clone(&job.borrow::<Job>()?.0);
        loop {
            let turn = Instant::now() + INTERVAL;
            match job.next(Some(turn)).map_err(mlua::Error::external)? {
                Next::Result(result) => return describe(lua, &result).map(Value::Table),
                Next::Finished => return Ok(Value::Nil),
                Next::Later => tell(lua, &job, on_progress.as_ref())?,
            }
        }
    })
}

fn tell(lua: &Lua, job: &Work, on_progress: Option<&Function>) -> mlua::Result<()> {
    on_progress.map_or(Ok(()), |f| f.call(progress(lua, job)?))
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
    let path = lua.create_string(result.path.as_os_str().as_encoded_bytes())?;
    table.raw_set("path", path)?;
    match &result.hashed {
        Ok((size, digest)) => {
            table.raw_set("size", *size)?;
            table.raw_set("sha256", digest.as_str())?;
        }
        Err(error) => table.raw_set("error", error.as_str())?,
    }
    Ok(table)
}
