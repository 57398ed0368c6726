//! The layers of the configuration, through the public interface, in a sealed directory.

// Clippy's exception for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;

use zoe::config::{
    Backend, Config, ConfigError, ConfigErrors, Database, KEYS, Origin, Overrides, Surroundings,
    assemble, load, show,
};
use zoe::model::Secret;

fn around(root: &Path, env: &[(&str, &str)]) -> Surroundings {
    for directory in ["cwd", "home/.config/zoe", "etc"] {
        std::fs::create_dir_all(root.join(directory)).unwrap();
    }
    Surroundings {
        env: env.iter().copied().collect(),
        cwd: root.join("cwd"),
        home: Some(root.join("home")),
        os_user: "Ada.L".to_owned(),
        system_dir: root.join("etc"),
    }
}

fn of_text(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let around = Surroundings {
        env: env.iter().copied().collect(),
        cwd: "/cwd".into(),
        home: Some("/home/ada".into()),
        os_user: "ada".into(),
        system_dir: "/etc/zoe".into(),
    };
    assemble(
        Some((Path::new("/c/zoe.conf"), text)),
        &around,
        &Overrides::default(),
    )
}

/// `value <- origin` of one key.
fn shown(config: &Config, section: &str, key: &str) -> String {
    let row = show(config)
        .into_iter()
        .find(|row| row.section == section && row.key == key)
        .unwrap();
    format!("{} <- {}", row.value, row.origin)
}

#[test]
fn nothing_configured_is_complete() {
    let root = tempfile::tempdir().unwrap();
    let config = load(&around(root.path(), &[]), &Overrides::default()).unwrap();
    assert_eq!(config.file, None);
    assert_eq!(config.zoe.deployment.as_str(), "ada-l");
    assert_eq!(config.docker.swarm_manager_url, None);
    assert_eq!(config.docker.backend, Backend::Auto);
    assert_eq!(
        config.db.url,
        Database::Sqlite(root.path().join("home/.local/share/zoe/zoe.db"))
    );
    assert_eq!(
        config.filesystem.history_path,
        root.path().join("home/.local/share/zoe/history")
    );
    let rows = show(&config);
    assert_eq!(rows.len(), KEYS.len());
    assert!(rows.iter().all(|row| row.origin == Origin::Default));
    let text: Vec<_> = rows
        .iter()
        .map(|row| format!("[{}] {} = {}", row.section, row.key, row.value))
        .collect();
    let text = text
        .join("\n")
        .replace(&root.path().display().to_string(), "ROOT");
    insta::assert_snapshot!(text, @r#"
    [zoe] deployment = ada-l
    [docker] swarm_manager_url = 
    [docker] private_registry = 
    [docker] publish_address = 127.0.0.1
    [docker] backend = auto
    [docker] api_timeout = 60
    [docker] node_url = 
    [db] url = sqlite://ROOT/home/.local/share/zoe/zoe.db
    [db] password = 
    [db] password_file = 
    [apache] web_server_name = 
    [apache] web_server_scheme = http
    [apache] proxy_mode = map
    [apache] proxy_config_file = 
    [apache] proxy_path_prefix = /zoe
    [apache] configtest_command = apachectl -t -c "Include $ZOE_FRAGMENT"
    [apache] reload_command = sudo service apache2 reload
    [apache] access_log = /var/log/apache2/access.log
    [smtp] server = 
    [smtp] port = 587
    [smtp] security = starttls
    [smtp] ca_file = 
    [smtp] user = 
    [smtp] password = 
    [smtp] password_file = 
    [smtp] sender = 
    [smtp] mail_on = fail
    [smtp] give_up = 72
    [filesystem] history_path = ROOT/home/.local/share/zoe/history
    [filesystem] history_max_age = 
    [filesystem] history_max_size = 
    [filesystem] workspace_path = 
    [intervals] scheduler_task = 10
    [intervals] check_terminated = 30
    [intervals] proxy_update_accesses = 300
    [intervals] proxy_reload = 10
    [intervals] notebook_warning_age_no_activity = 2
    [intervals] notebook_max_age_no_activity = 24
    [scheduler] policy = fifo
    [scheduler] mode = flexible
    [scheduler] assumed_runtime = 3600
    [scheduler] ageing = 10
    [scheduler] start_tries = 3
    [scheduler] start_deadline = 600
    [scheduler] node_grace = 60
    [quota] executions = 
    [quota] cores = 
    [quota] memory = 
    [quota] hours = 
    [quota] window = 30
    [quota] half_life = 7
    "#);
}

#[test]
fn the_first_file_counts_and_only_that_one() {
    let root = tempfile::tempdir().unwrap();
    let places = ["cwd/zoe.conf", "home/.config/zoe/zoe.conf", "etc/zoe.conf"]
        .map(|place| root.path().join(place));
    let around = around(root.path(), &[]);
    for (index, place) in places.iter().enumerate() {
        let extra = if index == 2 {
            "[docker]\napi_timeout = 7\n"
        } else {
            ""
        };
        std::fs::write(place, format!("[zoe]\ndeployment = d{index}\n{extra}")).unwrap();
    }
    for (index, place) in places.iter().enumerate() {
        let config = load(&around, &Overrides::default()).unwrap();
        assert_eq!(config.file.as_deref(), Some(place.as_path()));
        assert_eq!(config.zoe.deployment.as_str(), format!("d{index}"));
        assert_eq!(
            config.docker.api_timeout.as_secs(),
            if index == 2 { 7 } else { 60 }
        );
        std::fs::remove_file(place).unwrap();
    }
}

#[test]
fn a_named_file_must_be_there() {
    let root = tempfile::tempdir().unwrap();
    let named = |env: &[(&str, &str)], flag: Option<&str>| {
        let overrides = Overrides {
            config: flag.map(Into::into),
            ..Overrides::default()
        };
        load(&around(root.path(), env), &overrides)
    };
    std::fs::create_dir_all(root.path().join("cwd")).unwrap();
    for name in ["zoe", "a", "b"] {
        let text = format!("[zoe]\ndeployment = {name}\n");
        std::fs::write(root.path().join(format!("cwd/{name}.conf")), text).unwrap();
    }
    let env = [("ZOE_CONFIG", "a.conf")];
    assert_eq!(named(&[], None).unwrap().zoe.deployment.as_str(), "zoe");
    assert_eq!(named(&env, None).unwrap().zoe.deployment.as_str(), "a");
    assert_eq!(
        named(&env, Some("b.conf")).unwrap().zoe.deployment.as_str(),
        "b"
    );
    let error = named(&[], Some("none.conf")).unwrap_err().to_string();
    insta::assert_snapshot!(error.replace(&root.path().display().to_string(), "ROOT"), @"the configuration is wrong: ROOT/cwd/none.conf: can't be read: No such file or directory (os error 2); correct --config or ZOE_CONFIG, or make one with `zoe write-config FILE`");
}

#[test]
fn a_file_that_cannot_be_read_is_not_passed_over() {
    let root = tempfile::tempdir().unwrap();
    let around = around(root.path(), &[]);
    std::fs::create_dir(root.path().join("cwd/zoe.conf")).unwrap();
    std::fs::write(
        root.path().join("etc/zoe.conf"),
        "[zoe]\ndeployment = usual\n",
    )
    .unwrap();
    let errors = load(&around, &Overrides::default()).unwrap_err();
    assert!(
        matches!(errors.0.as_slice(), [ConfigError::Unreadable { .. }]),
        "{errors}"
    );
}

#[test]
fn flags_before_variables_before_the_file() {
    let text =
        "[zoe]\ndeployment = file\n[docker]\nswarm_manager_url = tcp://file:1\nAPI_Timeout = 5\n";
    let config = of_text(text, &[]).unwrap();
    assert_eq!(
        shown(&config, "docker", "swarm_manager_url"),
        "tcp://file:1 <- /c/zoe.conf:4"
    );
    assert_eq!(
        shown(&config, "docker", "api_timeout"),
        "5 <- /c/zoe.conf:5"
    );
    let env = [
        ("ZOE_DOCKER_SWARM_MANAGER_URL", "tcp://env:2"),
        ("ZOE_DEPLOYMENT", "env"),
        ("ZOE_DOCKER_API_TIMEOUT", ""),
    ];
    let config = of_text(text, &env).unwrap();
    assert_eq!(
        shown(&config, "docker", "swarm_manager_url"),
        "tcp://env:2 <- ZOE_DOCKER_SWARM_MANAGER_URL"
    );
    assert_eq!(shown(&config, "zoe", "deployment"), "env <- ZOE_DEPLOYMENT");
    assert_eq!(
        shown(&config, "docker", "api_timeout"),
        "60 <- ZOE_DOCKER_API_TIMEOUT"
    );

    let root = tempfile::tempdir().unwrap();
    let overrides = Overrides {
        host: Some("memory:m.json".to_owned()),
        deployment: Some("flag".to_owned()),
        registry: Some("r.example.com".to_owned()),
        config: None,
    };
    let config = load(&around(root.path(), &env), &overrides).unwrap();
    let memory = format!(
        "memory:{} <- --host",
        root.path().join("cwd/m.json").display()
    );
    assert_eq!(shown(&config, "docker", "swarm_manager_url"), memory);
    assert_eq!(shown(&config, "zoe", "deployment"), "flag <- --deployment");
    assert_eq!(
        shown(&config, "docker", "private_registry"),
        "r.example.com <- --registry"
    );
}

#[test]
fn paths_start_where_they_are_written() {
    let text =
        "[filesystem]\nhistory_path = logs\nworkspace_path = ~/ws\n[db]\nurl = sqlite:z.db\n";
    let config = of_text(text, &[("ZOE_DB_URL", "sqlite:y.db")]).unwrap();
    assert_eq!(config.filesystem.history_path, Path::new("/c/logs"));
    assert_eq!(
        config.filesystem.workspace_path.as_deref(),
        Some(Path::new("/home/ada/ws"))
    );
    assert_eq!(config.db.url, Database::Sqlite("/cwd/y.db".into()));
}

#[test]
fn secrets_are_not_shown() {
    let text = "[db]\nurl = mysql://zoe:hunter2;%23x@db/zoe\n[smtp]\nuser = zoe@example.com\npassword = hunter2;#\"\\\n";
    let config = of_text(text, &[]).unwrap();
    assert_eq!(
        config.smtp.password.as_ref().map(Secret::reveal),
        Some("hunter2;#\"\\")
    );
    let Database::Mysql(mysql) = &config.db.url else {
        panic!("{:?}", config.db)
    };
    assert_eq!(mysql.url.reveal(), "mysql://zoe:hunter2%3B%23x@db/zoe");
    let seen = format!("{config:?}{:?}", show(&config));
    assert!(!seen.contains("hunter2"), "{seen}");
    assert_eq!(config.smtp.sender.as_deref(), Some("zoe@example.com"));
}

#[test]
fn all_errors_at_once() {
    let text = "\
; a wrong file
[docker]
api_timeout = 2x
swarm_manager = tcp://h:1
backend
url = x
backend = engin
publish_address = 127.0.0.1
  api_timeout = 3
[dokcer]
private_registry = y
[smtp]
server = mail.example.com
password = p
[intervals]
notebook_warning_age_no_activity = 24
[flask]
secret_key = x
[docker]
[zoe
nothing
";
    let env = [
        ("ZOE_DB_ULR", "x"),
        ("ZOE_SMTP_PORT", "high"),
        ("ZOE_APACHE_X", ""),
        ("ZOE_CONFIG", "ignored here"),
        ("ZOE_TEST_X", ""),
        ("ZOE_ARRAY_INDEX", "1"),
        ("ZOE_ARRAY_COUNT", "4"),
    ];
    let errors = of_text(text, &env).unwrap_err();
    insta::assert_snapshot!(errors.to_string(), @r"
    the configuration has 17 errors:
      /c/zoe.conf:3: [docker] api_timeout: `2x` is no whole number from 1 to 86400; it is a time in seconds
      /c/zoe.conf:4: [docker] swarm_manager: zoe knows no such key; did you mean `swarm_manager_url`?
      /c/zoe.conf:5: [docker] backend: has no value; write `backend = …`, with nothing after the `=` for an empty value
      /c/zoe.conf:6: [docker] url: zoe knows no such key; it belongs under [db]
      /c/zoe.conf:7: [docker] backend: `engin` is none of auto, engine, swarm, classic
      /c/zoe.conf:8: [docker] publish_address: goes on over several lines, because a line that begins with a space continues the one before; write it in one line, and begin the next key at the line's start
      /c/zoe.conf:10: [dokcer]: zoe knows no such section; did you mean [docker]?
      /c/zoe.conf:14: [smtp] password: is set, but `user` is not; set both, or none to send without a login
      /c/zoe.conf:16: [intervals] notebook_warning_age_no_activity: is not before notebook_max_age_no_activity, so that nobody would be warned in time; make it smaller, or 0
      /c/zoe.conf:17: [flask]: zoe knows no such section; there are [zoe], [docker], [db], [apache], [smtp], [filesystem], [intervals], [scheduler], [quota]
      /c/zoe.conf:19: [docker]: comes a second time (first in line 2); put its keys together, so that it is clear which one counts
      /c/zoe.conf:20: is no section; write `[name]` and nothing else on the line
      /c/zoe.conf:21: [docker] nothing: has no value; write `nothing = …`, with nothing after the `=` for an empty value
      ZOE_APACHE_X: zoe knows no such variable; [apache] has web_server_name, web_server_scheme, proxy_mode, proxy_config_file, proxy_path_prefix, configtest_command, reload_command, access_log; unset it if it is not meant for zoe
      ZOE_DB_ULR: zoe knows no such variable; did you mean ZOE_DB_URL?
      ZOE_SMTP_PORT: [smtp] port: `high` is no whole number from 1 to 65535
      default: [smtp] sender: is empty, and `user` is no address either; set the address that mails come from
    ");
}

#[test]
fn one_error_is_one_sentence() {
    let errors = of_text("[docker]\nprivate_registry = https://r\n", &[]).unwrap_err();
    insta::assert_snapshot!(errors.to_string(), @"the configuration is wrong: /c/zoe.conf:2: [docker] private_registry: `https://r` is no registry; write `host:port` or `host.domain/path`, without `https://`, or leave it empty for Docker Hub");
}

#[test]
fn the_sample_file_is_current_and_says_the_defaults() {
    let sample = zoe::config::render_sample();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoe.conf.sample");
    if std::env::var_os("ZOE_TEST_BLESS").is_some() {
        std::fs::write(&file, &sample).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        sample,
        "ZOE_TEST_BLESS=1 makes it anew"
    );
    let defaults = of_text("", &[]).unwrap();
    assert_eq!(
        of_text(&sample, &[]).unwrap(),
        defaults,
        "nothing in the sample is in force"
    );
    let set = sample.replace(
        "
;", "
",
    );
    let set = of_text(&set, &[]).unwrap();
    for (set, default) in show(&set).iter().zip(show(&defaults)) {
        assert_eq!(
            (set.section, set.key, &set.value),
            (default.section, default.key, &default.value)
        );
        assert!(matches!(set.origin, Origin::File(..)), "{set:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\[(docker|db|zoe|smtp)\\]|url|port|deployment|[ \\t]|=|:|;|\\n|\\PC){0,40}") {
        let _ = of_text(&text, &[]).map_err(|errors| errors.to_string());
    }
}
