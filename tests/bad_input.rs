//! What is wrong gets one sentence and a documented exit code, and changes nothing; what is hostile reaches no terminal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "a test that cannot be set up has failed"
)]

mod common;

use std::collections::HashMap;
use std::fmt::Write;

use common::docker::{Deployment, TINY, cli};
use common::{Ran, TestEnv};
use jiff::Timestamp;
use zoe::engine::memory::{ContainerRow, NetworkRow, World};

const APPLICATION: &str = "schema = 1\nname = \"job\"\ndescription = \"a test\"\nmonitor = \"main\"\n\n[[component]]\n\
     name = \"main\"\nimage = \"memory/job\"\ncores = 0.1\nmemory = \"64m\"\ncommand = [\"run\"]\n";

/// Asserts what holds for every error.
#[track_caller]
fn assert_a_sentence(ran: &Ran, about: &str) {
    assert!(
        [2, 3, 4, 5, 124, 125].contains(&ran.code),
        "{about}: {} {}",
        ran.code,
        ran.stderr
    );
    assert_eq!(ran.stdout, "", "{about}");
    let errors = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .count();
    assert_eq!(errors, 1, "{about}: {}", ran.stderr);
    for word in [
        "panicked",
        "RUST_BACKTRACE",
        "src/",
        "a mistake of its own",
        "\u{1b}",
    ] {
        assert!(!ran.stderr.contains(word), "{about}: {}", ran.stderr);
    }
}

fn world(env: &TestEnv) -> World {
    match std::fs::read(env.docker_file()) {
        Ok(text) => serde_json::from_slice(&text).unwrap(),
        Err(_) => World::default(),
    }
}

fn set_world(env: &TestEnv, world: &World) {
    std::fs::write(env.docker_file(), serde_json::to_vec(world).unwrap()).unwrap();
}

/// What is said, as a session at a terminal shows it.
fn session(env: &TestEnv, commands: &[&[&str]]) -> String {
    let mut session = String::new();
    let before = world(env);
    for arguments in commands {
        let ran = env.run(arguments);
        let about = arguments.join(" ");
        assert_a_sentence(&ran, &about);
        let mut shown = about.clone();
        if shown.len() > 100 {
            shown.truncate(40);
            shown.push_str(" (and so on)");
        }
        let said = ran
            .stderr
            .replace(&env.path("work").display().to_string(), "DIR");
        write!(
            session,
            "$ zoe {}\n{said}[{}]\n",
            shown.escape_debug(),
            ran.code
        )
        .unwrap();
        let after = world(env);
        assert_eq!(
            (after.containers, after.networks, after.images),
            (
                before.containers.clone(),
                before.networks.clone(),
                before.images.clone()
            ),
            "{about}"
        );
    }
    assert!(env.ps().is_empty());
    assert_eq!(env.run(&["history", "-o", "json"]).expect(0).trim(), "[]");
    session
}

#[test]
fn sizes_and_numbers() {
    let env = TestEnv::with_options("cores=2&memory=4g&images=all");
    env.write("pi.py", "print(3)");
    let said = session(
        &env,
        &[
            &["submit", "pi.py", "--worker-memory", "2x"],
            &["submit", "pi.py", "--worker-memory", "-1g"],
            &["submit", "pi.py", "--worker-memory", "99999999999999g"],
            &["submit", "pi.py", "--workers", "0"],
            &["submit", "pi.py", "--workers", "many"],
            &["submit", "pi.py", "--worker-cores", "0"],
            &["submit", "pi.py", "--workers", "90"],
            &["submit", "pi.py", "--worker-memory", "900g"],
            &["submit", "pi.py", "--worker-cores", "64"],
            &["submit", "pi.py", "--timeout", "-5s"],
            &["submit", "pi.py", "--timeout", "0s"],
        ],
    );
    insta::assert_snapshot!(said, @r##"
$ zoe submit pi.py --worker-memory 2x
error: --worker-memory <SIZE>: '2x' is not a size; write a number and a unit, such as 512m, 2g or 1.5g (units: b, k, m, g, t, powers of 1024)
hint: --help tells what can be written
[2]
$ zoe submit pi.py --worker-memory -1g
error: unexpected argument '-1' found

  tip: to pass '-1' as a value, use '-- -1'

Usage: zoe submit [OPTIONS] <FILE> [-- <ARGS>...]

For more information, try '--help'.
[2]
$ zoe submit pi.py --worker-memory 99999999999999g
error: --worker-memory <SIZE>: '99999999999999g' is too big
hint: --help tells what can be written
[2]
$ zoe submit pi.py --workers 0
error: --workers <N>: '0' is not a number from 1 to 10000
hint: --help tells what can be written
[2]
$ zoe submit pi.py --workers many
error: --workers <N>: 'many' is not a number from 1 to 10000
hint: --help tells what can be written
[2]
$ zoe submit pi.py --worker-cores 0
error: --worker-cores <CORES>: it must be more than 0
hint: --help tells what can be written
[2]
$ zoe submit pi.py --workers 90
error: all members together ask for 46 cores, but the nodes have 2; 'worker' has 90 members, ask for at most 2 (--workers)
[5]
$ zoe submit pi.py --worker-memory 900g
error: component 'worker' asks for 990 GiB of memory a member, its overhead included, but the largest node (memory) has 4 GiB; ask for at most 3712m (--worker-memory)
[5]
$ zoe submit pi.py --worker-cores 64
error: component 'worker' asks for 64 cores a member, but the largest node (memory) has 2; ask for at most 2 (--worker-cores)
[5]
$ zoe submit pi.py --timeout -5s
error: unexpected argument '-5' found

  tip: to pass '-5' as a value, use '-- -5'

Usage: zoe submit [OPTIONS] <FILE> [-- <ARGS>...]

For more information, try '--help'.
[2]
$ zoe submit pi.py --timeout 0s
error: --time-limit <TIME>: '0s' is not a length of time; write one such as 30s, 10m, 2h, 1h30m or 1d
hint: --help tells what can be written
[2]
"##);
}

#[test]
fn files_and_entry_points() {
    let env = TestEnv::new();
    env.write("pi.py", "print(3)");
    env.write("bad.zip", "this is no zip");
    env.write("empty.zip", "");
    env.write("notes.txt", "no program");
    env.write("dir/a.py", "import b");
    env.write("dir/b.py", "");
    std::fs::create_dir(env.path("work/nothing")).unwrap();
    let said = session(
        &env,
        &[
            &["submit", "missing.py"],
            &["submit", "/etc:/"],
            &["submit", "notes.txt"],
            &["submit", "bad.zip", "--main", "a.py"],
            &["submit", "empty.zip", "--main", "a.py"],
            &["submit", "dir"],
            &["submit", "dir", "--main", "c.py"],
            &["submit", "dir", "--main", "../pi.py"],
            &["submit", "dir", "--main", "/etc/passwd"],
            &["submit", "nothing", "--main", "a.py"],
            &["submit", "pi.py", "--main", "other.py"],
            &["submit", "pi.py", "--class", "x.Y"],
        ],
    );
    insta::assert_snapshot!(said, @r##"
$ zoe submit missing.py
error: there is no file or directory DIR/missing.py
[2]
$ zoe submit /etc:/
error: there is no file or directory /etc:/
hint: name the program to submit; --volume SRC:DST lets containers see a directory of the host
[2]
$ zoe submit notes.txt
error: DIR/notes.txt is neither a .py, a .jar, a .zip nor a directory
hint: name the program itself, or put it in a directory and name its entry point with --main
[2]
$ zoe submit bad.zip --main a.py
error: DIR/bad.zip is no zip archive that can be read: invalid Zip archive: Could not find EOCD
[2]
$ zoe submit empty.zip --main a.py
error: DIR/empty.zip is no zip archive that can be read: invalid Zip archive: Could not find EOCD
[2]
$ zoe submit dir
error: DIR/dir holds several files and none was named as the entry point
hint: name it with --main, such as --main main.py
[2]
$ zoe submit dir --main c.py
error: 'c.py' is not in DIR/dir
hint: --main can be: a.py, b.py
[2]
$ zoe submit dir --main ../pi.py
error: --main '../pi.py' does not stay inside DIR/dir
[2]
$ zoe submit dir --main /etc/passwd
error: --main '/etc/passwd' does not stay inside DIR/dir
[2]
$ zoe submit nothing --main a.py
error: 'a.py' is not in DIR/nothing
hint: there is no .py or .jar in it
[2]
$ zoe submit pi.py --main other.py
error: --main names an entry point inside a .zip or a directory, but DIR/pi.py is a file
hint: leave --main out
[2]
$ zoe submit pi.py --class x.Y
error: --class names the main class of a .jar, but this is a Python program
hint: leave --class out
[2]
"##);
}

#[test]
fn names_and_settings() {
    let env = TestEnv::new();
    env.write("pi.py", "print(3)");
    let long = "x".repeat(300);
    let said = session(
        &env,
        &[
            &["submit", "pi.py", "--name", "has space"],
            &["submit", "pi.py", "--name", &long],
            &["submit", "pi.py", "--name", "last"],
            &["submit", "pi.py", "--name", ""],
            &["submit", "pi.py", "--name", "-x"],
            &["resize", "nobody", "-1"],
            &["resize", "nobody", "worker", "-1"],
            &["submit", "pi.py", "--volume", "/etc:/"],
            &["submit", "pi.py", "--key", ""],
            &["submit", "pi.py", "--key", &"k".repeat(3000)],
            &["submit", "pi.py", "--key", "two\nlines"],
            &["submit", "pi.py", "--set", "wrker.core=3"],
            &["submit", "pi.py", "--set", "worker.cre=3"],
            &["submit", "pi.py", "--set", "worker.core"],
            &["submit", "pi.py", "--volume", "nonsense"],
            &["submit", "pi.py", "--conf", "nonsense"],
            &["submit", "pi.py", "--env", "NOT_SET_ANYWHERE"],
            &["show", "nobody"],
            &["show", &long],
            &["kill", "nobody"],
            &["wait", ""],
            &["run", "nothing-built-in"],
            &["ps", "--filter", "colour=red"],
            &["ps", "--format", "{{ idd }}"],
            &["ps", "--format", "{{ id"],
        ],
    );
    insta::assert_snapshot!(said, @r##"
$ zoe submit pi.py --name has space
error: --name <NAME>: the name 'has space' is not allowed: use at most 40 of a–z, 0–9, '-', '_' and '.', a letter or digit at both ends
hint: --help tells what can be written
[2]
$ zoe submit pi.py --name xxxxxxxxxxxxxxxxxxxx (and so on)
error: --name <NAME>: the name 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…' is not allowed: it is too long
hint: --help tells what can be written
[2]
$ zoe submit pi.py --name last
error: 'last' cannot be a name: it means the submission made last
[2]
$ zoe submit pi.py --name 
error: --name <NAME>: the name '' is not allowed: it is empty
hint: --help tells what can be written
[2]
$ zoe submit pi.py --name -x
error: --name <NAME>: the name '-x' is not allowed: use at most 40 of a–z, 0–9, '-', '_' and '.', a letter or digit at both ends
hint: --help tells what can be written
[2]
$ zoe resize nobody -1
error: <N>: '-1' is not a number from 1 to 10000
hint: --help tells what can be written
[2]
$ zoe resize nobody worker -1
error: <N>: '-1' is not a number from 1 to 10000
hint: --help tells what can be written
[2]
$ zoe submit pi.py --volume /etc:/
error: --volume <SRC:DST[:ro]>: '/etc:/' is not a volume: the target must be an absolute path, and not /; write SRC:DST or SRC:DST:ro
hint: --help tells what can be written
[2]
$ zoe submit pi.py --key 
error: --key <KEY>: it is empty; is a variable of your script not set?
hint: --help tells what can be written
[2]
$ zoe submit pi.py --key kkkkkkkkkkkkkkkkkkkkk (and so on)
error: --key <KEY>: 'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…' is not a key; use at most 200 characters on one line
hint: --help tells what can be written
[2]
$ zoe submit pi.py --key two\nlines
error: --key <KEY>: 'two\nlines' is not a key; use at most 200 characters on one line
hint: --help tells what can be written
[2]
$ zoe submit pi.py --set wrker.core=3
error: there is no component 'wrker' (did you mean 'worker'?); spark-submit has master, worker, driver
[2]
$ zoe submit pi.py --set worker.cre=3
error: 'cre' cannot be set (did you mean 'core'?); settings are core, elastic, most, replaceable, cores, memory, image, command, files, volume, overhead.percent, overhead.at_least, env.NAME, placement.labels.NAME
[2]
$ zoe submit pi.py --set worker.core
error: --set <COMPONENT.FIELD=VALUE>: 'worker.core' is not of the form KEY=VALUE
hint: --help tells what can be written
[2]
$ zoe submit pi.py --volume nonsense
error: --volume <SRC:DST[:ro]>: 'nonsense' is no volume; write SOURCE:TARGET or SOURCE:TARGET:ro, such as /data:/data:ro, or SOURCE:TARGET:rw,group=GID to be in a group there
hint: --help tells what can be written
[2]
$ zoe submit pi.py --conf nonsense
error: --conf <KEY=VALUE>: 'nonsense' is not of the form KEY=VALUE
hint: --help tells what can be written
[2]
$ zoe submit pi.py --env NOT_SET_ANYWHERE
error: --env NOT_SET_ANYWHERE: the variable is not set here
hint: write --env NOT_SET_ANYWHERE=VALUE
[2]
$ zoe show nobody
error: there is no execution 'nobody'
hint: `zoe ps -a` lists them
[3]
$ zoe show xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx (and so on)
error: there is no execution 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'
hint: `zoe ps -a` lists them
[3]
$ zoe kill nobody
error: there is no execution 'nobody'
hint: `zoe ps -a` lists them
[3]
$ zoe wait 
error: there is no execution ''
hint: `zoe ps -a` lists them
[3]
$ zoe run nothing-built-in
error: there is no built-in application 'nothing-built-in'
hint: there are: dask-cluster, jupyter, spark-cluster, spark-notebook, spark-submit; a file's name ends in .toml or .json
[2]
$ zoe ps --filter colour=red
error: --filter <KEY=VALUE>: 'colour' is not a key; there are: id, name, user, application, state
hint: --help tells what can be written
[2]
$ zoe ps --format {{ idd }}
error: the template names 'idd' (column 4), which is not there; there are: id, name, user, application, state, reason, priority, after, array, array_index, retries, retry_on, attempt, held, time_limit_seconds, idle_timeout, activity, submitted_at, started_at, finished_at, exit_code, urls, components
hint: a template is Jinja over the keys of `-o json`: --format '{{ id }} {{ state }}'
[2]
$ zoe ps --format {{ id
error: the template is wrong in line 1, column 4: unexpected end of input, expected end of variable block
hint: a template is Jinja over the keys of `-o json`: --format '{{ id }} {{ state }}'
[2]
"##);
}

#[test]
fn configurations_and_applications() {
    let env = TestEnv::new();
    env.write(
        "bad.conf",
        "[docker]\nprivat_registry = x\n[nosuch]\na = b\n[filesystem]\nhistory_path = \n",
    );
    env.write("binary.conf", [0xff, 0xfe, 0x00, 0x1b]);
    env.write(
        "bad.toml",
        "schema = 1\nname = \"x\"\n[[component]]\nname = \"A b\"\nimage = \"\"\ncores = \"many\"\n",
    );
    env.write("garbage.toml", "}{");
    env.write("newer.toml", "schema = 7\nname = \"x\"\n");
    let said = session(
        &env,
        &[
            &["--config", "bad.conf", "ps"],
            &["--config", "binary.conf", "ps"],
            &["--config", "missing.conf", "ps"],
            &["--deployment", "Not Good", "ps"],
            &["--host", "nonsense://x", "ps"],
            &["--host", "memory:/tmp/x.json?size=3", "ps"],
            &["run", "bad.toml"],
            &["run", "garbage.toml"],
            &["run", "newer.toml"],
            &["run", "missing.toml"],
        ],
    );
    insta::assert_snapshot!(said, @r##"
$ zoe --config bad.conf ps
error: the configuration has 2 errors:
  DIR/bad.conf:2: [docker] privat_registry: zoe knows no such key; did you mean `private_registry`?
  DIR/bad.conf:3: [nosuch]: zoe knows no such section; there are [zoe], [docker], [db], [apache], [smtp], [filesystem], [intervals], [scheduler], [quota]
hint: `zoe write-config -` shows every key with its meaning
[2]
$ zoe --config binary.conf ps
error: the configuration is wrong: DIR/binary.conf: can't be read: stream did not contain valid UTF-8; correct --config or ZOE_CONFIG, or make one with `zoe write-config FILE`
hint: `zoe write-config -` shows every key with its meaning
[2]
$ zoe --config missing.conf ps
error: the configuration is wrong: DIR/missing.conf: can't be read: No such file or directory (os error 2); correct --config or ZOE_CONFIG, or make one with `zoe write-config FILE`
hint: `zoe write-config -` shows every key with its meaning
[2]
$ zoe --deployment Not Good ps
error: the configuration is wrong: --deployment: [zoe] deployment: the deployment 'Not Good' is not allowed: use at most 20 of a–z, 0–9 and '-', a letter or digit at both ends
hint: `zoe write-config -` shows every key with its meaning
[2]
$ zoe --host nonsense://x ps
error: the configuration is wrong: --host: [docker] swarm_manager_url: zoe can't reach Docker through `nonsense://`; write `unix:///path`, `tcp://host:port` or `memory:/path`
hint: `zoe write-config -` shows every key with its meaning
[2]
$ zoe --host memory:/tmp/x.json?size=3 ps
error: memory option 'size=3' is not understood; there are cores=N, memory=SIZE, nodes=NAME:CORES:MEMORY,… and images=all, joined by '&'
[2]
$ zoe run bad.toml
error: bad.toml: component 1, field 'name': the component name 'A b' is not allowed: use at most 24 of a–z, 0–9 and '-', a letter or digit at both ends
[2]
$ zoe run garbage.toml
error: garbage.toml: line 1: this is not TOML: invalid key-value pair, expected key
[2]
$ zoe run newer.toml
error: newer.toml: field 'schema': schema 7 is not known to this zoe; it reads schema 1
there is no component; describe at least one in [[component]]
[2]
$ zoe run missing.toml
error: cannot read the application missing.toml: No such file or directory (os error 2)
[2]
"##);
}

#[test]
fn no_docker_there() {
    let env = TestEnv::new();
    env.write("pi.py", "print(3)");
    env.write("job.toml", APPLICATION);
    let mut said = String::new();
    for arguments in [
        &["ps"][..],
        &["submit", "pi.py"],
        &["run", "-d", "job.toml"],
        &["kill", "--all", "-y"],
        &["status"],
        &["wait", "last"],
    ] {
        let ran = Ran::command(
            env.bare()
                .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
                .args(arguments),
        );
        assert_a_sentence(&ran, &arguments.join(" "));
        assert_eq!(ran.code, 125);
        said = ran.stderr;
    }
    insta::assert_snapshot!(said, @r##"
error: cannot reach Docker at unix:///nowhere/docker.sock: there is no such socket; is Docker installed and its daemon running?
hint: start Docker, or say where it is with --host, DOCKER_HOST or [docker] swarm_manager_url
"##);
    // A socket that nobody listens on, and a port.
    let socket = env.path("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let ran = Ran::command(
        env.bare()
            .env("DOCKER_HOST", format!("unix://{}", socket.display()))
            .arg("ps"),
    );
    assert_a_sentence(&ran, "a dead socket");
    insta::assert_snapshot!(ran.stderr.replace(&socket.display().to_string(), "SOCKET"), @r##"
error: cannot reach Docker at unix://SOCKET: nobody listens there; is the Docker daemon running (sudo systemctl start docker)?
hint: start Docker, or say where it is with --host, DOCKER_HOST or [docker] swarm_manager_url
"##);
    let ran = Ran::command(env.bare().env("DOCKER_HOST", "tcp://127.0.0.1:1").arg("ps"));
    assert_a_sentence(&ran, "a dead port");
    insta::assert_snapshot!(ran.stderr, @r##"
error: cannot reach Docker at tcp://127.0.0.1:1: connection refused; is the daemon running, and does it listen on this port?
hint: start Docker, or say where it is with --host, DOCKER_HOST or [docker] swarm_manager_url
"##);
    // Something that answers and is no Docker.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            use std::io::{Read, Write};
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n<html>no</ht");
        }
    });
    let ran = Ran::command(
        env.bare()
            .env("DOCKER_HOST", format!("tcp://{address}"))
            .arg("ps"),
    );
    assert_a_sentence(&ran, "a web server");
    insta::assert_snapshot!(ran.stderr.replace(&address.to_string(), "ADDRESS"), @"error: listing containers gave an answer that cannot be read: expected value at line 1 column 1");
}

#[test]
fn an_image_that_is_missing() {
    let env = TestEnv::with_options("cores=8&memory=16g");
    env.write("pi.py", "print(3)");
    let mut said = String::new();
    for arguments in [&["submit", "pi.py"][..], &["run", "-d", "jupyter"]] {
        let ran = env.run(arguments);
        // Before the error it says that it tried to pull.
        assert_eq!(ran.code, 125, "{}", ran.stderr);
        assert_eq!(
            ran.stderr
                .lines()
                .filter(|line| line.starts_with("error: "))
                .count(),
            1,
            "{}",
            ran.stderr
        );
        said.push_str(&ran.stderr);
    }
    insta::assert_snapshot!(said, @r##"
Pulling zoe/spark-master:latest
error: image zoe/spark-master:latest is not there and cannot be pulled: this memory has no registry
hint: build zoe's own images with `zoe images build`; `zoe images ls` shows what is there
Pulling zoe/jupyter:latest
error: image zoe/jupyter:latest is not there and cannot be pulled: this memory has no registry
hint: build zoe's own images with `zoe images build`; `zoe images ls` shows what is there
"##);
    assert!(env.ps().is_empty());
    assert!(world(&env).containers.is_empty() && world(&env).images.is_empty());
}

#[test]
fn an_image_that_is_missing_on_the_engine() {
    let env = TestEnv::new();
    let deployment = Deployment::new();
    env.write(
        "job.toml",
        APPLICATION.replace("memory/job", "127.0.0.1:1/zoe-test/no-such-image:1"),
    );
    let ran = Ran::command(
        env.bare()
            .env("ZOE_DEPLOYMENT", &deployment.name)
            .args(["run", "-d", "job.toml"]),
    );
    assert_eq!(ran.code, 125, "{}", ran.stderr);
    assert_eq!(
        ran.stderr
            .lines()
            .filter(|line| line.starts_with("error: "))
            .count(),
        1,
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("127.0.0.1:1/zoe-test/no-such-image:1") && !ran.stderr.contains("src/"),
        "{}",
        ran.stderr
    );
    assert_eq!(deployment.left(), Vec::<String>::new());
}

/// Labels that look like ours and can't be read: some missing, some of the future, some nonsense.
const STRANGE: &[(&str, &[(&str, &str)])] = &[
    (
        "half",
        &[("zoe.deployment", "DEPLOYMENT"), ("zoe.kind", "instance")],
    ),
    (
        "future",
        &[
            ("zoe.deployment", "DEPLOYMENT"),
            ("zoe.kind", "ticket"),
            ("zoe.schema", "9"),
        ],
    ),
    (
        "nonsense",
        &[
            ("zoe.deployment", "DEPLOYMENT"),
            ("zoe.kind", "ticket"),
            ("zoe.schema", "1"),
            ("zoe.execution", "no\u{1b}[31m id\nat all"),
            ("zoe.application", "}{"),
        ],
    ),
    (
        "negative",
        &[
            ("zoe.deployment", "DEPLOYMENT"),
            ("zoe.kind", "instance"),
            ("zoe.schema", "1"),
            ("zoe.execution", "aaaaaaaa"),
            ("zoe.component", "main"),
            ("zoe.index", "-1"),
            ("zoe.cores", "1"),
            ("zoe.memory", "1"),
        ],
    ),
];

/// A ticket that can't be read, of a newer zoe for example, does not make orphans of what belongs to it.
#[test]
fn what_belongs_to_a_ticket_that_cannot_be_read_is_left_alone() {
    let env = TestEnv::new();
    env.write("job.toml", APPLICATION);
    let id = env.run(&["run", "-d", "job.toml"]).expect(0);
    let mut newer = world(&env);
    let ticket = newer
        .containers
        .values_mut()
        .find(|row| row.labels["zoe.kind"] == "ticket")
        .unwrap();
    ticket
        .labels
        .insert("zoe.schema".to_owned(), "2".to_owned());
    set_world(&env, &newer);
    let ran = env.run(&["ps"]);
    insta::assert_snapshot!(ran.stderr.replace(id.trim(), "ID"), @r##"
warning: container 000000000002 (zoe-test-ID) looks like zoe's but is not readable and is left alone: the labels are of schema '2' and this zoe reads 1; use the zoe that made them
"##);
    env.write(
        "other.toml",
        APPLICATION.replace("[\"run\"]", "[\"print\", \"ran\", \"exit\", \"7\"]"),
    );
    assert_eq!(env.run(&["run", "other.toml"]).code, 7);
    env.run(&["kill", "--all", "-y"]).expect(0);
    let after = world(&env);
    assert_eq!(
        (&after.containers, &after.networks),
        (&newer.containers, &newer.networks)
    );
}

fn labels(of: &[(&str, &str)], deployment: &str) -> HashMap<String, String> {
    of.iter()
        .map(|(key, value)| ((*key).to_owned(), value.replace("DEPLOYMENT", deployment)))
        .collect()
}

/// Asserts that what is strange is told of and hinders nothing.
#[track_caller]
fn assert_anomalies(zoe: &dyn Fn(&[&str]) -> Ran, names: &[&str]) {
    for arguments in [&["ps"][..], &["ps", "-o", "json"], &["status"]] {
        let ran = zoe(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
        for name in names {
            assert_eq!(
                ran.stderr.matches(&format!("({name})")).count(),
                1,
                "{arguments:?}, {name}: {}",
                ran.stderr
            );
        }
        assert_eq!(
            ran.stderr.lines().count(),
            names.len(),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert!(
            !ran.stderr.contains('\u{1b}') && !ran.stdout.contains('\u{1b}'),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert!(!ran.stdout.contains("aaaaaaaa"), "{}", ran.stdout);
    }
}

#[test]
fn labels_that_look_like_ours_in_a_file() {
    let env = TestEnv::new();
    env.write(
        "job.toml",
        APPLICATION.replace("[\"run\"]", "[\"print\", \"ran\", \"exit\", \"7\"]"),
    );
    assert_eq!(env.run(&["run", "job.toml"]).code, 7);
    let mut strange = world(&env);
    let image = strange.images.keys().next().unwrap().clone();
    for (name, of) in STRANGE {
        let row = ContainerRow {
            labels: labels(of, "test"),
            ..ContainerRow::new(*name, &image, Timestamp::now())
        };
        strange.create_container(row, &image).unwrap();
        let row = NetworkRow {
            name: format!("{name}-net"),
            labels: labels(of, "test"),
        };
        strange.create_network(row).unwrap();
    }
    set_world(&env, &strange);
    let names: Vec<String> = STRANGE
        .iter()
        .flat_map(|(name, _)| [(*name).to_owned(), format!("{name}-net")])
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let told = env.run(&["ps"]).stderr;
    let told: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("(nonsense)") || line.contains("(half)"))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r##"
warning: container 000000000005 (half) looks like zoe's but is not readable and is left alone: the label zoe.schema is missing
warning: container 000000000009 (nonsense) looks like zoe's but is not readable and is left alone: the label zoe.application cannot be read: this is not an application in JSON: expected value at line 1 column 1
"##);
    // Networks are no part of what `ps` looks at.
    for arguments in [["status"], ["ps"]] {
        let ran = env.run(&arguments);
        let of = if arguments == ["ps"] {
            STRANGE.len()
        } else {
            names.len()
        };
        assert_eq!(
            (ran.code, ran.stderr.lines().count()),
            (0, of),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    }
    assert_eq!(env.run(&["run", "job.toml"]).code, 7);
    env.run(&["kill", "--all", "-y"]).expect(0);
    let after = world(&env);
    assert_eq!(
        (&after.containers, &after.networks),
        (&strange.containers, &strange.networks)
    );
}

#[test]
fn labels_that_look_like_ours_on_the_engine() {
    let env = TestEnv::new();
    let deployment = Deployment::new();
    let zoe = |arguments: &[&str]| {
        Ran::command(
            env.bare()
                .env("ZOE_DEPLOYMENT", &deployment.name)
                .args(arguments),
        )
    };
    let made: Vec<(String, String)> = STRANGE
        .iter()
        .map(|(name, of)| {
            let name = format!("{}-{name}", deployment.name);
            let labels: Vec<String> = labels(of, &deployment.name)
                .into_iter()
                .map(|(key, value)| format!("--label={key}={value}"))
                .collect();
            let mut command = vec!["create", "--name", &name];
            command.extend(labels.iter().map(String::as_str));
            command.extend([TINY, "true"]);
            let id = cli(&command);
            (name, id)
        })
        .collect();
    let names: Vec<&str> = made.iter().map(|(name, _)| name.as_str()).collect();
    assert_anomalies(&zoe, &names);
    env.write(
        "job.toml",
        APPLICATION
            .replace("memory/job", TINY)
            .replace("[\"run\"]", "[\"sh\", \"-c\", \"exit 7\"]")
            .replace("cores = 0.1", "cores = 0.01"),
    );
    assert_eq!(zoe(&["run", "job.toml"]).code, 7);
    zoe(&["kill", "--all", "-y"]).expect(0);
    for (name, id) in &made {
        assert_eq!(&cli(&["inspect", "--format", "{{.Id}}", name]), id);
    }
    assert_eq!(
        deployment.left().len(),
        made.len(),
        "{:?}",
        deployment.left()
    );
}

/// What others wrote into labels of an execution that can be read.
#[test]
fn hostile_text_reaches_no_terminal() {
    const EVIL: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\nroot 0 \u{202e}\u{9b}2Jevil\r";
    let env = TestEnv::new();
    env.write("job.toml", APPLICATION);
    let id = env
        .run(&[
            "run",
            "-d",
            "--env",
            &format!("A={EVIL}"),
            "job.toml",
            "--",
            EVIL,
        ])
        .expect(0);
    let id = id.trim();
    let mut hostile = world(&env);
    for row in hostile
        .containers
        .values_mut()
        .filter(|row| row.labels["zoe.kind"] == "ticket")
    {
        row.labels
            .insert("zoe.user".to_owned(), format!("ada{EVIL}"));
        row.labels.insert("zoe.key".to_owned(), EVIL.to_owned());
        row.labels
            .insert("zoe.registry".to_owned(), EVIL.to_owned());
    }
    set_world(&env, &hostile);
    let look = |arguments: &[&str]| {
        let ran = env.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
        for text in [&ran.stdout, &ran.stderr] {
            let bad = ['\u{1b}', '\u{9b}', '\u{7}', '\r', '\u{202e}']
                .into_iter()
                .find(|bad| text.contains(*bad));
            assert!(
                bad.is_none(),
                "{arguments:?} lets {bad:?} through: {text:?}"
            );
        }
        ran.stdout
    };
    assert_eq!(look(&["ps", "--no-header"]).lines().count(), 1);
    assert_eq!(
        look(&["ps", "-o", "wide", "--no-header"]).lines().count(),
        1
    );
    for arguments in [
        &["ps", "-o", "json"][..],
        &["ps", "-o", "jsonl"],
        &["ps", "--format", "{{ user }}"],
        &["show", id],
        &["show", "-o", "json", id],
        &["top", id],
        &["status"],
        &["kill", id],
        &["history", "-o", "wide"],
        &["history", "-o", "json"],
        &["show", id],
        &["ps", "-a"],
    ] {
        look(arguments);
    }
}

#[test]
fn hostile_arguments_reach_no_terminal() {
    const EVIL: &str = "a\u{1b}[2J\u{1b}]0;owned\u{7}b";
    let env = TestEnv::new();
    env.write("pi.py", "print(3)");
    for arguments in [
        &["show", EVIL][..],
        &["run", EVIL],
        &["run", "a\u{1b}[2J.toml"],
        &["submit", EVIL],
        &["submit", "pi.py", "--main", EVIL],
        &["submit", "pi.py", "--name", EVIL],
        &["submit", "pi.py", "--env", EVIL],
        &["submit", "pi.py", "--set", "worker.\u{1b}[31m=1"],
        &["submit", "pi.py", "--volume", EVIL],
        &["submit", "pi.py", "--worker-memory", EVIL],
        &["submit", "pi.py", "--timeout", EVIL],
        &["ps", "--filter", "\u{1b}[31m=1"],
        &["ps", "--format", "{{ \u{1b}[31m }}"],
        &["--config", EVIL, "ps"],
        &["--deployment", EVIL, "ps"],
        &["--host", EVIL, "ps"],
        &[EVIL],
        &["images", "build", EVIL],
        &["logs", "nobody", EVIL],
    ] {
        assert_a_sentence(&env.run(arguments), &format!("{arguments:?}"));
    }
    assert!(env.ps().is_empty());
}
