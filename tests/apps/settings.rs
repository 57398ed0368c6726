//! `--set`.

use zoe::apps;
use zoe::model::Application;

fn submit() -> Application {
    apps::builtin("spark-submit").unwrap()
}

#[test]
fn everything_that_can_be_set() {
    let mut application = submit();
    for setting in [
        "worker.core=3",
        "worker.most=5",
        "worker.replaceable=false",
        "worker.cores=1.5",
        "worker.memory=2g",
        "worker.overhead.percent=20",
        "worker.overhead.at_least=512m",
        "worker.image=other/worker:1",
        "worker.volume=/data:/data:ro",
        "worker.env.SPARK_WORKER_DIR=/a=b",
        "driver.command=/opt/x.py  a b",
        "driver.files=",
    ] {
        apps::set(&mut application, setting).unwrap_or_else(|e| panic!("{setting}: {e}"));
    }
    apps::set(&mut application, r#"master.command=["a b", "$$"]"#).unwrap();
    apps::add_volume_everywhere(&mut application, "/home:/home").unwrap();
    apps::add_env(&mut application, "PRICE", "$5").unwrap();
    let written = apps::to_toml(&application);
    let before = apps::to_toml(&submit());
    let new: Vec<&str> = written
        .lines()
        .filter(|l| !before.lines().any(|b| b == *l))
        .collect();
    insta::assert_snapshot!(new.join("\n"), @r#"
command = [
    "a b",
    "$$",
]
volumes = ["/home:/home"]
PRICE = "$$5"
image = "other/worker:1"
core = 3
elastic = 2
cores = "1.5"
memory = "2g"
volumes = [
    "/data:/data:ro",
    "/home:/home",
]
percent = 20
at_least = "512m"
PRICE = "$$5"
SPARK_WORKER_DIR = "/a=b"
command = [
    "/opt/x.py",
    "a",
    "b",
]
volumes = ["/home:/home"]
PRICE = "$$5"
"#);
}

#[test]
fn what_cannot_be_set_is_said_and_changes_nothing() {
    let mut said = Vec::new();
    for setting in [
        "worker.cores",
        "cores=1",
        "wroker.cores=1",
        "worker.core.s=1",
        "worker.mem=1",
        "worker.memroy=1",
        "worker.core=-1",
        "worker.most=1",
        "worker.replaceable=yes",
        "driver.replaceable=true",
        "worker.memory=2x",
        "worker.cores=0",
        "worker.volume=/data",
        "worker.env.A-B=1",
        "worker.env.A=$1",
        "worker.env.A=${driver.hots}",
        "worker.command=[1]",
        "driver.core=0",
        "worker.core=20000",
    ] {
        let mut application = submit();
        said.push(
            apps::set(&mut application, setting)
                .unwrap_err()
                .to_string(),
        );
        assert_eq!(application, submit(), "{setting}");
    }
    insta::assert_snapshot!(said.join("\n"), @r#"
    'worker.cores' is no setting; write COMPONENT.FIELD=VALUE, such as worker.cores=2
    'cores=1' is no setting; write COMPONENT.FIELD=VALUE, such as worker.cores=2
    there is no component 'wroker' (did you mean 'worker'?); spark-submit has master, worker, driver
    'core.s' cannot be set (did you mean 'cores'?); settings are core, elastic, most, replaceable, cores, memory, image, command, files, volume, overhead.percent, overhead.at_least, env.NAME, placement.labels.NAME
    'mem' cannot be set (did you mean 'memory'?); settings are core, elastic, most, replaceable, cores, memory, image, command, files, volume, overhead.percent, overhead.at_least, env.NAME, placement.labels.NAME
    'memroy' cannot be set (did you mean 'memory'?); settings are core, elastic, most, replaceable, cores, memory, image, command, files, volume, overhead.percent, overhead.at_least, env.NAME, placement.labels.NAME
    worker.core: '-1' is not a whole number, such as 2
    worker.most: 1 members are fewer than its core of 2; ask for at least 2, or lower the core
    worker.replaceable: 'yes' is neither true nor false
    component 'driver', field 'replaceable': is true, but this component is the monitor, whose exit ends the execution; leave it out
    worker.memory: '2x' is not a size; write a number and a unit, such as 512m, 2g or 1.5g (units: b, k, m, g, t, powers of 1024)
    component 'worker', field 'cores': 0 is too little; the least a container can have is 0.01
    worker.volume: '/data' is no volume; write SOURCE:TARGET or SOURCE:TARGET:ro, such as /data:/data:ro, or SOURCE:TARGET:rw,group=GID to be in a group there
    component 'worker', field 'env': 'A-B' is no name of a variable; use letters, digits and '_', not a digit first
    component 'worker', field 'env.A': the '$' in '$1' begins no variable; write ${NAME} for a variable or $$ for a literal '$'
    component 'worker', field 'env.A': the variable ${driver.hots} is not known (did you mean 'driver.host'?); there are execution.id|name|user, deployment, self.index, and .host, .core, .elastic, .members, .cores, .slots, .memory.mib, .memory.bytes, .port.NAME.path of self and the components (master, worker, driver); write $$ for a literal '$'
    worker.command: this is no JSON list of texts, such as ["sh", "-c", "date"]
    component 'driver', field 'core': is 0, but this component is the monitor, whose exit ends the execution; it needs a core of at least 1
    20002 members are too many; all components together may have 10000
    "#);
}
