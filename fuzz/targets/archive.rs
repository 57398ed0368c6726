//! Archives: names that follow from what was seen, rows and manifests as somebody may have written them, and whole files.

use std::io::Write as _;
use std::path::{Component, Path};

use jiff::Timestamp;
use zoe::engine::LogRange;
use zoe::logs::{Archive, InstanceLog, archive_path, lines, manifest};
use zoe::model::{ComponentName, Deployment, ExecutionId, InstanceKey};

use super::{Input, is_one_part, is_told_well};

/// The first byte says what the rest is: names, rows, a manifest, or a whole archive.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let rest = data.get(1..).unwrap_or_default();
    match input.choice & 3 {
        0 => names(&mut input),
        1 => rows(rest),
        2 => match manifest::from_json(rest) {
            Ok(manifest) => {
                let again = manifest::to_json(&manifest).unwrap();
                assert_eq!(manifest::from_json(&again).as_ref(), Ok(&manifest));
                for log in &manifest.instances {
                    is_harmless(&log.key(manifest.execution));
                }
            }
            Err(why) => is_told_well(&why),
        },
        _ => whole(rest),
    }
}

fn names(input: &mut Input<'_>) {
    let (deployment, id) = (input.text(), input.text());
    let component: Result<ComponentName, _> = input.text().parse();
    let at: Result<Timestamp, _> = input.text().parse();
    if let (Ok(deployment), Ok(id)) = (deployment.parse(), id.parse()) {
        is_inside(&deployment, id, at.unwrap_or(Timestamp::UNIX_EPOCH));
        if let Ok(component) = component {
            let index = u32::try_from(input.text().len()).unwrap_or(u32::MAX);
            is_harmless(&InstanceKey {
                execution: id,
                component,
                index,
            });
        }
    }
}

/// Panics unless the archive of this execution is below the history's directory, and its name what it looks like.
pub fn is_inside(deployment: &Deployment, id: ExecutionId, at: Timestamp) {
    let history = Path::new("/history");
    let path = archive_path(history, deployment, id, at);
    let below = path.strip_prefix(history).unwrap();
    assert_eq!(below.components().count(), 4, "{}", path.display());
    for part in below.components() {
        let Component::Normal(part) = part else {
            panic!("{} leaves its directory", path.display());
        };
        // Years before the first are odd, but harmless.
        is_one_part(part.to_str().unwrap());
    }
}

/// Panics unless the name of a member's log is a single, harmless part of a path.
pub fn is_harmless(key: &InstanceKey) {
    is_one_part(&InstanceLog::of(key).file());
}

/// What can be read of rows is written and read again as the same.
fn rows(text: &[u8]) {
    let mut rest = text;
    loop {
        match lines::read(&mut rest) {
            Ok(Some(chunk)) => {
                let mut again = Vec::new();
                lines::write(&mut again, &chunk).unwrap();
                assert_eq!(lines::read(&mut again.as_slice()).unwrap(), Some(chunk));
            }
            Ok(None) => return,
            Err(error) => return is_told_well(&error.to_string()),
        }
    }
}

/// A file that calls itself an archive is one, or it is told why not; whatever it says of its sizes.
fn whole(bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let archive = match Archive::open(file.path()) {
        Ok(archive) => archive,
        Err(error) => {
            return is_told_well(&error.to_string().replace(file.path().to_str().unwrap(), ""));
        }
    };
    for log in &archive.manifest().instances {
        is_harmless(&log.key(archive.manifest().execution));
        let all = LogRange::default();
        let chunks = archive.chunks(&log.component, log.index, all).unwrap();
        for chunk in chunks.take(1000) {
            if let Err(error) = chunk {
                is_told_well(&error.to_string());
            }
        }
    }
}
