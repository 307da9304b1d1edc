//! `lua-host`: a small stand-alone Lua interpreter, made of mlua and its vendored Lua.
//!
//! It runs the specs for Lua 5.5, which no distribution packages yet, and the demo on machines
//! that have no Lua at all. It reads its command line like the stock `lua` (see [`cli`]), loads
//! C modules, and can run busted without busted's C rocks (see [`shims`]).

mod cli;
mod shims;

use std::process::ExitCode;

use cli::{Action, Plan};
use mlua::{Function, Lua, LuaString, Table};

/// Runs a plan under a message handler; kept in Lua, where stock behaviour is shortest to say.
const RUN: &str = include_str!("run.lua");

fn main() -> ExitCode {
    let plan = match Plan::parse(std::env::args_os()) {
        Ok(plan) => plan,
        Err(message) => {
            eprintln!("lua-host: {message}\n{}", cli::USAGE);
            return ExitCode::FAILURE;
        }
    };
    // SAFETY: an interpreter that exists to run C modules gives its scripts every library, and
    // trusts them as the stock one does.
    let lua = unsafe { Lua::unsafe_new() };
    let message = match run(&lua, &plan) {
        Ok(None) => return ExitCode::SUCCESS,
        Ok(Some(message)) => message,
        Err(error) => error.to_string(),
    };
    eprintln!("lua-host: {message}");
    // The state is closed on return, either way: finalisers run, and may still print.
    ExitCode::FAILURE
}

/// Carries out the plan; `Some` is the text of a Lua error that nothing caught.
fn run(lua: &Lua, plan: &Plan) -> mlua::Result<Option<String>> {
    shims::install(lua)?;
    let arg = lua.create_table()?;
    for (position, value) in (plan.first_arg..).zip(&plan.args) {
        arg.raw_set(position, lua.create_string(value.as_encoded_bytes())?)?;
    }
    let actions = lua.create_table()?;
    for action in &plan.actions {
        actions.raw_push(action_table(lua, action)?)?;
    }
    let runner: Function = lua.load(RUN).set_name("=lua-host").into_function()?;
    let message: Option<LuaString> = runner.call((actions, arg))?;
    Ok(message.map(|text| text.to_string_lossy()))
}

/// One action as `run.lua` reads it: its kind and its operand.
fn action_table(lua: &Lua, action: &Action) -> mlua::Result<Table> {
    let (kind, operand) = match action {
        Action::Version => ("version", None),
        Action::Execute(chunk) => ("execute", Some(chunk)),
        Action::Require(module) => ("require", Some(module)),
        Action::Script(path) => ("script", Some(path)),
        Action::StandardInput => ("script", None),
    };
    let table = lua.create_table()?;
    table.raw_set("kind", kind)?;
    if let Some(text) = operand {
        table.raw_set("operand", lua.create_string(text.as_encoded_bytes())?)?;
    }
    Ok(table)
}
