//! A deployment on the real Engine, with tiny containers.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

use fs4::FileExt;
use jiff::{SignedDuration, Timestamp};
use zoe::engine::docker::DockerBackend;
use zoe::engine::endpoint::{Address, Endpoint, EndpointOrigin};
use zoe::engine::gate::Gate;
use zoe::engine::{Backend, Images, Scope, Submitted};
use zoe::model::{
    Application, Bytes, Component, Cores, Deployment, Execution, ExecutionId, InstanceKey,
    InstanceSpec, Launch, Private, Resources, Snapshot, Terms, Ticket,
};

pub const TINY: &str = "zoe-test/tiny:1";
pub const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A deployment that is removed at the end.
pub struct Site {
    pub docker: DockerBackend,
    pub deployment: Deployment,
}

impl Site {
    pub async fn new() -> Self {
        let deployment: Deployment = format!("test-{}", random_id()).parse().unwrap();
        let docker = backend(&deployment, Gate::open());
        if let Err(error) = docker.describe().await {
            panic!("these tests need a Docker Engine: {error}");
        }
        tiny(&docker).await;
        Self { docker, deployment }
    }

    pub async fn look(&self) -> Snapshot {
        self.docker.observe(Scope::Everything).await.unwrap()
    }

    pub async fn execution(&self, id: ExecutionId) -> Execution {
        let mut snapshot = self.docker.observe(Scope::Executions).await.unwrap();
        snapshot
            .executions
            .remove(&id)
            .unwrap_or_else(|| panic!("no execution {id} in {snapshot:?}"))
    }

    /// A ticket of components that run shell commands; the first is the monitor.
    pub fn ticket(&self, components: &[(&str, u32, &str)]) -> Ticket {
        Ticket {
            id: random_id(),
            deployment: self.deployment.clone(),
            name: "run".parse().unwrap(),
            name_claimed: false,
            user: "ada".to_owned(),
            application: Application {
                name: "app".to_owned(),
                description: "a test".to_owned(),
                monitor: Some(components[0].0.parse().unwrap()),
                secrets: vec!["token".to_owned()],
                activity: None,
                components: components.iter().map(component).collect(),
            },
            submitted_at: Timestamp::now(),
            key: None,
            timeout: None,
            terms: Terms::default(),
            proxy: None,
            job_image: None,
            registry: String::new(),
        }
    }

    pub async fn submit(&self, ticket: &Ticket) -> Submitted {
        self.docker
            .submit(ticket, &Private::default())
            .await
            .unwrap()
    }

    /// Submits and starts, all members of all components.
    pub async fn run(&self, components: &[(&str, u32, &str)]) -> Ticket {
        let ticket = self.ticket(components);
        assert_eq!(self.submit(&ticket).await, Submitted::Created);
        self.docker.start(&launch(&ticket)).await.unwrap();
        ticket
    }

    /// Runs one container to its end, and gives its key.
    pub async fn finished(&self, command: &str) -> (Ticket, InstanceKey) {
        let ticket = self.run(&[("main", 1, command)]).await;
        let key = key(&ticket, "main", 0);
        self.docker.wait(&key).await.unwrap();
        (ticket, key)
    }

    pub async fn end(&self, execution: &Execution) {
        let docker = &self.docker;
        docker.stop(execution, SignedDuration::ZERO).await.unwrap();
        docker.remove(execution).await.unwrap();
        docker.remove_ticket(execution).await.unwrap();
    }

    /// Asserts that nothing carries the deployment's label.
    pub fn assert_empty(&self) {
        let label = format!("label=zoe.deployment={}", self.deployment);
        for list in [
            &["ps", "-aq"][..],
            &["network", "ls", "-q"],
            &["images", "-q"],
        ] {
            let found = cli(&[list, &["--filter", &label]].concat());
            assert_eq!(found, "", "left over: {list:?}");
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        clean(&self.deployment);
    }
}

/// Removes all that carries the deployment's label.
pub fn clean(deployment: &Deployment) {
    let label = format!("label=zoe.deployment={deployment}");
    let each = |list: &[&str], remove: &[&str]| {
        for id in cli(&[list, &["--filter", &label]].concat()).lines() {
            let _ = Command::new("docker").args(remove).arg(id).output();
        }
    };
    each(&["ps", "-aq"], &["rm", "-fv"]);
    each(&["network", "ls", "-q"], &["network", "rm"]);
    each(&["images", "-q"], &["rmi", "-f"]);
}

pub fn endpoint() -> Endpoint {
    Endpoint {
        address: Address::Unix("/var/run/docker.sock".into()),
        origin: EndpointOrigin::DefaultSocket,
        patience: zoe::engine::endpoint::PATIENCE,
    }
}

pub fn backend(deployment: &Deployment, gate: Gate) -> DockerBackend {
    DockerBackend::new(&endpoint(), deployment.clone(), LOCALHOST, gate).unwrap()
}

pub fn random_id() -> ExecutionId {
    ExecutionId::from_bits(rand::random())
}

/// What the docker CLI prints.
pub fn cli(args: &[&str]) -> String {
    let output = Command::new("docker")
        .args(args)
        .output()
        .expect("these tests need the docker command");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {args:?}: {error}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub fn key(ticket: &Ticket, component: &str, index: u32) -> InstanceKey {
    InstanceKey {
        execution: ticket.id,
        component: component.parse().unwrap(),
        index,
    }
}

fn component((name, core, command): &(&str, u32, &str)) -> Component {
    Component {
        command: Some(shell(command)),
        ..Component::bare(
            name.parse().unwrap(),
            TINY.to_owned(),
            *core,
            Resources {
                cores: Cores::from_millis(250),
                memory: Bytes::from_mib(32),
            },
        )
    }
}

fn shell(command: &str) -> Vec<String> {
    ["sh", "-c", command].map(str::to_owned).to_vec()
}

/// All core members of a ticket.
pub fn launch(ticket: &Ticket) -> Launch {
    let of = |component: &Component| {
        let component = component.clone();
        (0..component.core).map(move |index| spec(ticket, &component, index))
    };
    Launch {
        execution: ticket.id,
        instances: ticket.application.components.iter().flat_map(of).collect(),
    }
}

fn spec(ticket: &Ticket, component: &Component, index: u32) -> InstanceSpec {
    InstanceSpec {
        node: None,
        key: InstanceKey {
            execution: ticket.id,
            component: component.name.clone(),
            index,
        },
        image: component.image.clone(),
        command: component.command.clone(),
        env: Vec::new(),
        secrets: Vec::new(),
        volumes: Vec::new(),
        publish: Vec::new(),
        reservation: Resources {
            cores: component.cores,
            memory: component.memory,
        },
        aliases: vec![
            component.name.to_string(),
            format!("{}-{index}", component.name),
        ],
        needs: Vec::new(),
    }
}

/// Makes the image, once for all tests: a static busybox with a link for each of its commands.
async fn tiny(docker: &DockerBackend) {
    let lock = File::create(std::env::temp_dir().join("zoe-test-tiny.lock")).unwrap();
    FileExt::lock(&lock).unwrap();
    if docker.list_images(&[TINY]).await.unwrap().is_empty() {
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
            "sh", "sleep", "cat", "echo", "true", "printf", "head", "tr", "id", "ls", "wget",
            "httpd", "stty", "hostname", "dd", "env", "mkdir", "readlink",
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            header.set_mode(0o777);
            tar.append_link(&mut header, format!("bin/{name}"), "busybox")
                .unwrap();
        }
        tar.into_inner().unwrap();
        docker
            .import(archive.path().to_owned(), TINY)
            .await
            .unwrap();
    }
}
