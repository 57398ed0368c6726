//! The server of a `MariaDB`: killed and back, reached with TLS and with each way to give a password, and what is said when it refuses.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use jiff::SignedDuration;
use zoe::config::Db;
use zoe::model::Secret;
use zoe::store::{Lease, StoreError};

use crate::mariadb::{MariaDb, PASSWORD};
use crate::{configured, deployment, id, record};

/// Why it can't be opened, without what differs each time.
async fn refusal(server: &MariaDb, db: &Db) -> String {
    let Err(error) = zoe::store::open(db).await else {
        panic!("{db:?} was opened");
    };
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    let all = format!("{error} {error:?} {db:?}");
    assert!(!all.contains("s3cret"), "{all}");
    let directory = server.path("").display().to_string();
    error
        .to_string()
        .replace(&server.port().to_string(), "PORT")
        .replace(&directory, "DIR/")
}

#[tokio::test]
async fn a_server_that_is_killed_is_an_error_and_then_all_goes_on() {
    let mut server = MariaDb::start();
    let database = server.create();
    let db = configured(&server.url(&database));
    let store = zoe::store::open(&db).await.unwrap();
    let length = SignedDuration::from_secs(60);
    let mine = deployment();
    for n in 0..3 {
        store.record(&deployment(), &record(n)).await.unwrap();
        let lease = store.lease(&mine, "a", crate::at(0), length, None);
        assert!(matches!(lease.await.unwrap(), Lease::Held { .. }));
        server.kill();
        for error in [
            store.record(&deployment(), &record(77)).await.unwrap_err(),
            store.get(&deployment(), id(0)).await.unwrap_err(),
            store
                .lease(&deployment(), "b", crate::at(1), length, None)
                .await
                .unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(
                text.contains("nothing answers there (connection refused)"),
                "{text}"
            );
            assert!(text.contains("mysql://zoe:***@127.0.0.1"), "{text}");
        }
        server.again();
        // The same handle, and who had the lease has it still.
        let lease = store.lease(&mine, "b", crate::at(1), length, None);
        assert!(matches!(lease.await.unwrap(), Lease::Taken { holder, .. } if holder == "a"));
        assert!(store.get(&deployment(), id(n)).await.unwrap().is_some());
        assert_eq!(store.get(&deployment(), id(77)).await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_under_many_writers_loses_nothing_that_was_acknowledged() {
    let mut server = MariaDb::start();
    let database = server.create();
    let store = zoe::store::open(&configured(&server.url(&database)))
        .await
        .unwrap();
    let mut writers = Vec::new();
    for n in 0..8 {
        let store = Arc::clone(&store);
        writers.push(tokio::spawn(async move {
            let mut written = Vec::new();
            for m in 0..1_000_000 {
                let one = record(n * 1_000_000 + m);
                match store.record(&deployment(), &one).await {
                    Ok(()) => written.push(one.id),
                    Err(_) => break,
                }
            }
            written
        }));
    }
    let enough = || server.sql(&format!("SELECT COUNT(*) > 200 FROM {database}.executions")) == "1";
    while !enough() {}
    server.kill();
    let mut written = Vec::new();
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    server.again();
    let found = store.get_all(&deployment(), &written).await.unwrap();
    assert_eq!(found.len(), written.len());
    assert!(written.len() > 200);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_made_again_unseen() {
    let server = MariaDb::start();
    let database = server.create();
    let store = zoe::store::open(&configured(&server.url(&database)))
        .await
        .unwrap();
    store.record(&deployment(), &record(1)).await.unwrap();
    let mine = "SELECT GROUP_CONCAT(ID) FROM information_schema.PROCESSLIST WHERE USER = 'zoe'";
    for id in server.sql(mine).split(',') {
        server.sql(&format!("KILL {id}"));
    }
    store.record(&deployment(), &record(2)).await.unwrap();
    assert!(store.get(&deployment(), id(2)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_password_comes_from_the_url_a_file_or_by_itself() {
    let server = MariaDb::start();
    let database = server.create();
    let file = server.path("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let without = configured(&server.url_without(&database));
    zoe::store::open(&configured(&server.url(&database)))
        .await
        .unwrap();
    let with_file = Db {
        password_file: Some(file.clone()),
        ..without.clone()
    };
    zoe::store::open(&with_file).await.unwrap();
    let alone = Db {
        password: Some(Secret::new(PASSWORD)),
        // It goes before the others.
        password_file: Some("/nowhere".into()),
        ..configured(&server.url(&database).replace("s3cret", "other"))
    };
    zoe::store::open(&alone).await.unwrap();

    let wrong = Db {
        password: Some(Secret::new("s3cret-but-wrong")),
        ..without.clone()
    };
    insta::assert_snapshot!(refusal(&server, &wrong).await, @"cannot open the database mysql://zoe@127.0.0.1:PORT/zoe0: the server does not let this user in (Access denied for user 'zoe'@'127.0.0.1' (using password: YES))");
    insta::assert_snapshot!(refusal(&server, &without).await, @"cannot open the database mysql://zoe@127.0.0.1:PORT/zoe0: the server does not let this user in (Access denied for user 'zoe'@'127.0.0.1' (using password: NO))");
    let missing = Db {
        password_file: Some("/nowhere/password".into()),
        ..without
    };
    insta::assert_snapshot!(refusal(&server, &missing).await, @"cannot open the database mysql://zoe@127.0.0.1:PORT/zoe0: its password file /nowhere/password cannot be read (No such file or directory (os error 2))");
}

#[tokio::test]
async fn what_the_server_refuses_gets_a_sentence() {
    let mut server = MariaDb::start();
    let none = configured(&server.url(&server.name()));
    insta::assert_snapshot!(refusal(&server, &none).await, @"cannot open the database mysql://zoe:***@127.0.0.1:PORT/zoe0: there is no such database; `zoe db init` makes it");
    let other = configured(&server.url("other"));
    insta::assert_snapshot!(refusal(&server, &other).await, @"cannot open the database mysql://zoe:***@127.0.0.1:PORT/other: this user may not do that (Access denied for user 'zoe'@'%' to database 'other')");
    assert!(zoe::store::init(&other).await.is_err());
    // Who may make it makes it.
    let change = zoe::store::init(&none).await.unwrap();
    assert_eq!((change.before, change.after), (0, crate::schema::known()));

    server.sql("CREATE DATABASE poor; GRANT SELECT, INSERT ON poor.* TO zoe@'%'");
    let poor = configured(&server.url("poor"));
    insta::assert_snapshot!(refusal(&server, &poor).await, @"cannot open the database mysql://zoe:***@127.0.0.1:PORT/poor: this user may not do that (CREATE command denied to user 'zoe'@'127.0.0.1' for table `poor`.`zoe_schema`)");
    server.kill();
    insta::assert_snapshot!(refusal(&server, &none).await, @"cannot open the database mysql://zoe:***@127.0.0.1:PORT/zoe0: nothing answers there (connection refused)");
}

/// An authority and a certificate of its for this address, in the server's directory.
fn certificates(directory: &Path) {
    let make = |args: &[&str]| {
        let ran = Command::new("openssl")
            .args(args)
            .current_dir(directory)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{ran:?}");
    };
    let new = ["-newkey", "rsa:2048", "-nodes", "-days", "2"];
    make(
        &[
            &[
                "req",
                "-x509",
                "-keyout",
                "ca.key",
                "-out",
                "ca.pem",
                "-subj",
                "/CN=authority",
            ][..],
            &new,
        ]
        .concat(),
    );
    make(
        &[
            &[
                "req", "-x509", "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=db",
            ][..],
            &[
                "-CA",
                "ca.pem",
                "-CAkey",
                "ca.key",
                "-addext",
                "subjectAltName=DNS:db,DNS:localhost",
            ],
            &["-addext", "basicConstraints=critical,CA:FALSE"],
            &new,
        ]
        .concat(),
    );
}

#[tokio::test]
async fn tls_is_as_the_mode_says() {
    let server = MariaDb::start_with(|directory| {
        certificates(directory);
        let file = |name: &str| directory.join(name).display().to_string();
        vec![
            format!("--ssl-cert={}", file("cert.pem")),
            format!("--ssl-key={}", file("key.pem")),
        ]
    });
    let database = server.create();
    let ca = server.path("ca.pem").display().to_string();
    let with = |options: &str| configured(&format!("{}?{options}", server.url(&database)));
    let by_name = |options: &str| {
        configured(
            &format!("{}?{options}", server.url(&database)).replace("127.0.0.1", "localhost"),
        )
    };
    for (db, has_tls) in [
        (with("ssl-mode=DISABLED"), false),
        (with("ssl-mode=preferred"), true),
        (with("ssl-mode=REQUIRED"), true),
        (with(&format!("ssl-mode=VERIFY_CA&ssl-ca={ca}")), true),
        (
            by_name(&format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={ca}")),
            true,
        ),
        (with(&format!("ssl-mode=verify-ca&ssl-ca={ca}")), true),
        (
            by_name(&format!("ssl-mode=verify-identity&ssl-ca={ca}")),
            true,
        ),
    ] {
        zoe::store::open(&db).await.unwrap();
        let standing = zoe::store::standing(&db).await.unwrap();
        assert_eq!(standing.tls.is_some(), has_tls, "{db:?}: {standing:?}");
        assert!(standing.tls.is_none_or(|tls| tls.starts_with("TLSv1.")));
    }
    insta::assert_snapshot!(refusal(&server, &with("ssl-mode=VERIFY_CA")).await, @"cannot open the database mysql://zoe:***@127.0.0.1:PORT/zoe0?ssl-mode=VERIFY_CA: the connection failed (invalid peer certificate: UnknownIssuer)");
    let identity = with(&format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={ca}"));
    insta::assert_snapshot!(refusal(&server, &identity).await, @"cannot open the database mysql://zoe:***@127.0.0.1:PORT/zoe0?ssl-mode=VERIFY_IDENTITY&ssl-ca=DIR/ca.pem: the connection failed (invalid peer certificate: certificate not valid for name \"127.0.0.1\"; certificate is only valid for DnsName(\"db\") or DnsName(\"localhost\"))");
    let nowhere = with("ssl-mode=VERIFY_CA&ssl-ca=/nowhere/ca.pem");
    insta::assert_snapshot!(refusal(&server, &nowhere).await, @"cannot open the database mysql://zoe:***@127.0.0.1:PORT/zoe0?ssl-mode=VERIFY_CA&ssl-ca=/nowhere/ca.pem: /nowhere/ca.pem cannot be read (No such file or directory (os error 2))");
    server.sql("ALTER USER zoe@'%' REQUIRE SSL");
    let refused = refusal(&server, &with("ssl-mode=DISABLED")).await;
    assert!(refused.contains("does not let this user in"), "{refused}");

    let plain = MariaDb::start();
    let db = configured(&format!("{}?ssl-mode=REQUIRED", plain.url(&plain.create())));
    insta::assert_snapshot!(refusal(&plain, &db).await, @"cannot open the database mysql://zoe:***@127.0.0.1:PORT/zoe0?ssl-mode=REQUIRED: TLS failed (server does not support TLS)");
}

/// A file takes any text; what a server has no room for is told with its line.
#[tokio::test]
async fn a_name_that_is_too_long_for_a_server_is_named_by_its_line() {
    let file = crate::Site::sqlite();
    let store = file.open().await;
    for n in 0..3 {
        let mut one = record(n);
        if n == 2 {
            one.user = "u".repeat(400);
        }
        store.record(&deployment(), &one).await.unwrap();
    }
    let mut out = Vec::new();
    zoe::store::export(&file.db, &mut out).await.unwrap();
    let site = crate::Site::mariadb();
    let error = zoe::store::import(&site.db, &mut out.as_slice()).await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, StoreError::Import { line: 4, .. }),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("Data too long for column 'user_name'"),
        "{error}"
    );
}
