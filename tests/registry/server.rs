//! A registry, a docker directory beside it, and backends that use them.

use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;
use zoe::config::Surroundings;
use zoe::engine::credentials::Credentials;
use zoe::engine::docker::DockerBackend;
use zoe::engine::endpoint::{Address, Endpoint, EndpointOrigin};
use zoe::engine::gate::Gate;

use crate::common::PATIENCE;
use crate::common::docker::{TINY, cli, tiny};

/// Who may use a registry with logins. In base64 the password has characters of which there are two alphabets.
pub const USER: &str = "ada";
pub const PASSWORD: &str = "right~?>pass>>>???~~~";
/// The same as a line of an htpasswd file.
const HTPASSWD: &str = "ada:$2b$05$abcdefghijklmnopqrstuuTQAkOUmMVh0GhSqYEhV06wSr.TbcZ3q\n";

/// A registry. It goes with its images, here and there, when this is dropped.
pub struct Registry {
    server: Child,
    files: TempDir,
    /// `HOST:port`.
    pub address: String,
}

impl Registry {
    /// One that serves anybody.
    pub fn open() -> Self {
        Self::start("127.0.0.1", "")
    }

    /// One that serves [`USER`] only.
    pub fn closed() -> Self {
        Self::closed_at("127.0.0.1")
    }

    /// Likewise, at another of this machine's addresses.
    pub fn closed_at(host: &str) -> Self {
        Self::start(
            host,
            "auth:\n  htpasswd: {realm: zoe, path: DIR/htpasswd}\n",
        )
    }

    fn start(host: &str, more: &str) -> Self {
        tiny();
        let files = tempfile::tempdir().unwrap();
        let directory = files.path().display().to_string();
        std::fs::write(files.path().join("htpasswd"), HTPASSWD).unwrap();
        std::fs::create_dir(files.path().join("docker")).unwrap();
        // Free until somebody else takes it, which is rare enough.
        let port = TcpListener::bind((host, 0)).unwrap();
        let address = port.local_addr().unwrap().to_string();
        drop(port);
        let config = format!(
            "version: 0.1\nlog: {{level: warn}}\nstorage:\n  filesystem: {{rootdirectory: DIR/data}}\n\
             http: {{addr: {address}}}\n{more}"
        );
        let path = files.path().join("registry.yml");
        std::fs::write(&path, config.replace("DIR", &directory)).unwrap();
        let server = Command::new("docker-registry")
            .arg("serve")
            .arg(path)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(files.path().join("log")).unwrap())
            .spawn()
            .expect(
                "these tests need docker-registry (on Debian: apt-get install docker-registry)",
            );
        let registry = Self {
            server,
            files,
            address,
        };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(&registry.address).is_err() {
            assert!(Instant::now() < deadline, "the registry does not come up");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        registry
    }

    /// An image that is the tiny one under a name here. It is local only.
    pub fn tiny(&self, name: &str) -> String {
        let name = format!("{}/{name}", self.address);
        cli(&["tag", TINY, &name]);
        name
    }

    /// A file or directory beside the registry.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.files.path().join(name)
    }

    /// The docker CLI's directory, empty until something is written into it.
    pub fn docker_directory(&self) -> PathBuf {
        self.path("docker")
    }

    /// Writes the docker CLI's `config.json`, `REG` in it being the registry.
    pub fn configure(&self, config: &str) {
        let config = config.replace("REG", &self.address);
        std::fs::write(self.docker_directory().join("config.json"), config).unwrap();
    }

    /// `config.json` with a login for the registry, as `docker login` writes it.
    pub fn log_in(&self, user: &str, password: &str) {
        let auth = STANDARD.encode(format!("{user}:{password}"));
        self.configure(&format!(r#"{{"auths": {{"REG": {{"auth": "{auth}"}}}}}}"#));
    }

    /// A credential helper that is this shell script.
    pub fn helper(&self, name: &str, script: &str) {
        let path = self.path(format!("docker-credential-{name}"));
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// PATH with the helpers.
    pub fn search_path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.files.path().display())
    }

    /// The backend of somebody whose docker directory and PATH are these.
    pub fn backend(&self, deployment: &str) -> DockerBackend {
        let endpoint = Endpoint {
            address: Address::Unix("/var/run/docker.sock".into()),
            origin: EndpointOrigin::DefaultSocket,
            patience: zoe::engine::endpoint::PATIENCE,
        };
        let directory = self.docker_directory().display().to_string();
        let around = Surroundings {
            env: [("DOCKER_CONFIG", directory), ("PATH", self.search_path())]
                .into_iter()
                .collect(),
            cwd: "/".into(),
            home: None,
            os_user: "ada".to_owned(),
            system_dir: "/etc/zoe".into(),
        };
        let deployment = deployment.parse().unwrap();
        let publish = IpAddr::V4(Ipv4Addr::LOCALHOST);
        DockerBackend::new(&endpoint, deployment, publish, Gate::open())
            .unwrap()
            .with_credentials(Credentials::of(&around))
    }

    /// Removes all images with files, as the README says.
    pub fn clean_jobs(&self) {
        let jobs = "data/docker/registry/v2/repositories/zoe-job";
        std::fs::remove_dir_all(self.path(jobs)).unwrap();
        let done = Command::new("docker-registry")
            .arg("garbage-collect")
            .arg(self.path("registry.yml"))
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    /// The names of the local images that are called after this registry; `repository@digest` where the tag is gone.
    pub fn local(&self) -> Vec<String> {
        let form = "{{.Repository}} {{.Tag}} {{.Digest}}";
        let all = cli(&["images", "--digests", "--format", form]);
        let own = format!("{}/", self.address);
        let mut names: Vec<String> = all
            .lines()
            .filter(|line| line.starts_with(&own))
            .filter_map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
                [repository, "<none>", digest] => Some(format!("{repository}@{digest}")),
                [repository, tag, _] => Some(format!("{repository}:{tag}")),
                _ => None,
            })
            .collect();
        names.dedup();
        names
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        for name in self.local() {
            let _ = Command::new("docker").args(["rmi", "-f", &name]).output();
        }
    }
}
