//! An Apache that speaks TLS, before real containers: what `zoe proxy check` says of it, and where redirects lead.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::common::apache::Apache;
use crate::common::docker::Deployment;
use crate::common::{Ran, TestEnv};
use crate::engine::PAGES;

/// An authority of our own and what it has signed for `localhost`, as files in `directory`.
fn certificates(directory: &Path) {
    let openssl = |name: &str, more: &[&str]| {
        let made = Command::new("openssl")
            .current_dir(directory)
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            ])
            .args([
                "-keyout",
                &format!("{name}.key"),
                "-out",
                &format!("{name}.pem"),
            ])
            .args(more)
            .output()
            .expect("this test needs openssl (apt-get install openssl)");
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{said}");
    };
    openssl("ca", &["-subj", "/CN=an authority of a test"]);
    let signed = [
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-subj",
        "/CN=localhost",
    ];
    let server = ["-addext", "subjectAltName=DNS:localhost"];
    let not_one_itself = ["-addext", "basicConstraints=critical,CA:FALSE"];
    openssl("server", &[&signed[..], &server, &not_one_itself].concat());
}

/// The virtual host, with this certificate instead of Debian's.
fn with_certificate(virtual_host: &str, directory: &Path) -> String {
    let own = |extension: &str| {
        let file = directory.join("server").with_extension(extension);
        file.into_os_string().into_string().unwrap()
    };
    let changed = virtual_host
        .replace("/etc/ssl/certs/ssl-cert-snakeoil.pem", &own("pem"))
        .replace("/etc/ssl/private/ssl-cert-snakeoil.key", &own("key"));
    assert!(
        changed.contains(&own("pem")) && changed.contains(&own("key")),
        "{changed}"
    );
    format!("LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n{changed}")
}

#[test]
fn over_tls_on_the_engine() {
    let env = TestEnv::new();
    env.write("pages.toml", PAGES);
    let deployment = Deployment::new();
    let mut apache = Apache::new();
    let (name, routes) = (apache.name(), apache.routes());
    let keys = env.path("data");
    certificates(&keys);
    let trusting = |authority: &str, arguments: &[&str]| {
        let mut command = env.bare();
        command
            .env("ZOE_DEPLOYMENT", &deployment.name)
            .env("ZOE_APACHE_WEB_SERVER_NAME", &name)
            .env("ZOE_APACHE_WEB_SERVER_SCHEME", "https")
            .env("ZOE_APACHE_PROXY_CONFIG_FILE", &routes)
            .env("SSL_CERT_FILE", keys.join(authority));
        Ran::command(command.args(arguments))
    };
    let zoe = |arguments: &[&str]| trusting("ca.pem", arguments).expect(0);
    zoe(&["proxy", "sync"]);
    apache.start(&with_certificate(&zoe(&["proxy", "setup"]), &keys));
    zoe(&["proxy", "check"]);
    let id = zoe(&["run", "pages.toml", "-d"]);
    let id = id.trim();
    zoe(&["wait", "--for", "running", id]);
    let checked: Value = serde_json::from_str(&zoe(&["proxy", "check", "-o", "json"])).unwrap();
    let served = |name: &str| {
        let mut routes = checked["routes"].as_array().unwrap().iter();
        routes.find(|route| route["name"] == name).unwrap().clone()
    };
    for name in ["told/web", "plain-0/web", "plain-1/web"] {
        let route = served(name);
        assert_eq!(
            (&route["status"], &route["problem"]),
            (&200.into(), &Value::Null)
        );
    }
    // A server that knows nothing of TLS redirects, and it stays TLS.
    let plain = zoe(&["open", id, "plain-0/web"]);
    assert!(
        plain.starts_with(&format!("https://{name}/zoe/")),
        "{plain}"
    );
    let followed = Command::new("curl")
        .args([
            "-fsSL",
            "--proto",
            "=https",
            "-w",
            "%{url_effective}",
            "--cacert",
        ])
        .arg(keys.join("ca.pem"))
        .arg(format!("{}sub", plain.trim()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&followed.stdout).into_owned();
    assert_eq!(said, format!("below\n{}sub/", plain.trim()), "{followed:?}");
    // Whose certificate nobody vouches for is not asked.
    let ran = trusting("server.pem", &["proxy", "check"]);
    let said = ran.expect_error(1);
    assert!(said.contains("certificate"), "{said}");
    zoe(&["kill", id]);
    assert_eq!(deployment.left(), Vec::<String>::new());
}
