//! What is wrong with a description, in these words, all of it.

use proptest::prelude::*;
use zoe::apps::{self, Format};

fn said(text: &str) -> String {
    apps::parse(text, Format::Toml).unwrap_err().to_string()
}

/// A description with one component to which `more` is added.
fn with(more: &str) -> String {
    let text = format!(
        "schema = 1\nname = \"x\"\nsecrets = [\"auth\"]\n[[component]]\nname = \"worker\"\nimage = \"i\"\ncores = 1\nmemory = \"1g\"\n{more}"
    );
    apps::parse(&text, Format::Toml).map_or_else(|e| e.to_string(), |_| "fine".to_owned())
}

#[test]
fn all_at_once_with_their_places() {
    insta::assert_snapshot!(said(r#"
        schema = 1
        name = "Bad Name"
        monitor = "drivr"
        secrets = ["auth", "auth", "No"]
        title = "x"

        [[component]]
        name = "worker"
        image = "zoe/spark worker"
        core = "2"
        corez = 0.5
        memory = "2x"
        volumes = ["/data", "data/x:/y", "/a:/b", "/c:/b"]
        secrets = ["autj"]
        command = []
        env = { "A-B" = "1", C = "${worker.coer}", D = "$HOME", E = "${secret.auth}", F = 5 }

        [[component.port]]
        name = "web"
        container = 70000

        [[component.port]]
        name = "rpc"
        container = 7077
        protocol = "udp"
        path = "x y"

        [component.ready]
        port = "wbe"
        path = "json"
        pointer = "aliveworkers"
        at_least = "${worker.host}"

        [[component]]
        name = "driver"
        files = "job"
        elastic = -1

        [[component]]
        image = "i"

        [[component]]
        name = "self"
        image = "i"
        cores = 0
        memory = 0
    "#), @r#"
    component 'worker', field 'core': is the text "2", which will not do here; write a whole number such as 2
    component 'worker', field 'corez': is not known (did you mean 'cores'?); fields here are name, image, core, elastic, replaceable, cores, memory, command, secrets, volumes, files, overhead, env, port, ready, placement
    component 'worker', field 'env.F': is the number 5, which will not do here; write a text in quotes
    component 'driver', field 'elastic': is the number -1, which will not do here; write a whole number such as 2
    field 'title': is not known; fields here are schema, name, description, monitor, secrets, activity, component
    component 'worker', field 'cores': is missing; give a number such as 0.5
    component 'worker', field 'memory': '2x' is not a size; write a number and a unit, such as 512m, 2g or 1.5g (units: b, k, m, g, t, powers of 1024)
    component 'worker', field 'volumes': '/data' is no volume; write SOURCE:TARGET or SOURCE:TARGET:ro, such as /data:/data:ro, or SOURCE:TARGET:rw,group=GID to be in a group there
    component 'worker', port 'web', field 'container': is not a port number; use 1 to 65535
    component 'worker', port 'rpc', field 'protocol': 'udp' is not known; write http (published and listed as a URL) or tcp
    component 'driver', field 'image': is missing; name the image to run
    component 'driver', field 'cores': is missing; give a number such as 0.5
    component 'driver', field 'memory': is missing; give a size such as "1g"
    component 3, field 'name': is missing; every component needs a name of its own
    field 'name': the name 'Bad Name' is not allowed: use at most 40 of a–z, 0–9, '-', '_' and '.', a letter or digit at both ends
    field 'secrets': 'auth' is there twice
    field 'secrets': 'No' is no name for a secret; use at most 40 of a–z, 0–9 and '_', a letter first
    component 'self', field 'name': is a word that variables begin with; use another name
    component 'worker', field 'image': 'zoe/spark worker' is no image name; write one such as zoe/spark-worker:latest
    component 'worker', field 'env.C': the variable ${worker.coer} is not known (did you mean 'worker.core'?); there are execution.id|name|user, deployment, self.index, and .host, .core, .elastic, .members, .cores, .slots, .memory.mib, .memory.bytes, .port.NAME.path of self and the components (worker, driver, self); write $$ for a literal '$'
    component 'worker', field 'env.D': the '$' in '$HOME' begins no variable; write ${NAME} for a variable or $$ for a literal '$'
    component 'worker', field 'env.E': ${secret.auth} can be used in a port's query only; a component that lists the secret reads it from the file /run/secrets/auth
    component 'worker', field 'command': is empty; leave it out to have the image's own
    component 'worker', field 'env': 'A-B' is no name of a variable; use letters, digits and '_', not a digit first
    component 'worker', field 'secrets': 'autj' is none of the application's secrets (did you mean 'auth'?); add it to the field 'secrets' at the top
    component 'worker', port 'rpc', field 'path': is no path of a URL; begin with '/', and leave the query to 'query'
    component 'worker', field 'ready.port': 'wbe' is none of the component's ports
    component 'worker', field 'ready.path': is no path of a URL; begin with '/'
    component 'worker', field 'ready.pointer': 'aliveworkers' is no JSON pointer; begin with '/', such as /aliveworkers
    component 'worker', field 'ready.at_least': '${worker.host}' is not a whole number; write one, or a variable that counts something, such as ${worker.core}
    component 'driver', field 'files': 'job' is no absolute path of a directory; write one such as /opt/zoe/job
    component 'self', field 'cores': 0 is too little; the least a container can have is 0.01
    component 'self', field 'memory': 0 B is too little; the least a container can have is 6 MiB
    "#);
}

#[test]
fn what_is_no_toml_says_where() {
    insta::assert_snapshot!(said("schema = 1\nname = \"x\n"), @r#"line 2: this is not TOML: invalid basic string, expected `"`"#);
    insta::assert_snapshot!(said("schema = 1\nschema = 1\n"), @r#"line 2: this is not TOML: duplicate key"#);
    insta::assert_snapshot!(said(""), @r#"
field 'schema': is missing; begin the description with schema = 1
field 'name': is missing; say what the application is called
there is no component; describe at least one in [[component]]
"#);
    insta::assert_snapshot!(said("schema = 2\nname = 7\n[[components]]\n"), @r#"
field 'components': is not known (did you mean 'component'?); fields here are schema, name, description, monitor, secrets, activity, component
field 'name': is the number 7, which will not do here; write a text in quotes
field 'schema': schema 2 is not known to this zoe; it reads schema 1
there is no component; describe at least one in [[component]]
"#);
}

#[test]
fn json_has_the_same_words() {
    let said = |text| apps::parse(text, Format::Json).unwrap_err().to_string();
    insta::assert_snapshot!(said("{\n\"schema\": 1,,}"), @r#"line 2: this is not JSON: key must be a string"#);
    insta::assert_snapshot!(said("[]"), @r#"line 1: a description is a JSON object: { "schema": 1, … }"#);
    insta::assert_snapshot!(said(r#"{"schema":1,"name":"x","component":[{"name":"a","image":"i","cores":"1,5","memory":null}, 7]}"#), @r#"
component 2: is the number 7, which will not do here; write a table
component 'a', field 'cores': '1,5' is not a number of cores; write a number such as 2 or 0.5, with at most three decimals
component 'a', field 'memory': is missing; give a size such as "1g"
"#);
}

#[test]
fn members_are_counted() {
    insta::assert_snapshot!(with("core = 9000\nelastic = 1001"), @r#"10001 members are too many; all components together may have 10000"#);
    insta::assert_snapshot!(with("core = 0\nelastic = 4"), @r#"no component has core members, so nothing would ever run; give one a core of at least 1"#);
    let monitored = format!("monitor = \"worker\"\n{}", with_text("core = 0"));
    insta::assert_snapshot!(said(&monitored), @r#"component 'worker', field 'core': is 0, but this component is the monitor, whose exit ends the execution; it needs a core of at least 1"#);
}

fn with_text(more: &str) -> String {
    format!(
        "schema = 1\nname = \"x\"\n[[component]]\nname = \"worker\"\nimage = \"i\"\ncores = 1\nmemory = \"1g\"\n{more}"
    )
}

#[test]
fn limits_and_clashes() {
    let big = format!("command = [\"{}\"]", "x".repeat(300 * 1024));
    insta::assert_snapshot!(with(&big), @r#"the description has 301 KiB and may have 256; put large texts into files or the image"#);
    insta::assert_snapshot!(with("cores = 2"), @r#"line 9: this is not TOML: duplicate key"#);
    insta::assert_snapshot!(with("\n[[component]]\nname = \"worker-1\"\nimage = \"i\"\ncores = nan\nmemory = 5"), @r#"
component 'worker-1', field 'cores': 'NaN' is not a number of cores; write a number such as 2 or 0.5, with at most three decimals
component 'worker-1', field 'name': is the host name of a member of 'worker'; use another name
component 'worker-1', field 'memory': 5 B is too little; the least a container can have is 6 MiB
"#);
    insta::assert_snapshot!(with("files = \"/a\"\n[[component]]\nname = \"b\"\nimage = \"j\"\ncores = 1\nmemory = \"1g\"\nfiles = \"/a\""), @r#"component 'b', field 'files': component 'worker' gets the files too, but with another image or place; both must be the same"#);
    insta::assert_snapshot!(with("volumes = [\"/x:/run/secrets\", \"/a/../b:/c\", \"vol_1:/d:rw\", \"/${execution.user}:/e\"]"), @r#"
component 'worker', field 'volumes': '/x:/run/secrets': the secrets are there; use another target
component 'worker', field 'volumes': '/a/../b:/c': the source must be an absolute path on the host, or the name of a Docker volume
component 'worker', field 'volumes': '/${execution.user}:/e': variables are not filled in here
"#);
}

#[test]
fn ports_and_readiness() {
    insta::assert_snapshot!(with("[[component.port]]\nname = \"a\"\ncontainer = 80\nquery = \"t=${secret.auth}&i=${self.index}\"\npath = \"/${secret.auth}\"\n[[component.port]]\nname = \"a\"\ncontainer = 80"), @r#"
component 'worker', port 'a', field 'path': ${secret.auth} can be used in a port's query only; a component that lists the secret reads it from the file /run/secrets/auth
component 'worker', port 'a', field 'query': ${self.index} cannot be used in a URL, which is the same for all members; name the component instead of 'self'
component 'worker', port 'a', field 'name': another port has this name; names must differ
component 'worker', port 'a', field 'container': another port has the number 80; numbers must differ
"#);
    insta::assert_snapshot!(with("[[component.port]]\nname = \"a\"\ncontainer = 80\nprotocol = \"tcp\"\n[component.ready]\nport = \"a\"\nat_least = 1"), @r#"
component 'worker', field 'ready.pointer': is missing; say where in the JSON answer the number is, such as /aliveworkers
component 'worker', field 'ready.port': 'a' is a tcp port and cannot be asked; name an http port
"#);
    assert_eq!(
        with(
            "[[component.port]]\nname = \"a\"\ncontainer = 80\n[component.ready]\nport = \"a\"\npointer = \"/n\"\nat_least = 1"
        ),
        "fine"
    );
}

proptest! {
    /// A valid description with one thing changed is valid or refused in a sentence, never a panic.
    #[test]
    fn damage_is_survived(at in 0usize..1700, cut in 0usize..40, put in "[\\PC\n]{0,6}") {
        let (_, text) = apps::builtins()[4];
        let at = text.floor_char_boundary(at);
        let end = text.floor_char_boundary(at + cut);
        let damaged = format!("{}{put}{}", &text[..at], &text[end.max(at)..]);
        if let Err(errors) = apps::parse(&damaged, Format::Toml) {
            prop_assert!(!errors.0.is_empty());
            prop_assert!(errors.0.iter().all(|e| !e.problem.contains(char::is_control)), "{errors:?}");
        }
    }
}
