//! Hashes the files of a directory tree on threads of its own, with the crates `ignore` and `sha2`, while
//! the Lua program goes on.
//!
//! ```lua
//! local hashtree = require "cygnixy".load "hashtree"
//! local job = hashtree.start("/usr/share", { threads = 4 })
//! repeat                                      -- in the program's loop
//!   local results, is_finished = job:poll(100)
//!   for _, file in ipairs(results) do print(file.path, file.sha256 or file.error) end
//! until is_finished
//! ```
//!
//! No thread but Lua's own ever uses the Lua state: the others send their results through a channel of
//! limited length (`job.rs`, `hashing.rs`), and the methods of the job take them from there (`methods.rs`).
//! A file that cannot be read is a result with an `error`; files of a tree come in the order in which they
//! are done.
//!
//! # The end of a job
//!
//! A job that was cancelled or collected makes its threads end; so does an unload, which waits until they
//! have. Then the library can be unmapped, unless a script still has the job's object. No file makes a thread
//! wait (`hashing.rs`), but a file system that does not answer does: such a thread is left alone after two
//! seconds, and the library stays mapped until it has ended.
//!
//! A reload is refused while a job is running: its threads run the code of the old version, which would
//! have to stop them. Jobs that are done keep their results, as objects of the old version.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use plugin_api::mlua::{self, Function, Lua, Table};
use plugin_api::tracing::warn;
use plugin_api::{FunctionDoc, LuaExt as _, PluginLua, export_plugin};

mod callback;
mod hashing;
mod job;
mod methods;
mod options;
mod path;

use job::{JobError, PATIENCE, Work};
use methods::Job;
use options::Options;

/// The jobs that may be running.
#[derive(Default)]
struct HashTree(Arc<Mutex<Vec<Arc<Work>>>>);

impl HashTree {
    fn jobs(&self) -> Vec<Arc<Work>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl PluginLua for HashTree {
    fn name(&self) -> &str {
        "hashtree"
    }

    fn on_load(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    fn on_unload(&mut self) -> Result<(), Box<dyn Error>> {
        let jobs = self.jobs();
        let running = jobs.iter().filter(|job| job.is_running());
        running.for_each(|job| job.cancel());
        // All are waited for, also if one of them fails.
        let until = Instant::now() + PATIENCE;
        let ended: Vec<_> = jobs.iter().map(|job| job.end(until)).collect();
        for end in ended {
            match end {
                Err(error @ JobError::Stuck(_)) => warn!("{error}"),
                end => end?,
            }
        }
        Ok(())
    }

    #[allow(clippy::panic)]
    fn get_lua_functions(&self, lua: &Lua) -> HashMap<String, Function> {
        // A panic here makes the load fail, and its message is the reason that Lua sees.
        start(lua, &self.0).map_or_else(
            |error| panic!("cannot make the functions: {error}"),
            |start| HashMap::from([("start".to_owned(), start)]),
        )
    }

    fn docs(&self) -> Vec<FunctionDoc> {
        let options = "{ threads?: integer, queue?: integer, hidden?: boolean, ignore?: boolean, follow?: boolean }?";
        vec![
            FunctionDoc::new("start")
                .text(
                    "Starts to hash a file or the files of a folder in the background (SHA-256).\n\
                     `threads`: how many hash; as many as there are processors if not given.\n\
                     `queue`: how many results may wait to be taken, 1000; then the threads wait.\n\
                     `hidden`: whether names that begin with a dot count, which they do.\n\
                     `ignore`: whether to leave out what `.gitignore` and `.ignore` name, false.\n\
                     `follow`: whether to follow symbolic links, false.\n\
                     The job has the methods `poll(most?)` and `wait(seconds?, on_progress?)`, which give an \
                     array of results and whether that was all; `results(on_progress?)`, for a loop over them; \
                     `progress()` and `cancel()`.\n\
                     A result has `path`, and `size` and `sha256`, or `error`. Progress has `files`, `bytes`, \
                     `errors`, `total_files`, `total_bytes`, `is_total_known`, `is_running` and `current`.",
                )
                .parameters(["path", "options"])
                .types(["string", options], ["Job"]),
        ]
    }

    fn save_state(&mut self) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
        let until = Instant::now() + PATIENCE;
        let mut jobs = self.jobs().into_iter();
        jobs.try_for_each(|job| job.check_idle(until))?;
        Ok(None)
    }
}

/// `start(path, options)`.
fn start(lua: &Lua, jobs: &Arc<Mutex<Vec<Arc<Work>>>>) -> mlua::Result<Function> {
    let jobs = Arc::clone(jobs);
    lua.create_fast_function(move |path: &[u8], options: Option<Table>| {
        let options = Options::read(options)?;
        let job = Work::start(&path::of(path)?, &options).map_err(mlua::Error::external)?;
        let mut jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that are at their end need not be stopped later. Whether they failed, they said themselves.
        jobs.retain(|job| !job.has_ended() || job.join().is_ok_and(|()| false));
        jobs.push(Arc::clone(&job));
        mlua::Result::Ok(Job(job))
    })
}

export_plugin!(HashTree::default());
