//! What a process finds around it, as a value: environment, home, working directory, user.
//!
//! Only [`Surroundings::of_process`] looks at the real process; everything else takes the value, so that
//! tests are sealed. What the surroundings *mean* for a setting is in [`super::keys`].

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Environment variables as a map. The values may hold secrets, so `Debug` shows the names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// The variable's value; a variable that is set but empty counts as absent, as in most Unix tools.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The variable's value even when it is empty: an empty `ZOE_…` variable sets the key to empty.
    pub fn get_even_empty(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names of all variables, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(k, v)| (k.into(), v.into()))
                .collect(),
        )
    }
}

/// Everything outside of the configuration that configuration depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// Environment variables.
    pub env: Env,
    /// The working directory, absolute.
    pub cwd: PathBuf,
    /// The user's home directory; absent for some service accounts.
    pub home: Option<PathBuf>,
    /// The operating system's name for the user, as it is (not yet fit for a Docker name).
    pub os_user: String,
    /// Where the machine's own `zoe.conf` is: `/etc/zoe`.
    pub system_dir: PathBuf,
}

impl Surroundings {
    /// The real ones. Variables that are not UTF-8 are read with replacement characters.
    pub fn of_process() -> Self {
        let env: Env = std::env::vars_os()
            .map(|(k, v)| {
                (
                    k.to_string_lossy().into_owned(),
                    v.to_string_lossy().into_owned(),
                )
            })
            .collect();
        let uid = std::fs::metadata("/proc/self").ok().map(|m| m.uid());
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let os_user = user_name(uid, &passwd, &env);
        Self {
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            home: std::env::home_dir().filter(|home| home.is_absolute()),
            os_user,
            system_dir: PathBuf::from("/etc/zoe"),
            env,
        }
    }

    /// `$XDG_DATA_HOME` or `~/.local/share`. A relative variable is ignored, as the XDG specification wants.
    pub fn data_home(&self) -> Option<PathBuf> {
        self.xdg("XDG_DATA_HOME", ".local/share")
    }

    /// `$XDG_CONFIG_HOME` or `~/.config`, likewise.
    pub fn config_home(&self) -> Option<PathBuf> {
        self.xdg("XDG_CONFIG_HOME", ".config")
    }

    fn xdg(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let set = self
            .env
            .get(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute());
        set.or_else(|| Some(self.home.as_ref()?.join(below_home)))
    }

    /// `~/…` under the home directory, a relative path under `base`, an absolute one as it is.
    pub fn resolve(&self, path: &str, base: &Path) -> PathBuf {
        match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => base.join(path),
        }
    }
}

/// The user's name by uid, because variables differ between a shell, `sudo` and cron while the uid does not.
/// Users that `/etc/passwd` does not list (a directory service) are named by their variables.
fn user_name(uid: Option<u32>, passwd: &str, env: &Env) -> String {
    let listed = uid.and_then(|uid| {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
        })
    });
    listed
        .or_else(|| {
            env.get("USER")
                .or_else(|| env.get("LOGNAME"))
                .map(str::to_owned)
        })
        .unwrap_or_else(|| uid.map_or_else(|| "user".to_owned(), |uid| format!("uid-{uid}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uid_decides_before_the_variables() {
        let env: Env = [("USER", "ada"), ("LOGNAME", "grace")]
            .into_iter()
            .collect();
        let passwd = "root:x:0:0::/root:/bin/sh\nbroken line\nlin:x:1000:1000::/home/lin:/bin/sh\n";
        assert_eq!(user_name(Some(1000), passwd, &env), "lin");
        assert_eq!(user_name(Some(4711), passwd, &env), "ada");
        assert_eq!(user_name(Some(4711), passwd, &Env::default()), "uid-4711");
        assert_eq!(user_name(None, "", &Env::default()), "user");
    }

    #[test]
    fn debug_hides_values() {
        let env: Env = [("ZOE_SMTP_PASSWORD", "hunter2")].into_iter().collect();
        assert_eq!(format!("{env:?}"), r#"{"ZOE_SMTP_PASSWORD"}"#);
    }

    #[test]
    fn xdg_directories_must_be_absolute() {
        let mut around = Surroundings {
            env: [("XDG_DATA_HOME", "rel"), ("XDG_CONFIG_HOME", "/cfg")]
                .into_iter()
                .collect(),
            cwd: "/".into(),
            home: Some("/home/ada".into()),
            os_user: "ada".into(),
            system_dir: "/etc/zoe".into(),
        };
        assert_eq!(around.data_home(), Some("/home/ada/.local/share".into()));
        assert_eq!(around.config_home(), Some("/cfg".into()));
        around.home = None;
        assert_eq!(around.data_home(), None);
        assert_eq!(around.resolve("~/x", Path::new("/b")), Path::new("/b/~/x"));
    }
}
