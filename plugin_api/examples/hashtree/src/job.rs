//! A job: its threads, and the results that wait to be taken.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use crate::hashing::{self, Outcome, Progress};
use crate::options::Options;

/// How many paths may wait to be hashed: how far the walk, which finds the totals, is ahead.
const PATHS: usize = 1 << 16;

/// How long threads that were told to end are waited for. They end when they have read the piece of a file
/// that they are reading, which takes longer only if the file system does not answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Why a job could not be started, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    #[error("cannot hash '{}': {}", .0.display(), .1)]
    Root(PathBuf, std::io::Error),
    #[error("cannot hash '{}': it is neither a file nor a folder", .0.display())]
    NoTree(PathBuf),
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    #[error("the job over '{}' is running; wait for it, or cancel it first", .0.display())]
    Running(PathBuf),
    #[error("a thread of the job over '{}', which was cancelled, has not ended yet", .0.display())]
    Stuck(PathBuf),
    #[error("a thread of the job over '{}' has panicked", .0.display())]
    Panicked(PathBuf),
    #[error("the job over '{}' was started by another process, of which this one is a child", .0.display())]
    Forked(PathBuf),
}

/// What is done in the background over one tree.
pub(crate) struct Work {
    root: PathBuf,
    pub(crate) progress: Arc<Progress>,
    /// Gone when the job was cancelled: then nothing can be sent, and the threads end.
    results: Mutex<Option<Receiver<Outcome>>>,
    /// Results that were received, but could not be given to Lua.
    returned: Mutex<VecDeque<Outcome>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    process: u32,
}

/// What there is to be taken of a job.
pub(crate) enum Next {
    Result(Outcome),
    /// Nothing now.
    Later,
    /// Nothing any more.
    Finished,
}

impl Work {
    /// Starts to walk and to hash.
    pub(crate) fn start(root: &Path, options: &Options) -> Result<Arc<Self>, JobError> {
        let metadata = root
            .metadata()
            .map_err(|error| JobError::Root(root.to_owned(), error))?;
        if !metadata.is_file() && !metadata.is_dir() {
            return Err(JobError::NoTree(root.to_owned()));
        }
        let (send_path, paths) = bounded(PATHS);
        let (send, results) = bounded(options.queue);
        let job = Arc::new(Self {
            root: root.to_owned(),
            progress: Arc::default(),
            results: Mutex::new(Some(results)),
            returned: Mutex::default(),
            threads: Mutex::default(),
            process: std::process::id(),
        });
        let walk = hashing::files_of(root, options);
        let (progress, results) = (Arc::clone(&job.progress), send.clone());
        job.spawn(move || hashing::walk(walk, &progress, &send_path, &results))?;
        for _ in 0..options.threads {
            let (progress, paths, results) =
                (Arc::clone(&job.progress), paths.clone(), send.clone());
            job.spawn(move || hashing::hash(&paths, &progress, &results))?;
        }
        Ok(job)
    }

    /// Starts a thread. If that fails, those that there are already end.
    fn spawn(&self, body: impl FnOnce() + Send + 'static) -> Result<(), JobError> {
        let thread = thread::Builder::new().name("hashtree".to_owned());
        match thread.spawn(body) {
            Ok(thread) => lock(&self.threads).push(thread),
            Err(error) => {
                self.cancel();
                let _ = self.end(Instant::now() + PATIENCE);
                return Err(JobError::Thread(error));
            }
        }
        Ok(())
    }

    /// The next result; waits for it until a time, if one is given.
    pub(crate) fn next(&self, until: Option<Instant>) -> Result<Next, JobError> {
        self.check_process()?;
        if let Some(result) = lock(&self.returned).pop_front() {
            return Ok(Next::Result(result));
        }
        // A copy, so that the lock is not held while waiting.
        let Some(results) = lock(&self.results).clone() else {
            return Ok(Next::Finished);
        };
        let received = match until {
            Some(until) => results.recv_deadline(until),
            None => results.try_recv().map_err(|error| match error {
                crossbeam_channel::TryRecvError::Empty => RecvTimeoutError::Timeout,
                crossbeam_channel::TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            }),
        };
        match received {
            Ok(result) => Ok(Next::Result(result)),
            Err(RecvTimeoutError::Timeout) => Ok(Next::Later),
            // All threads are at their end.
            Err(RecvTimeoutError::Disconnected) => self.join().map(|()| Next::Finished),
        }
    }

    /// Takes results back, to be given again, unless the job was cancelled meanwhile.
    pub(crate) fn put_back(&self, results: Vec<Outcome>) {
        let mut returned = lock(&self.returned);
        if self.progress.is_cancelled.load(Relaxed) {
            return;
        }
        for result in results.into_iter().rev() {
            returned.push_front(result);
        }
    }

    /// Makes the threads end, and forgets the results that were not taken.
    pub(crate) fn cancel(&self) {
        self.progress.is_cancelled.store(true, Relaxed);
        lock(&self.results).take();
        lock(&self.returned).clear();
    }

    /// Whether a thread has still something to do.
    pub(crate) fn is_running(&self) -> bool {
        !self.progress.is_cancelled.load(Relaxed) && !self.has_ended()
    }

    /// Whether all threads have ended.
    pub(crate) fn has_ended(&self) -> bool {
        lock(&self.threads).iter().all(JoinHandle::is_finished)
    }

    /// An error if the job is running. If it was cancelled, its threads are waited for until a time.
    pub(crate) fn check_idle(&self, until: Instant) -> Result<(), JobError> {
        match self.is_running() {
            true => Err(JobError::Running(self.root.clone())),
            false => self.end(until),
        }
    }

    /// Waits until the threads have ended, or until a time, which is an error.
    pub(crate) fn end(&self, until: Instant) -> Result<(), JobError> {
        while self.check_process().is_ok() && !self.has_ended() {
            if Instant::now() >= until {
                return Err(JobError::Stuck(self.root.clone()));
            }
            thread::sleep(Duration::from_millis(1));
        }
        self.join()
    }

    /// Forgets the threads, which are at their end.
    pub(crate) fn join(&self) -> Result<(), JobError> {
        let threads = std::mem::take(&mut *lock(&self.threads));
        if self.check_process().is_err() {
            // They are not here.
            std::mem::forget(threads);
            return Ok(());
        }
        let ended: Vec<_> = threads.into_iter().map(JoinHandle::join).collect();
        match ended.iter().all(Result::is_ok) {
            true => Ok(()),
            false => Err(JobError::Panicked(self.root.clone())),
        }
    }

    fn check_process(&self) -> Result<(), JobError> {
        if self.process == std::process::id() {
            return Ok(());
        }
        Err(JobError::Forked(self.root.clone()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
