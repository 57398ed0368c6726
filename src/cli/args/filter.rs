//! `--filter KEY=VALUE`: several of one key are alternatives, different keys must all hold.

use clap::Args;

use crate::model::ids::shorten;
use crate::ops::view::{ExecutionView, State};

const KEYS: [&str; 5] = ["id", "name", "user", "application", "state"];

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    key: &'static str,
    value: String,
}

/// Conditions an execution must meet.
#[derive(Debug, Clone, Default, Args)]
pub struct Filter {
    /// Only executions with this: id (or its beginning), name, user, application or state; may be given several times
    #[arg(long = "filter", value_name = "KEY=VALUE", value_parser = condition)]
    pub conditions: Vec<Condition>,
}

fn condition(text: &str) -> Result<Condition, String> {
    let Some((key, value)) = text.split_once('=') else {
        return Err(format!("'{}' is not of the form KEY=VALUE", shorten(text)));
    };
    let Some(key) = KEYS.into_iter().find(|known| *known == key) else {
        return Err(format!(
            "'{}' is not a key; there are: {}",
            shorten(key),
            KEYS.join(", ")
        ));
    };
    let states = State::ALL.map(State::word);
    if key == "state" && !states.contains(&value) {
        return Err(format!(
            "'{}' is not a state; there are: {}",
            shorten(value),
            states.join(", ")
        ));
    }
    Ok(Condition {
        key,
        value: value.to_owned(),
    })
}

impl Condition {
    fn holds(&self, view: &ExecutionView) -> bool {
        let value = self.value.as_str();
        match self.key {
            "id" => view.id.as_str().starts_with(value),
            "name" => view.name == value,
            "user" => view.user == value,
            "application" => view.application == value,
            _ => view.state.word() == value,
        }
    }
}

impl Filter {
    /// Whether the execution meets them.
    pub fn holds(&self, view: &ExecutionView) -> bool {
        KEYS.into_iter().all(|key| {
            let mut of_key = self.conditions.iter().filter(|c| c.key == key).peekable();
            of_key.peek().is_none() || of_key.any(|c| c.holds(view))
        })
    }

    /// Whether a state is asked for that only history knows.
    pub fn wants_ended(&self) -> bool {
        let over = State::ALL
            .into_iter()
            .filter(|s| s.is_over())
            .map(State::word);
        let over: Vec<&str> = over.collect();
        self.conditions
            .iter()
            .any(|c| c.key == "state" && over.contains(&c.value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_conditions_say_what_would_be_right() {
        insta::assert_snapshot!(condition("state").unwrap_err(), @"'state' is not of the form KEY=VALUE");
        insta::assert_snapshot!(condition("colour=red").unwrap_err(), @"'colour' is not a key; there are: id, name, user, application, state");
        insta::assert_snapshot!(condition("state=dead").unwrap_err(), @"'dead' is not a state; there are: queued, starting, running, ending, finished, failed, cancelled");
        let filter = Filter {
            conditions: vec![condition("state=failed").unwrap()],
        };
        assert!(filter.wants_ended());
        assert!(!Filter::default().wants_ended());
    }
}
