//! Errors as Lua code sees them: strings, with the position of the caller, without a traceback.
//!
//! mlua raises an error as a userdata object that only the same copy of mlua understands. Inside
//! Rust code of one library that is what one wants: the error arrives as a structured
//! [`mlua::Error`]. Lua code, and every other library, gets a string instead. Which of the two it
//! is depends on who catches the error first: the nearest C function on the call stack. If that
//! is a function of this library, Rust will see the error; if it is another one (`pcall`,
//! `coroutine.wrap`, another plugin) or there is none, Lua will.

use std::fmt::Write as _;

use mlua::Error;

#[cfg(bound_lua_api)]
mod current;
#[cfg(bound_lua_api)]
mod intercept;
#[cfg(bound_lua_api)]
pub(crate) use intercept::{is_own, lua_error, own_image, remember_image};

/// An error as text for Lua code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The text, without a position that was added for this message.
    pub text: String,
    /// Whether the text names its own position, because it came out of Lua code.
    pub is_positioned: bool,
}

impl Message {
    /// The text of `error` for Lua code: the innermost message with its chain of causes, without
    /// tracebacks.
    ///
    /// ```
    /// use plugin_api::{errors::Message, mlua::Error};
    ///
    /// let message = Message::of(&Error::runtime("no such user"));
    /// assert_eq!(message.text, "no such user");
    /// ```
    #[must_use]
    pub fn of(error: &Error) -> Self {
        match error {
            Error::CallbackError { cause, .. } => Self::of(cause),
            Error::RuntimeError(text) => match split_traceback(text) {
                Some(text) => Self::positioned(text),
                None => Self::plain(text),
            },
            Error::MemoryError(text) => Self::positioned(text),
            Error::SyntaxError { message, .. } => {
                Self::positioned(split_traceback(message).unwrap_or(message))
            }
            Error::WithContext { context, cause } => Self {
                text: format!("{context}: {}", Self::of(cause).text),
                is_positioned: false,
            },
            Error::BadArgument {
                to,
                pos,
                name,
                cause,
            } => Self {
                text: bad_argument(to.as_deref(), *pos, name.as_deref(), &Self::of(cause).text),
                is_positioned: false,
            },
            Error::ExternalError(external) => match external.downcast_ref::<Error>() {
                Some(inner) => Self::of(inner),
                None => Self::plain(&chain(&**external)),
            },
            other => Self::plain(&chain(other)),
        }
    }

    /// What is said of a panic.
    pub(crate) fn panicked(text: &str) -> Self {
        Self {
            text: format!("the function panicked: {text}"),
            is_positioned: false,
        }
    }

    fn plain(text: &str) -> Self {
        Self {
            text: split_traceback(text).unwrap_or(text).to_owned(),
            is_positioned: false,
        }
    }

    fn positioned(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            is_positioned: true,
        }
    }
}

/// The part before the traceback that mlua appends to every error it catches from Lua code.
fn split_traceback(text: &str) -> Option<&str> {
    text.rfind("\nstack traceback:").map(|at| &text[..at])
}

fn bad_argument(to: Option<&str>, position: usize, name: Option<&str>, cause: &str) -> String {
    let mut text = format!("bad argument #{position}");
    if let Some(name) = name {
        let _ = write!(text, " '{name}'");
    }
    if let Some(to) = to {
        let _ = write!(text, " to '{to}'");
    }
    let _ = write!(text, " ({cause})");
    text
}

/// How many causes of an error are named.
const CAUSES: usize = 32;

/// The text of an error and of its causes, `outer: inner`, leaving out what an outer text says
/// already.
///
/// ```
/// let error = std::io::Error::other("disk on fire");
/// assert_eq!(plugin_api::errors::chain(&error), "disk on fire");
/// ```
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    // An error may be its own cause.
    for cause in std::iter::successors(error.source(), |error| error.source()).take(CAUSES) {
        let part = cause.to_string();
        if !part.is_empty() && !text.contains(&part) {
            let _ = write!(text, ": {part}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_innermost_message_is_taken() {
        let inner = Error::CallbackError {
            traceback: "stack traceback:\n\t[C]: in ?".into(),
            cause: Arc::new(Error::runtime("boom")),
        };
        let outer = Error::CallbackError {
            traceback: "stack traceback:\n\tx".into(),
            cause: Arc::new(inner),
        };
        let message = Message::of(&outer);
        assert_eq!(message.text, "boom");
        assert!(!message.is_positioned);
    }

    #[test]
    fn an_error_out_of_lua_code_keeps_its_own_position() {
        let error = Error::runtime("a.lua:3: boom\nstack traceback:\n\t[C]: in ?");
        let message = Message::of(&error);
        assert_eq!(message.text, "a.lua:3: boom");
        assert!(message.is_positioned);
    }

    #[test]
    fn a_traceback_that_lua_code_put_there_stays() {
        let error = Error::runtime("x\nstack traceback:\n\tmine\nstack traceback:\n\tmlua's");
        assert_eq!(Message::of(&error).text, "x\nstack traceback:\n\tmine");
    }

    #[test]
    fn causes_follow_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot open the store")]
        struct Outer(#[source] std::io::Error);

        let error = Error::external(Outer(std::io::Error::other("permission denied")));
        assert_eq!(
            Message::of(&error).text,
            "cannot open the store: permission denied"
        );
    }

    #[test]
    fn an_error_that_is_its_own_cause_ends() {
        #[derive(Debug)]
        struct Loop;
        impl std::fmt::Display for Loop {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("loop")
            }
        }
        impl std::error::Error for Loop {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&Loop)
            }
        }
        assert_eq!(chain(&Loop), "loop");
    }

    #[test]
    fn a_context_and_an_argument_show_their_cause_without_traceback() {
        let cause = Arc::new(Error::CallbackError {
            traceback: "stack traceback:".into(),
            cause: Arc::new(Error::runtime("empty")),
        });
        let argument = Error::BadArgument {
            to: Some("add".into()),
            pos: 2,
            name: None,
            cause,
        };
        let error = Error::WithContext {
            context: "while adding".into(),
            cause: Arc::new(argument),
        };
        assert_eq!(
            Message::of(&error).text,
            "while adding: bad argument #2 to 'add' (empty)"
        );
    }
}
