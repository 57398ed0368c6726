//! A job's files: from what the user names to an archive, the same bytes for the same files.

use std::fs;
use std::io::{Cursor, Read};
use std::path::{Component as Part, Path, PathBuf};

use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::ops::error::OpsError;

/// The most that is packed; what is larger belongs on a file system that the workers see (`--volume`).
const LARGEST: u64 = 2 << 30;

/// What is to be sent along, and where it starts.
#[derive(Debug, Clone)]
pub struct Packed {
    /// The entry point, relative to where the files are put.
    pub main: String,
    /// What kind of program it is.
    pub kind: Kind,
    /// The files as a tar archive, sorted, without times and owners.
    pub archive: Vec<u8>,
    /// SHA-256 of the archive, in hex.
    pub digest: String,
    /// How many files.
    pub files: usize,
}

/// What kind of program is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A Python program.
    Python,
    /// A Java or Scala archive.
    Jar,
}

struct Entry {
    path: String,
    executable: bool,
    content: Vec<u8>,
}

/// Packs a `.py`, a `.jar`, a `.zip` or a directory; for the last two `main` names the entry point inside.
pub fn pack(source: &Path, main: Option<&str>) -> Result<Packed, OpsError> {
    let shown = source.display();
    let about = fs::metadata(source).map_err(|error| unreadable(source, &error))?;
    let extension = source
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let (entries, main) = match (about.is_dir(), extension.as_str()) {
        (true, _) => (directory(source)?, inside(source, main)?),
        (false, "zip") => (zip_file(source)?, inside(source, main)?),
        (false, "py" | "jar") => single(source, main)?,
        (false, _) => {
            return Err(OpsError::usage(format!("{shown} is neither a .py, a .jar, a .zip nor a directory"))
                .hint("name the program itself, or put it in a directory and name its entry point with --main"));
        }
    };
    let Some(entry) = entries.iter().find(|entry| entry.path == main) else {
        let inside: Vec<&str> = entries
            .iter()
            .map(|e| e.path.as_str())
            .filter(|p| kind_of(p).is_some())
            .take(5)
            .collect();
        return Err(OpsError::usage(format!("'{main}' is not in {shown}")).hint(
            if inside.is_empty() {
                "there is no .py or .jar in it".to_owned()
            } else {
                format!("--main can be: {}", inside.join(", "))
            },
        ));
    };
    let kind = kind_of(&entry.path).ok_or_else(|| {
        OpsError::usage(format!(
            "the entry point '{main}' is neither a .py nor a .jar"
        ))
    })?;
    let files = entries.len();
    let archive = archive(entries)?;
    let digest = format!("{:x}", Sha256::digest(&archive));
    Ok(Packed {
        main,
        kind,
        archive,
        digest,
        files,
    })
}

fn unreadable(source: &Path, error: &std::io::Error) -> OpsError {
    let shown = source.display();
    if error.kind() != std::io::ErrorKind::NotFound {
        return OpsError::usage(format!("cannot read {shown}: {error}"));
    }
    let missing = OpsError::usage(format!("there is no file or directory {shown}"));
    // What looks like SRC:DST was meant for another option.
    if source.to_string_lossy().contains(':') {
        missing.hint("name the program to submit; --volume SRC:DST lets containers see a directory of the host")
    } else {
        missing
    }
}

fn kind_of(path: &str) -> Option<Kind> {
    let extension = Path::new(path).extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "py" => Some(Kind::Python),
        "jar" => Some(Kind::Jar),
        _ => None,
    }
}

fn single(source: &Path, main: Option<&str>) -> Result<(Vec<Entry>, String), OpsError> {
    if main.is_some() {
        let message = format!(
            "--main names an entry point inside a .zip or a directory, but {} is a file",
            source.display()
        );
        return Err(OpsError::usage(message).hint("leave --main out"));
    }
    let name = source
        .file_name()
        .and_then(|n| n.to_str())
        .ok_or_else(|| not_unicode(source))?
        .to_owned();
    let content = read(source)?;
    if kind_of(&name) == Some(Kind::Jar) {
        zip::ZipArchive::new(Cursor::new(&content)).map_err(|error| {
            OpsError::usage(format!(
                "{} is no jar: it cannot be read as a zip archive ({error})",
                source.display()
            ))
        })?;
    }
    Ok((
        vec![Entry {
            path: name.clone(),
            executable: false,
            content,
        }],
        name,
    ))
}

/// The entry point inside, as it was named: relative, and staying inside.
fn inside(source: &Path, main: Option<&str>) -> Result<String, OpsError> {
    let main = main.ok_or_else(|| {
        OpsError::usage(format!(
            "{} holds several files and none was named as the entry point",
            source.display()
        ))
        .hint("name it with --main, such as --main main.py")
    })?;
    relative(Path::new(main)).ok_or_else(|| {
        OpsError::usage(format!(
            "--main '{main}' does not stay inside {}",
            source.display()
        ))
    })
}

/// `path` in its plain form, `None` if it is absolute, leads outside or is no text.
fn relative(path: &Path) -> Option<String> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Part::Normal(name) => plain.push(name),
            Part::CurDir => {}
            Part::ParentDir | Part::RootDir | Part::Prefix(_) => return None,
        }
    }
    plain
        .to_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn directory(source: &Path) -> Result<Vec<Entry>, OpsError> {
    let mut entries = Vec::new();
    let mut total = 0;
    for found in WalkDir::new(source).follow_links(true).sort_by_file_name() {
        let found = found.map_err(|error| {
            OpsError::usage(format!("cannot read {}: {error}", source.display()))
        })?;
        let path = found.path();
        if !found.file_type().is_file() {
            continue;
        }
        let about = found
            .metadata()
            .map_err(|error| OpsError::usage(format!("cannot read {}: {error}", path.display())))?;
        total += about.len();
        check_size(total, source)?;
        let name = path
            .strip_prefix(source)
            .ok()
            .and_then(relative)
            .ok_or_else(|| not_unicode(path))?;
        entries.push(Entry {
            path: name,
            executable: is_executable(&about),
            content: read(path)?,
        });
    }
    Ok(entries)
}

#[cfg(unix)]
fn is_executable(about: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_about: &fs::Metadata) -> bool {
    false
}

fn zip_file(source: &Path) -> Result<Vec<Entry>, OpsError> {
    let no = |why: String| {
        OpsError::usage(format!(
            "{} is no zip archive that can be read: {why}",
            source.display()
        ))
    };
    let file = fs::File::open(source).map_err(|error| no(error.to_string()))?;
    let mut zip = zip::ZipArchive::new(file).map_err(|error| no(error.to_string()))?;
    let mut entries = Vec::new();
    let mut total = 0;
    for index in 0..zip.len() {
        let member = zip.by_index(index).map_err(|error| no(error.to_string()))?;
        if member.is_dir() {
            continue;
        }
        let path = member
            .enclosed_name()
            .and_then(|path| relative(&path))
            .ok_or_else(|| {
                no(format!(
                    "'{}' leads outside of it",
                    member.name().escape_debug()
                ))
            })?;
        let executable = member.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        let mut content = Vec::new();
        // The size an archive claims is not to be trusted: reading stops at what is allowed.
        member
            .take(LARGEST + 1 - total)
            .read_to_end(&mut content)
            .map_err(|error| no(error.to_string()))?;
        total += content.len() as u64;
        check_size(total, source)?;
        entries.push(Entry {
            path,
            executable,
            content,
        });
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

fn check_size(total: u64, source: &Path) -> Result<(), OpsError> {
    if total <= LARGEST {
        return Ok(());
    }
    Err(OpsError::usage(format!(
        "{} is larger than the 2 GiB that can be sent along",
        source.display()
    ))
    .hint("leave data where the workers can read it, and mount it with --volume"))
}

fn read(path: &Path) -> Result<Vec<u8>, OpsError> {
    let about = fs::metadata(path)
        .map_err(|error| OpsError::usage(format!("cannot read {}: {error}", path.display())))?;
    check_size(about.len(), path)?;
    fs::read(path)
        .map_err(|error| OpsError::usage(format!("cannot read {}: {error}", path.display())))
}

fn not_unicode(path: &Path) -> OpsError {
    OpsError::usage(format!(
        "the file name {} is not valid UTF-8",
        path.display()
    ))
}

fn archive(mut entries: Vec<Entry>) -> Result<Vec<u8>, OpsError> {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(entry.content.len() as u64);
        header.set_mode(if entry.executable { 0o755 } else { 0o644 });
        header.set_mtime(0);
        builder
            .append_data(&mut header, &entry.path, entry.content.as_slice())
            .map_err(|error| OpsError::failed(format!("cannot pack '{}': {error}", entry.path)))?;
    }
    builder
        .into_inner()
        .map_err(|error| OpsError::failed(format!("cannot pack the files: {error}")))
}

#[cfg(test)]
mod tests;
