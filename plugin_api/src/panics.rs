//! Where panics stop: every function that the other side calls passes through here.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `body` and turns a panic into its message.
pub(crate) fn catch<R>(body: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(body)).map_err(text_of)
}

/// The text of a panic that was caught.
pub(crate) fn text_of(payload: Box<dyn Any + Send>) -> String {
    let text = message(&*payload);
    // A payload may panic again when it is dropped; that one has nothing new to say.
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
    text
}

/// The text of a panic's payload, if it has one.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_passes_through() {
        assert_eq!(catch(|| 7), Ok(7));
    }

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(
            catch(|| panic!("no {}", "luck")),
            Err::<(), _>("no luck".to_owned())
        );
        assert_eq!(catch(|| panic!("plain")), Err::<(), _>("plain".to_owned()));
    }

    #[test]
    fn a_payload_that_panics_when_dropped_is_contained() {
        struct Grenade;
        impl Drop for Grenade {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        let result = catch(|| std::panic::panic_any(Grenade));
        assert_eq!(result, Err::<(), _>("a panic without a message".to_owned()));
    }
}
