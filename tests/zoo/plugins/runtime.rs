//! A `tokio` runtime: threads that run the library's code until `on_unload` has joined them.
#![forbid(unsafe_code)]

use std::time::Duration;

use cygnixy_test_zoo::{Functions, HookResult, with_ping};
use plugin_interface::mlua::{self, Error, Lua};
use plugin_interface::{PluginLua, export_plugin};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

struct WithRuntime(Option<Runtime>);

impl WithRuntime {
    /// `work(n)` returns the sum of 1 to `n`, after as many tasks have slept for a millisecond.
    fn functions(&self, lua: &Lua) -> mlua::Result<Functions> {
        let runtime = self.0.as_ref();
        let runtime = runtime.ok_or_else(|| Error::runtime("there is no runtime"))?;
        let handle = runtime.handle().clone();
        let work = lua.create_function(move |_, n: u32| {
            let tasks: Vec<_> = (1..=n)
                .map(|number| {
                    handle.spawn(async move {
                        sleep(Duration::from_millis(1)).await;
                        u64::from(number)
                    })
                })
                .collect();
            handle.block_on(async {
                let mut sum = 0;
                for task in tasks {
                    sum += task.await.map_err(Error::external)?;
                }
                Ok(sum)
            })
        })?;
        with_ping(lua, [("work", work)])
    }
}

impl PluginLua for WithRuntime {
    fn name(&self) -> &str {
        "runtime"
    }

    fn on_load(&mut self) -> HookResult {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("zoo-runtime")
            .enable_time()
            .build()?;
        self.0 = Some(runtime);
        Ok(())
    }

    fn on_unload(&mut self) -> HookResult {
        if let Some(runtime) = self.0.take() {
            // Joins the workers, unless that takes longer.
            runtime.shutdown_timeout(Duration::from_secs(60));
        }
        Ok(())
    }

    fn get_lua_functions(&self, lua: &Lua) -> Functions {
        self.functions(lua).unwrap_or_default()
    }
}

export_plugin!(WithRuntime(None));
