//! What labels may hold at the most. Anybody who may use Docker can write them, and history has to keep what they say, and to add it up:
//! what it could not keep would never be ended.

use super::{CORES, LabelError, MEMORY, Reader, USER, invalid};
use crate::model::{Bytes, Cores, Resources};

/// The longest name of a user, in characters.
pub const LONGEST_USER: usize = 255;

/// The most that an instance can be counted as: more than any machine has.
const MOST: Resources = Resources {
    cores: Cores::from_millis(1_000_000_000),
    memory: Bytes::new(1 << 60),
};

/// A ticket's owner.
pub(super) fn user(labels: &Reader<'_>) -> Result<String, LabelError> {
    let user = labels.text(USER)?;
    if user.chars().count() > LONGEST_USER {
        let why = format!("no user's name has more than {LONGEST_USER} characters");
        return Err(invalid(USER, user, &why));
    }
    Ok(user.to_owned())
}

/// What an instance is counted as.
pub(super) fn amounts(labels: &Reader<'_>) -> Result<Resources, LabelError> {
    let amounts = Resources {
        cores: Cores::from_millis(labels.read(CORES)?),
        memory: Bytes::new(labels.read(MEMORY)?),
    };
    for (key, fits) in [
        (CORES, amounts.cores <= MOST.cores),
        (MEMORY, amounts.memory <= MOST.memory),
    ] {
        if !fits {
            return Err(invalid(key, labels.text(key)?, &"no machine has as much"));
        }
    }
    Ok(amounts)
}
