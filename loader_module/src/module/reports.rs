//! Reports as tables.

use plugin_api::mlua::{self, Lua, Table};

use crate::loaded::PollResult;
use crate::report::UnloadReport;

/// A report as a table.
pub(super) fn report(lua: &Lua, report: &UnloadReport) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("name", report.name.as_str())?;
    table.raw_set("path", report.path.clone())?;
    table.raw_set("reloaded", report.reloaded)?;
    table.raw_set("unmapped", report.unmapped)?;
    table.raw_set("text", report.to_string())?;
    let reasons = lua.create_table()?;
    for reason in &report.reasons {
        let entry = lua.create_table()?;
        entry.raw_set("kind", reason.kind.as_str())?;
        entry.raw_set("name", reason.name.as_deref())?;
        entry.raw_set("count", reason.count)?;
        entry.raw_set("text", reason.to_string())?;
        reasons.raw_push(entry)?;
    }
    table.raw_set("reasons", reasons)?;
    Ok(table)
}

/// What polling did about a plugin, as a table.
pub(super) fn poll_result(lua: &Lua, result: &PollResult) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("name", result.name.as_str())?;
    table.raw_set("ok", result.outcome.is_ok())?;
    table.raw_set("pending", result.is_pending)?;
    match &result.outcome {
        Ok(done) => table.raw_set("report", report(lua, done)?)?,
        Err(error) => table.raw_set("error", error.report())?,
    }
    Ok(table)
}
