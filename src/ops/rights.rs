//! Whose executions somebody may end, hold, resize or enter, and who may change users.
//!
//! Without an admin in the history everybody may everything, as the operating system's users do. As soon as a site has entered
//! one (`zoe user add ada --role admin`), others' executions are the admins' and root's. This keeps people from ending each
//! other's work by mistake. It is no lock: whoever may use Docker may do anything without zoe. Where the history can't be had
//! nobody's role is known, and nobody is kept from ending what has to be ended.

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::resolve::Found;
use crate::store::{Role, StoreError, User};

/// Who may do everything, whatever the history says.
const ROOT: &str = "root";

/// What somebody may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rights {
    /// Everything.
    All,
    /// Only what concerns the own executions; these admins may the rest.
    Own(Vec<String>),
}

impl Rights {
    /// Those of whoever calls zoe.
    pub(super) async fn of_caller(context: &Context) -> Self {
        if context.settings.user == ROOT {
            return Self::All;
        }
        match users(context).await {
            Ok(users) => Self::among(&users, &context.settings.user),
            Err(error) => {
                tracing::warn!(%error, "who may do what is not known");
                Self::All
            }
        }
    }

    /// Those of a user among these.
    pub(super) fn among(users: &[User], name: &str) -> Self {
        let admins = users.iter().filter(|user| user.role == Role::Admin);
        let admins: Vec<String> = admins.map(|user| user.name.clone()).collect();
        if admins.is_empty() || name == ROOT || admins.iter().any(|admin| admin == name) {
            Self::All
        } else {
            Self::Own(admins)
        }
    }

    /// Whether they are enough for what belongs to that user.
    pub(super) fn reach(&self, context: &Context, owner: &str) -> bool {
        *self == Self::All || owner == context.settings.user
    }

    /// The refusal of something that only admins may.
    fn refusal(&self, message: String) -> OpsError {
        let admins = match self {
            Self::All => String::new(),
            Self::Own(admins) => admins.join(", "),
        };
        OpsError::new(ErrorKind::Refused, message).hint(format!("ask an admin: {admins}"))
    }
}

async fn users(context: &Context) -> Result<Vec<User>, StoreError> {
    let store = context.history.open().await?;
    store.users(&context.settings.deployment).await
}

/// Who it belongs to.
pub(super) fn owner(found: &Found) -> &str {
    match found {
        Found::Alive(execution) => &execution.ticket.user,
        Found::Past(record) => &record.user,
    }
}

/// Refuses what is done to others' executions by somebody who is no admin. `what` goes on with `may …`.
pub(super) async fn check<'f>(
    context: &Context,
    what: &str,
    executions: impl IntoIterator<Item = &'f Found>,
) -> Result<(), OpsError> {
    let mut others = executions.into_iter();
    let other = others.find(|found| owner(found) != context.settings.user);
    let Some(other) = other else {
        return Ok(());
    };
    let rights = Rights::of_caller(context).await;
    if rights == Rights::All {
        return Ok(());
    }
    Err(rights.refusal(format!(
        "{} belongs to {}: only its owner and an admin may {what}",
        other.id(),
        owner(other)
    )))
}

/// Refuses changes of users by somebody who is no admin among these.
pub(super) fn check_users(context: &Context, users: &[User]) -> Result<(), OpsError> {
    match Rights::among(users, &context.settings.user) {
        Rights::All => Ok(()),
        rights @ Rights::Own(_) => {
            Err(rights.refusal("only an admin may change users and their quotas".to_owned()))
        }
    }
}
