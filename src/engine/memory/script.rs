//! What a container of the memory backend does: its command is read as a little script, and where the script stands
//! follows from the clock. Nothing ever runs.
//!
//! `print TEXT`, `error TEXT`, `env NAME`, `secret NAME` and `file PATH` write a line; `wait 200ms` takes its time;
//! `exit N [after 200ms]` ends; `run` goes on until it is stopped, and `deaf` until the time is over that it is given for that.
//! A script that comes to its end exits with 0. Any other command runs until it is stopped and writes nothing.

use jiff::SignedDuration;

use crate::engine::Output;

/// Where a script finds what it prints.
pub trait Inside {
    /// A variable of the environment.
    fn env(&self, name: &str) -> Option<String>;
    /// A file's contents.
    fn file(&self, path: &str) -> Option<String>;
}

/// What a container does, and when after its start.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The lines it writes, newline included.
    pub lines: Vec<(SignedDuration, Output, String)>,
    /// When it ends by itself and with which code, if it does.
    pub end: Option<(SignedDuration, i64)>,
    /// Whether it does not end when it is told to.
    pub is_deaf: bool,
}

impl Script {
    /// Reads a command; `None` if it is no script.
    pub fn read(command: &[String], inside: &dyn Inside) -> Option<Self> {
        let mut words = command.iter().map(String::as_str).peekable();
        words.peek()?;
        let mut script = Self::default();
        let mut now = SignedDuration::ZERO;
        while let Some(verb) = words.next() {
            let line = match verb {
                "run" => return Some(script),
                "deaf" => {
                    script.is_deaf = true;
                    return Some(script);
                }
                "exit" => {
                    let code = words.next()?.parse().ok()?;
                    if words.next_if_eq(&"after").is_some() {
                        now = now.checked_add(words.next()?.parse().ok()?)?;
                    }
                    script.end = Some((now, code));
                    return Some(script);
                }
                "wait" => {
                    now = now.checked_add(words.next()?.parse().ok()?)?;
                    continue;
                }
                "print" | "error" => words.next()?.to_owned(),
                "env" => inside.env(words.next()?).unwrap_or_default(),
                "secret" => inside
                    .file(&format!("/run/secrets/{}", words.next()?))
                    .unwrap_or_default(),
                "file" => inside.file(words.next()?).unwrap_or_default(),
                _ => return None,
            };
            let output = if verb == "error" {
                Output::Stderr
            } else {
                Output::Stdout
            };
            script.lines.push((now, output, format!("{line}\n")));
        }
        script.end = Some((now, 0));
        Some(script)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Inside for Nothing {
        fn env(&self, name: &str) -> Option<String> {
            Some(format!("the {name}"))
        }
        fn file(&self, _: &str) -> Option<String> {
            None
        }
    }

    fn read(command: &[&str]) -> Option<Script> {
        let command: Vec<_> = command.iter().map(|&word| word.to_owned()).collect();
        Script::read(&command, &Nothing)
    }

    #[test]
    fn scripts_say_what_is_written_and_when_they_end() {
        let at = SignedDuration::from_millis;
        let script = read(&[
            "print", "a", "wait", "50ms", "env", "HOME", "exit", "3", "after", "200ms",
        ]);
        let script = script.unwrap();
        assert_eq!(
            script.lines,
            [
                (at(0), Output::Stdout, "a\n".to_owned()),
                (at(50), Output::Stdout, "the HOME\n".to_owned()),
            ]
        );
        assert_eq!(script.end, Some((at(250), 3)));
        assert_eq!(read(&["print", "a"]).unwrap().end, Some((at(0), 0)));
        assert_eq!(read(&["run"]), Some(Script::default()));
        assert!(read(&["print", "a", "deaf"]).unwrap().is_deaf);
        for other in [
            &["sleep", "3"][..],
            &[],
            &["exit", "x"],
            &["print"],
            &["wait", "long"],
        ] {
            assert_eq!(read(other), None, "{other:?}");
        }
    }
}
