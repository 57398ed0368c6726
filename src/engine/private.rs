//! What belongs to an execution and is not in its labels, as the environment of its ticket's container.
//!
//! The ticket never runs, so nothing ever sees this environment from inside; whoever may inspect containers could
//! read the instances' files too. Pure: the backends carry it.

use crate::model::{Private, Secret};

const SECRET: &str = "ZOE_SECRET_";
const ENV: &str = "ZOE_ENV_";

/// As `NAME=value` entries, in a fixed order.
pub fn to_env(private: &Private) -> Vec<String> {
    let secrets = private.secrets.iter().map(|pair| (SECRET, pair));
    let env = private.env.iter().map(|pair| (ENV, pair));
    secrets
        .chain(env)
        .map(|(prefix, (name, value))| format!("{prefix}{name}={}", value.reveal()))
        .collect()
}

/// Out of the container's environment; what the image brought along is passed over.
pub fn from_env<S: AsRef<str>>(env: impl IntoIterator<Item = S>) -> Private {
    let mut private = Private::default();
    for entry in env {
        let Some((name, value)) = entry.as_ref().split_once('=') else {
            continue;
        };
        if let Some(name) = name.strip_prefix(SECRET) {
            private.secrets.insert(name.to_owned(), Secret::new(value));
        } else if let Some(name) = name.strip_prefix(ENV) {
            private.env.insert(name.to_owned(), Secret::new(value));
        }
    }
    private
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_values_read_back() {
        let mut private = Private::default();
        for (name, value) in [("auth", "a=b\nc"), ("to.ken", "")] {
            private.secrets.insert(name.to_owned(), Secret::new(value));
            private.env.insert(name.to_owned(), Secret::new(value));
        }
        let mut env = to_env(&private);
        env.push("PATH=/bin".to_owned());
        assert_eq!(from_env(&env), private);
    }
}
