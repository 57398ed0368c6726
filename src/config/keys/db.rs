//! The settings of `[db]`: where what has been is kept.

use super::{Key, shown_path};
use crate::config::kinds::Given;
use crate::model::Secret;

pub(super) const URL: Key = Key {
    section: "db",
    name: "url",
    default: "",
    doc: "Where history is kept: `sqlite:///path/to/zoe.db`, or `mysql://user:password@host/database` (MySQL or MariaDB; \
          options such as `?ssl-mode=VERIFY_IDENTITY` are in docs/database.md). Empty: the SQLite file \
          `$XDG_DATA_HOME/zoe/zoe.db` (`~/.local/share/zoe/zoe.db`).",
    later: None,
    set: |config, given| {
        config.db.url = given.database()?;
        Ok(config.db.url.to_string())
    },
};

pub(super) const PASSWORD: Key = Key {
    section: "db",
    name: "password",
    default: "",
    doc: "The password for MySQL or MariaDB, in place of the URL's; best given in the variable.",
    later: None,
    set: |config, given| {
        config.db.password = given.optional(|g| Ok(Secret::new(g.text)))?;
        let shown = config.db.password.as_ref().map(Secret::to_string);
        Ok(shown.unwrap_or_default())
    },
};

pub(super) const PASSWORD_FILE: Key = Key {
    section: "db",
    name: "password_file",
    default: "",
    doc: "A file whose first line is that password; counts where `password` is not set.",
    later: None,
    set: |config, given| {
        config.db.password_file = given.optional(Given::path)?;
        let shown = config.db.password_file.as_ref().map(shown_path);
        Ok(shown.unwrap_or_default())
    },
};
