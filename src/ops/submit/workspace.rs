//! Workspaces: the directory of the host that belongs to a user and that all components of all their executions see, so that
//! what a notebook writes is there when its execution is not any more.
//!
//! Where the directory of workspaces can be seen from here, a user's own is made on first use: theirs, with their group, for
//! nobody else. Processes in containers have users of the image's own, so they are in that group. Where it can't be seen
//! (Docker is on other machines), the workspace must be there already; whether it is, Docker says at the start.

use std::borrow::Cow;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::Submission;
use crate::model::{Application, Volume, ids};
use crate::ops::context::Settings;
use crate::ops::error::{ErrorKind, OpsError};

/// Where components see the workspace.
pub(super) const TARGET: &str = "/mnt/workspace";
/// The variable that tells them so.
const VARIABLE: &str = "ZOE_WORKSPACE";

/// The submission with the user's workspace in every component, if there are workspaces. A component that has something else
/// there keeps it.
///
/// # Errors
/// Where the workspace can't be made, or the user's name can't be a directory's.
pub(super) fn with<'a>(
    settings: &Settings,
    submission: &'a Submission,
) -> Result<Cow<'a, Submission>, OpsError> {
    let Some(root) = &settings.workspaces else {
        return Ok(Cow::Borrowed(submission));
    };
    let volume = workspace(root, &settings.user)?;
    let mut submission = submission.clone();
    show(&mut submission.application, root, &volume);
    Ok(Cow::Owned(submission))
}

/// Puts it into every component, in place of that of whoever submitted the same before.
fn show(application: &mut Application, root: &Path, workspace: &Volume) {
    for component in &mut application.components {
        let is_former = |volume: &Volume| {
            volume.target == TARGET && Path::new(&volume.source).starts_with(root)
        };
        component.volumes.retain(|volume| !is_former(volume));
        let is_there = |volume: &Volume| volume.target.trim_end_matches('/') == TARGET;
        if !component.volumes.iter().any(is_there) {
            component.volumes.push(workspace.clone());
            let variable = component.env.entry(VARIABLE.to_owned());
            variable.or_insert_with(|| TARGET.to_owned());
        }
    }
}

/// The user's workspace, made if it is not there.
fn workspace(root: &Path, user: &str) -> Result<Volume, OpsError> {
    let refused = |why: String| {
        OpsError::new(ErrorKind::Refused, why)
            .hint("a site without workspaces has no [filesystem] workspace_path")
    };
    let is_name = !matches!(user, "" | "." | "..")
        && !user.starts_with('-')
        && !user.contains(|c: char| c.is_control() || matches!(c, '/' | ':' | '$'));
    let root = root.to_str().filter(|root| !root.contains(':'));
    let (true, Some(root)) = (is_name, root) else {
        return Err(refused(format!(
            "there can be no workspace for the user '{}': a name with / or : is no directory's that Docker can mount",
            ids::shorten(user)
        )));
    };
    let own = Path::new(root).join(user);
    let group = group(Path::new(root), &own).map_err(|error| {
        refused(format!(
            "the workspace {} can't be had: {error}; whoever runs this site makes it, a directory that {user}'s group may write",
            own.display()
        ))
    })?;
    Ok(Volume {
        source: own.display().to_string(),
        target: TARGET.to_owned(),
        read_only: false,
        group,
    })
}

/// The group that may write in the workspace, which is made if it is not there; `None` where no group may, or where workspaces
/// can't be seen from here.
fn group(root: &Path, own: &Path) -> io::Result<Option<u32>> {
    /// For its owner and its group; what is made in it has the same group.
    const MODE: u32 = 0o2770;
    const GROUP_WRITES: u32 = 0o020;
    if !root.is_dir() {
        return Ok(None);
    }
    if fs::symlink_metadata(own).is_err() {
        // Under its name only once it is whole: who is killed before leaves none that nobody can write in.
        let made = tempfile::Builder::new().prefix(".new-").tempdir_in(root)?;
        fs::set_permissions(made.path(), Permissions::from_mode(MODE))?;
        match fs::rename(made.path(), own) {
            // Somebody else has made it, and uses it.
            Err(_) if own.exists() => {}
            done => done?,
        }
    }
    // What is shown to containers is what is there under that name, whoever put it there.
    let found = fs::symlink_metadata(own)?;
    if found.is_symlink() {
        return Err(io::Error::other("it is a symbolic link"));
    }
    if !found.is_dir() {
        return Err(io::Error::from(io::ErrorKind::NotADirectory));
    }
    let me = rustix::process::geteuid().as_raw();
    if !may_be_theirs(found.uid(), me) {
        return Err(io::Error::other("it is somebody else's"));
    }
    Ok((found.mode() & GROUP_WRITES != 0).then(|| found.gid()))
}

/// Whether a directory of that owner can be the workspace of who submits: it is theirs, or the site has made it.
fn may_be_theirs(owner: u32, me: u32) -> bool {
    owner == me || owner == 0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::apps;

    fn notebook() -> Application {
        apps::builtin("spark-notebook").unwrap()
    }

    #[test]
    fn a_workspace_is_made_once_for_its_owner_and_group() {
        let root = tempfile::tempdir().unwrap();
        let volume = workspace(root.path(), "ann").unwrap();
        let own = root.path().join("ann");
        assert_eq!(volume.source, own.to_str().unwrap());
        let found = fs::metadata(&own).unwrap();
        assert_eq!(found.mode() & 0o7777, 0o2770);
        assert_eq!(volume.group, Some(found.gid()));
        fs::write(own.join("file"), "x").unwrap();
        assert_eq!(workspace(root.path(), "ann").unwrap(), volume);
        assert_eq!(fs::read(own.join("file")).unwrap(), b"x");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
        // How it is now somebody wants it to be.
        fs::set_permissions(&own, Permissions::from_mode(0o700)).unwrap();
        assert_eq!(workspace(root.path(), "ann").unwrap().group, None);
    }

    #[test]
    fn one_that_cannot_be_seen_from_here_is_taken_to_be_there() {
        let volume = workspace(Path::new("/nowhere/at/all"), "ann").unwrap();
        assert_eq!(volume.source, "/nowhere/at/all/ann");
        assert_eq!(volume.group, None);
    }

    #[test]
    fn what_is_no_directory_and_no_name_of_one_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        for name in [
            "", ".", "..", "../x", "a/b", "a:b", "a\nb", "-x", "${x}", "file",
        ] {
            let error = workspace(root.path(), name).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Refused, "{name}: {error}");
        }
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_somebody_else_has_put_there_is_not_taken() {
        let root = tempfile::tempdir().unwrap();
        let elsewhere = root.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        for (user, target) in [("ann", elsewhere.as_path()), ("bob", Path::new("nowhere"))] {
            let own = root.path().join(user);
            std::os::unix::fs::symlink(target, &own).unwrap();
            let error = workspace(root.path(), user).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Refused);
            assert!(error.message.contains("symbolic link"), "{error}");
            assert!(fs::symlink_metadata(&own).unwrap().is_symlink());
        }
        assert!(may_be_theirs(1000, 1000) && may_be_theirs(0, 1000));
        assert!(!may_be_theirs(1001, 1000) && !may_be_theirs(1000, 0));
    }

    #[test]
    fn every_component_sees_it_unless_it_has_something_there() {
        let root = Path::new("/ws");
        let of = |user: &str| workspace(root, user).unwrap();
        let mut application = notebook();
        let mine = Volume {
            source: "/mine".to_owned(),
            target: format!("{TARGET}/"),
            read_only: true,
            group: None,
        };
        application.components[0].volumes.push(mine.clone());
        show(&mut application, root, &of("ann"));
        show(&mut application, root, &of("bob"));
        for (i, component) in application.components.iter().enumerate() {
            let expected = if i == 0 { mine.clone() } else { of("bob") };
            assert_eq!(component.volumes, [expected]);
            let told = component.env.get(VARIABLE).map(String::as_str);
            assert_eq!(told, (i > 0).then_some(TARGET));
        }
    }
}
