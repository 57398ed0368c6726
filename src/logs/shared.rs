//! Directories that several people's zoes write in: what is made in one that a group may write, that group may write too.
//!
//! Whoever ends an execution writes its archive, and whoever is next writes into the same directories; the umask of neither is
//! to decide whether that works.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// That a group may write, and that what is made in a directory has its group.
const GROUP_WRITES: u32 = 0o020;
const SAME_GROUP: u32 = 0o2000;
/// For the owner, and for the group to read.
const OWN: u32 = 0o750;
const READABLE: u32 = 0o640;

/// Makes a directory, and those above it, where they are missing.
pub(super) fn make(directory: &Path) -> io::Result<()> {
    if directory == Path::new("") || directory.is_dir() {
        return Ok(());
    }
    let above = directory.parent().unwrap_or(Path::new(""));
    make(above)?;
    match DirBuilder::new().mode(OWN).create(directory) {
        Ok(()) => {}
        // Somebody else was faster, and sees to the rest.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && directory.is_dir() => {
            return Ok(());
        }
        Err(error) => return Err(error),
    }
    let shared = mode_of(above)?;
    if shared & GROUP_WRITES != 0 {
        let mode = OWN | GROUP_WRITES | (shared & SAME_GROUP);
        std::fs::set_permissions(directory, Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// Lets the group of a directory read a file in it, where that group may write there.
pub(super) fn let_read(file: &File, directory: &Path) -> io::Result<()> {
    if mode_of(directory)? & GROUP_WRITES != 0 {
        file.set_permissions(Permissions::from_mode(READABLE))?;
    }
    Ok(())
}

fn mode_of(directory: &Path) -> io::Result<u32> {
    let directory = if directory == Path::new("") {
        Path::new(".")
    } else {
        directory
    };
    Ok(std::fs::metadata(directory)?.permissions().mode())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        mode_of(path).unwrap() & 0o7777
    }

    #[test]
    fn what_is_made_in_a_directory_of_a_group_is_the_groups_too() {
        let root = tempfile::tempdir().unwrap();
        for (above, below, readable) in [
            (0o2770, 0o2770, true),
            (0o770, 0o770, true),
            (0o2750, 0o2750, false),
        ] {
            let shared = root.path().join(format!("{above:o}"));
            make(&shared).unwrap();
            std::fs::set_permissions(&shared, Permissions::from_mode(above)).unwrap();
            let month = shared.join("team/2026/11");
            make(&month).unwrap();
            make(&month).unwrap();
            for made in [&month, month.parent().unwrap(), &shared.join("team")] {
                // What a umask takes away it takes away where nobody shares anything.
                assert_eq!(mode(made) & 0o7720, below & 0o7720, "{}", made.display());
                assert_eq!(mode(made) & 0o007, 0, "{}", made.display());
            }
            let file = File::create(month.join("archive.zip")).unwrap();
            file.set_permissions(Permissions::from_mode(0o600)).unwrap();
            let_read(&file, &month).unwrap();
            let expected = if readable { READABLE } else { 0o600 };
            assert_eq!(mode(&month.join("archive.zip")), expected);
        }
    }
}
