//! Each kind of value: what it takes, what it refuses and with which words.

use super::*;
use std::sync::LazyLock;

use proptest::prelude::*;

static AROUND: LazyLock<Surroundings> = LazyLock::new(|| Surroundings {
    env: [("XDG_DATA_HOME", "/data")].into_iter().collect(),
    cwd: "/cwd".into(),
    home: Some("/home/ada".into()),
    os_user: "ada".into(),
    system_dir: "/etc/zoe".into(),
});

fn given(text: &str) -> Given<'_> {
    Given {
        text,
        base: Path::new("/base"),
        around: &AROUND,
    }
}

#[test]
fn users_become_deployments() {
    let name = |user| deployment_of_user(user).unwrap().to_string();
    assert_eq!(name("ada"), "ada");
    assert_eq!(name("Ada.Lovelace"), "ada-lovelace");
    assert_eq!(name("_svc__spark_"), "svc-spark");
    assert_eq!(name("ду"), "user");
    let (one, two) = (
        name("somebody.with.a.long.name.1"),
        name("somebody.with.a.long.name.2"),
    );
    assert!(
        one.starts_with("somebody-with-") && one.len() <= 20,
        "{one}"
    );
    assert_ne!(one, two);
}

#[test]
fn database_urls() {
    let url = |text| given(text).database().unwrap();
    assert_eq!(url(""), Database::Sqlite("/data/zoe/zoe.db".into()));
    assert_eq!(
        url("sqlite:///var/z.db"),
        Database::Sqlite("/var/z.db".into())
    );
    assert_eq!(url("sqlite:z.db"), Database::Sqlite("/base/z.db".into()));
    assert_eq!(
        url("sqlite:~/z.db"),
        Database::Sqlite("/home/ada/z.db".into())
    );
    for text in [
        "mysql://zoe:p%23w@db:3306/zoe?ssl-mode=REQUIRED",
        "mysql+mysqlconnector://zoe:p%23w@db:3306/zoe?ssl-mode=REQUIRED",
    ] {
        let Database::Mysql(mysql) = url(text) else {
            panic!("{text}")
        };
        // The options are set one by one: the driver is not to read them once more.
        assert_eq!(mysql.url.reveal(), "mysql://zoe:p%23w@db:3306/zoe");
        assert_eq!(mysql.tls, crate::config::TlsMode::Required);
        assert_eq!(mysql.shown, "mysql://zoe:***@db:3306/zoe?ssl-mode=REQUIRED");
        assert!(!format!("{mysql:?}").contains("p%23w"));
    }
}

#[test]
fn what_protects_a_connection_is_read_from_the_url() {
    let text = "mysql://zoe@db/zoe?ssl-mode=verify-identity&ssl-ca=ca.pem&ssl-cert=/c.pem&ssl-key=~/k.pem&socket=s";
    let Database::Mysql(url) = given(text).database().unwrap() else {
        panic!("{text}")
    };
    assert_eq!(url.tls, crate::config::TlsMode::VerifyIdentity);
    let files = [url.ca, url.certificate, url.key, url.socket].map(Option::unwrap);
    let expected = ["/base/ca.pem", "/c.pem", "/home/ada/k.pem", "/base/s"];
    assert_eq!(files, expected.map(std::path::PathBuf::from));
}

#[test]
fn refused_database_urls_keep_their_password() {
    let mut seen = Vec::new();
    for text in [
        "postgres://zoe:hunter2@db/zoe",
        "hunter2",
        "sqlite::memory:",
        "sqlite:/z.db?mode=ro",
        "mysql:hunter2",
        "mysql://zoe:hunter2@db",
        "mysql://zoe:hunter2@db/a/b",
        "mysql://zoe:h#unter2@db/zoe",
        "mysql://zoe:12#hunter2@db/zoe",
        "mysql://zoe:12/hunter2@db/zoe",
        "mysql://zoe:12?hunter2@db/zoe",
        "mysql://zoe:hunter2@/zoe",
        "mysql://zoe:hunter2@db/zoe?hunter2",
        "mysql://zoe:hunter2@db/zoe?sslmode=REQUIRED",
        "mysql://zoe:hunter2@db/zoe?ssl-mode=on",
        "mysql://zoe:hunter2@db/zoe?ssl-mode=REQUIRED&ssl-ca=ca.pem",
        "mysql://zoe:hunter2@db/zoe?ssl-key=key.pem",
    ] {
        let error = given(text).database().unwrap_err();
        assert!(!error.contains("unter2"), "{error}");
        seen.push(format!(
            "{text}: {}",
            error.split(';').next().unwrap_or_default()
        ));
    }
    insta::assert_snapshot!(seen.join("\n"), @r"
    postgres://zoe:hunter2@db/zoe: it is no database that zoe knows
    hunter2: it is no database that zoe knows
    sqlite::memory:: a SQLite URL names one file and has no options
    sqlite:/z.db?mode=ro: a SQLite URL names one file and has no options
    mysql:hunter2: the URL names no host
    mysql://zoe:hunter2@db: the URL names no database
    mysql://zoe:hunter2@db/a/b: the URL's parts are not where they should be
    mysql://zoe:h#unter2@db/zoe: invalid port number
    mysql://zoe:12#hunter2@db/zoe: the URL's parts are not where they should be
    mysql://zoe:12/hunter2@db/zoe: the URL's parts are not where they should be
    mysql://zoe:12?hunter2@db/zoe: the URL's parts are not where they should be
    mysql://zoe:hunter2@/zoe: empty host
    mysql://zoe:hunter2@db/zoe?hunter2: the URL has an option that zoe does not know
    mysql://zoe:hunter2@db/zoe?sslmode=REQUIRED: the URL has an option that zoe does not know
    mysql://zoe:hunter2@db/zoe?ssl-mode=on: `on` is no ssl-mode
    mysql://zoe:hunter2@db/zoe?ssl-mode=REQUIRED&ssl-ca=ca.pem: `ssl-ca` is only looked at when the server is to be verified
    mysql://zoe:hunter2@db/zoe?ssl-key=key.pem: `ssl-cert` and `ssl-key` belong together
    ");
}

#[test]
fn refusals_say_what_to_write() {
    let mut seen = Vec::new();
    for text in ["2x", "-1", "0", "1.5", "999999999999", ""] {
        seen.push(given(text).seconds().unwrap_err());
    }
    seen.push(given("9999").hours().unwrap_err());
    seen.push(given("localhost").ip().unwrap_err());
    seen.push(
        given("Engine")
            .one_of(&[("auto", 0), ("engine", 1)])
            .unwrap_err(),
    );
    for text in [
        "https://r.example.com",
        "library",
        "r.example.com/Team",
        "r:x/y",
        "r.example.com//x",
        "r:5000:1",
    ] {
        seen.push(given(text).registry().unwrap_err());
    }
    for text in ["http://h", "h/x", "h:99999", "a\u{1b}[31m"] {
        seen.push(given(text).host().unwrap_err());
    }
    seen.push(given("h:25").host_only().unwrap_err());
    for text in ["proxy", "/", "/a/../b", "/a b", "/<Location>"] {
        seen.push(given(text).url_path().unwrap_err());
    }
    for text in ["/proxy", "/a/history/b", &format!("/{}", "x".repeat(100))] {
        seen.push(given(text).proxy_prefix().unwrap_err());
    }
    for text in ["*", "*.", "a.*.b", "*.*.b", "*.h/<x>", "https://h"] {
        seen.push(given(text).web_server().unwrap_err());
    }
    for text in ["me", "@h", "a<b@h", "a@b@c", "a\nb@h"] {
        seen.push(given(text).mail_address().unwrap_err());
    }
    seen.push(given("My Team").deployment().unwrap_err());
    insta::assert_snapshot!(seen.join("\n"), @r"
    `2x` is no whole number from 1 to 86400; it is a time in seconds
    `-1` is no whole number from 1 to 86400; it is a time in seconds
    `0` is no whole number from 1 to 86400; it is a time in seconds
    `1.5` is no whole number from 1 to 86400; it is a time in seconds
    `999999999999` is no whole number from 1 to 86400; it is a time in seconds
    `` is no whole number from 1 to 86400; it is a time in seconds
    `9999` is no whole number from 0 to 8784; it is a time in hours, 0 for never
    `localhost` is no IP address; write 127.0.0.1 for this machine only, 0.0.0.0 for all
    `Engine` is none of auto, engine
    `https://r.example.com` is no registry; write `host:port` or `host.domain/path`, without `https://`, or leave it empty for Docker Hub
    `library` is no registry; write `host:port` or `host.domain/path`, without `https://`, or leave it empty for Docker Hub
    `r.example.com/Team` is no registry; write `host:port` or `host.domain/path`, without `https://`, or leave it empty for Docker Hub
    `r:x/y` is no registry; write `host:port` or `host.domain/path`, without `https://`, or leave it empty for Docker Hub
    `r.example.com//x` is no registry; write `host:port` or `host.domain/path`, without `https://`, or leave it empty for Docker Hub
    `r:5000:1` is no registry; write `host:port` or `host.domain/path`, without `https://`, or leave it empty for Docker Hub
    `http://h` is no host name; write `host` or `host:port`, without `http://` and without a path
    `h/x` is no host name; write `host` or `host:port`, without `http://` and without a path
    `h:99999` is no host name; write `host` or `host:port`, without `http://` and without a path
    `a\u{1b}[31m` is no host name; write `host` or `host:port`, without `http://` and without a path
    `h:25` is no host name; the port is a key of its own
    `proxy` is no path of a URL; write for example `/zoe`
    `/` is no path of a URL; write for example `/zoe`
    `/a/../b` is no path of a URL; write for example `/zoe`
    `/a b` is no path of a URL; write for example `/zoe`
    `/<Location>` is no path of a URL; write for example `/zoe`
    `/proxy` can't be it: Spark's pages take the parts `proxy` and `history` of a path for their own; write for example `/zoe`
    `/a/history/b` can't be it: Spark's pages take the parts `proxy` and `history` of a path for their own; write for example `/zoe`
    `/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` is longer than 100 characters
    `*` is no name of a web server; write `host`, `host:port`, or `*.domain` for a name for each execution, without `http://` and without a path
    `*.` is no name of a web server; write `host`, `host:port`, or `*.domain` for a name for each execution, without `http://` and without a path
    `a.*.b` is no name of a web server; write `host`, `host:port`, or `*.domain` for a name for each execution, without `http://` and without a path
    `*.*.b` is no name of a web server; write `host`, `host:port`, or `*.domain` for a name for each execution, without `http://` and without a path
    `*.h/<x>` is no name of a web server; write `host`, `host:port`, or `*.domain` for a name for each execution, without `http://` and without a path
    `https://h` is no name of a web server; write `host`, `host:port`, or `*.domain` for a name for each execution, without `http://` and without a path
    `me` is no mail address; write `name@host`
    `@h` is no mail address; write `name@host`
    `a<b@h` is no mail address; write `name@host`
    `a@b@c` is no mail address; write `name@host`
    `a\nb@h` is no mail address; write `name@host`
    the deployment 'My Team' is not allowed: use at most 20 of a–z, 0–9 and '-', a letter or digit at both ends
    ");
}

#[test]
fn accepted() {
    assert_eq!(given("0").hours(), Ok(None));
    assert_eq!(given("2").hours(), Ok(Some(Duration::from_hours(2))));
    for text in [
        "10.1.0.1:5000",
        "localhost",
        "registry.example.com/team/x",
        "localhost:5000",
    ] {
        assert_eq!(given(text).registry(), Ok(text.to_owned()));
    }
    assert_eq!(
        given("10.1.0.1:5000/").registry(),
        Ok("10.1.0.1:5000".to_owned())
    );
    assert_eq!(given("/proxy/").url_path(), Ok("/proxy".to_owned()));
    assert_eq!(given("/a/zoe/").proxy_prefix(), Ok("/a/zoe".to_owned()));
    for name in ["zoe.example.org:8443", "*.zoe.example.org:8443"] {
        assert_eq!(given(name).web_server(), Ok(name.to_owned()));
    }
    assert_eq!(
        given("web.example.com:8080").host(),
        Ok("web.example.com:8080".to_owned())
    );
    assert_eq!(
        given("zoe+x@example.com").mail_address(),
        Ok("zoe+x@example.com".to_owned())
    );
    assert_eq!(
        given("").path_or_data("history"),
        Ok("/data/zoe/history".into())
    );
}

proptest! {
    #[test]
    fn nothing_panics(text in "\\PC{0,60}|(mysql|sqlite|memory|tcp)(:|://)[ -~]{0,30}") {
        let _ = given(&text).database();
        let _ = given(&text).registry();
        let _ = given(&text).docker_url();
        let _ = given(&text).url_path();
        let _ = given(&text).mail_address();
        let _ = given(&text).host();
        let _ = given(&text).deployment();
        let _ = given(&text).path();
    }

    #[test]
    fn a_password_is_never_shown(password in "[a-zA-Z0-9#/?@:%]{6,12}") {
        let text = format!("mysql://u:{password}@h.example/d");
        match given(&text).database() {
            Ok(database) => {
                let seen = format!("{database} {database:?}");
                prop_assert!(!seen.contains(&password), "{}", seen);
            }
            Err(error) => prop_assert!(!error.contains(&password)),
        }
    }

    #[test]
    fn every_user_has_a_deployment(user in "\\PC{0,40}") {
        prop_assert!(deployment_of_user(&user).is_ok());
    }
}
