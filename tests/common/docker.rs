//! The real Engine: a tiny image, a deployment of one's own, and what the docker CLI says is left of it.

use std::fs::File;
use std::process::Command;

use fs4::FileExt;

/// A 2 MB image with a shell; made by [`tiny`].
pub const TINY: &str = "zoe-test/tiny:1";

/// What the docker CLI prints; panics where it fails.
#[track_caller]
pub fn cli(args: &[&str]) -> String {
    let output = Command::new("docker")
        .args(args)
        .output()
        .expect("these tests need the docker command");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {args:?}: {error}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A deployment on the real Engine; what is left of it goes when this is dropped.
pub struct Deployment {
    /// Its name.
    pub name: String,
}

impl Deployment {
    /// A new one, with the tiny image there. What a killed test leaves of it goes with the next `scripts/test`, by the name.
    pub fn new() -> Self {
        tiny();
        Self {
            name: format!("test-{:08x}", rand::random::<u32>()),
        }
    }

    fn list(&self, list: &[&str]) -> Vec<String> {
        let label = format!("label=zoe.deployment={}", self.name);
        let found = cli(&[list, &["--filter", &label]].concat());
        found.lines().map(str::to_owned).collect()
    }

    /// Containers (builders and tickets too), networks and images with its label.
    pub fn left(&self) -> Vec<String> {
        let lists = [
            &["ps", "-a", "--format", "container {{.Names}} {{.Status}}"][..],
            &["network", "ls", "--format", "network {{.Name}}"],
            &["images", "-a", "--format", "image {{.Repository}}:{{.Tag}}"],
        ];
        lists.into_iter().flat_map(|list| self.list(list)).collect()
    }

    /// The ids of its containers of that kind.
    pub fn containers(&self, kind: &str) -> Vec<String> {
        self.list(&["ps", "-aq", "--filter", &format!("label=zoe.kind={kind}")])
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        let each = |list: &[&str], remove: &[&str]| {
            for id in self.list(list) {
                let _ = Command::new("docker").args(remove).arg(id).output();
            }
        };
        each(&["ps", "-aq"], &["rm", "-fv"]);
        each(&["network", "ls", "-q"], &["network", "rm"]);
        each(&["images", "-q"], &["rmi", "-f"]);
    }
}

/// Makes the image, once for all tests: a static busybox with a link for each of its commands.
pub fn tiny() {
    let lock = File::create(std::env::temp_dir().join("zoe-test-tiny.lock")).unwrap();
    FileExt::lock(&lock).unwrap();
    if !cli(&["images", "-q", TINY]).is_empty() {
        return;
    }
    let busybox = std::fs::read("/bin/busybox")
        .expect("these tests need /bin/busybox (on Debian: apt-get install busybox-static)");
    let archive = tempfile::NamedTempFile::new().unwrap();
    let mut tar = tar::Builder::new(archive.reopen().unwrap());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    header.set_size(busybox.len() as u64);
    tar.append_data(&mut header, "bin/busybox", busybox.as_slice())
        .unwrap();
    for name in [
        "sh", "sleep", "cat", "echo", "true", "printf", "head", "tr", "id", "ls", "wget", "httpd",
        "stty", "hostname", "dd", "env", "mkdir", "readlink",
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        header.set_mode(0o777);
        tar.append_link(&mut header, format!("bin/{name}"), "busybox")
            .unwrap();
    }
    tar.into_inner().unwrap();
    cli(&["import", archive.path().to_str().unwrap(), TINY]);
}
