//! The command line, as the stock interpreter reads it.

use std::ffi::{OsStr, OsString};

/// What is printed below a command line that makes no sense.
pub(crate) const USAGE: &str = "\
usage: lua-host [options] [script [args]]
  -e chunk   execute the string 'chunk'
  -l mod     require the module 'mod' into the global 'mod'
  -l g=mod   require the module 'mod' into the global 'g'
  -v         show version information
  --         stop handling options
  -          stop handling options and execute standard input";

/// One thing to do, in the order given.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Print the version.
    Version,
    /// Run the text.
    Execute(OsString),
    /// Load a module into a global.
    Require(OsString),
    /// Run a file, with the arguments after it.
    Script(OsString),
    /// Run what standard input holds.
    StandardInput,
}

/// A command line, understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What to do.
    pub(crate) actions: Vec<Action>,
    /// The whole command line, program name included.
    pub(crate) args: Vec<OsString>,
    /// The index in the `arg` table of `args[0]`, such that the script's name is `arg[0]`.
    pub(crate) first_arg: i64,
}

impl Plan {
    /// Reads a command line whose first item is the program's name.
    pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let args: Vec<OsString> = args.into_iter().collect();
        let mut actions = Vec::new();
        let mut next = 1;
        let mut script = None;
        while let Some(arg) = args.get(next) {
            next += 1;
            let Some(option) = option_bytes(arg) else {
                script = Some(next - 1);
                break;
            };
            match option {
                b"" => {
                    script = Some(next - 1);
                    break;
                }
                b"-" => {
                    script = (next < args.len()).then_some(next);
                    break;
                }
                b"v" => actions.push(Action::Version),
                [letter @ (b'e' | b'l'), attached @ ..] => {
                    let operand = if attached.is_empty() {
                        next += 1;
                        args.get(next - 1).cloned()
                    } else {
                        tail(arg)
                    };
                    let operand = operand
                        .ok_or_else(|| format!("'{}' needs argument", arg.to_string_lossy()))?;
                    actions.push(match letter {
                        b'e' => Action::Execute(operand),
                        _ => Action::Require(operand),
                    });
                }
                _ => return Err(format!("unrecognized option '{}'", arg.to_string_lossy())),
            }
        }
        match script {
            Some(at) if args[at] == "-" => actions.push(Action::StandardInput),
            Some(at) => actions.push(Action::Script(args[at].clone())),
            None if actions.is_empty() => actions.push(Action::StandardInput),
            None => {}
        }
        let zero = i64::try_from(script.unwrap_or(0)).map_err(|error| error.to_string())?;
        Ok(Self {
            actions,
            args,
            first_arg: -zero,
        })
    }
}

/// What follows the dash, or `None` if there is no dash.
fn option_bytes(arg: &OsStr) -> Option<&[u8]> {
    arg.as_encoded_bytes().strip_prefix(b"-")
}

/// The operand written right behind a two-byte option, as in `-lmod`.
fn tail(arg: &OsStr) -> Option<OsString> {
    let bytes = arg.as_encoded_bytes().get(2..)?;
    // SAFETY: the bytes come from an `OsStr` and are cut right after two ASCII characters.
    Some(unsafe { OsStr::from_encoded_bytes_unchecked(bytes) }.to_os_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str) -> Result<Plan, String> {
        Plan::parse(
            std::iter::once("lua-host")
                .chain(line.split_whitespace())
                .map(OsString::from),
        )
    }

    #[test]
    fn options_keep_their_order() {
        let plan = plan("-v -e a=1 -lmod script.lua -v x").unwrap();
        assert_eq!(
            plan.actions,
            [
                Action::Version,
                Action::Execute("a=1".into()),
                Action::Require("mod".into()),
                Action::Script("script.lua".into()),
            ]
        );
        assert_eq!(plan.first_arg, -5);
    }

    #[test]
    fn nothing_to_do_reads_standard_input() {
        assert_eq!(plan("").unwrap().actions, [Action::StandardInput]);
        assert_eq!(plan("- one").unwrap().actions, [Action::StandardInput]);
        assert_eq!(plan("- one").unwrap().first_arg, -1);
        assert_eq!(
            plan("-e a=1").unwrap().actions,
            [Action::Execute("a=1".into())]
        );
    }

    #[test]
    fn two_dashes_end_the_options() {
        assert_eq!(
            plan("-- -v").unwrap().actions,
            [Action::Script("-v".into())]
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(plan("-e").unwrap_err(), "'-e' needs argument");
        assert_eq!(plan("-x").unwrap_err(), "unrecognized option '-x'");
    }
}
