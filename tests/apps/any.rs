//! Arbitrary valid values, with texts as hostile as they may be.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use zoe::model::{
    Activity, Application, ArrayPlace, Bytes, Component, Cores, Dependency, ExecutionId,
    IdleTimeout, MailOn, Overhead, Port, PortName, Protocol, ProxyPath, Ready, RequiredEnd,
    Retries, Terms, Threshold, Ticket, Volume,
};

/// Any text without NUL, its dollar signs doubled.
fn text() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|s| s.replace('\0', "\u{1}").replace('$', "$$"))
}

fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map("[A-Za-z_][A-Za-z0-9_]{0,6}", text(), 0..3)
}

fn volumes() -> impl Strategy<Value = Vec<Volume>> {
    let volume = (
        "(/[a-z ü\"']{1,5}){1,2}|[a-z0-9][a-z0-9._-]{1,5}",
        "/[a-z ü]{1,4}",
        any::<bool>(),
        option::of(any::<u32>()),
    );
    vec(volume, 0..3).prop_map(|list| {
        let numbered = list.into_iter().enumerate();
        numbered
            .map(|(i, (source, target, read_only, group))| Volume {
                source,
                target: format!("{target}{i}"),
                read_only,
                group,
            })
            .collect()
    })
}

fn ports() -> impl Strategy<Value = Vec<Port>> {
    let query = option::of("[a-z]{1,5}=[a-zü&=%\"]{0,9}(\\$\\{secret\\.one\\})?");
    let port = (
        any::<bool>(),
        "(/[a-zü\"'%]{0,5}){1,3}",
        query,
        any::<bool>(),
    );
    vec(port, 0..4).prop_map(|list| {
        (1u16..)
            .zip(list)
            .map(|(i, (http, path, query, proxy))| Port {
                name: format!("p{i}"),
                container: i * 7919,
                protocol: if http { Protocol::Http } else { Protocol::Tcp },
                path,
                query,
                base_path: http && proxy && i % 2 == 0,
                proxy,
            })
            .collect()
    })
}

type Ask = (String, Option<(String, String)>);

fn ask() -> impl Strategy<Value = Option<Ask>> {
    let at_least = prop_oneof![
        any::<u64>().prop_map(|n| n.to_string()),
        Just("${self.core}".to_owned()),
        Just("${c0.memory.bytes}".to_owned()),
    ];
    option::of((
        "/[a-z?=]{0,5}",
        option::of(("(/[a-z~ü ]{0,5}){0,2}", at_least)),
    ))
}

fn component() -> impl Strategy<Value = Component> {
    let image = "([a-z0-9]{1,8}(:[0-9]{1,5})?/)?[a-z0-9]{1,8}(:[A-Za-z0-9]{1,5})?";
    let sizes = (
        10..u64::MAX,
        (6u64 << 20)..u64::MAX,
        any::<u32>(),
        any::<u64>(),
    );
    let command = option::of(vec(text(), 1..4));
    let secrets = prop::sample::subsequence(vec!["one".to_owned(), "two".to_owned()], 0..=2);
    let placement = btree_map("[^\\p{Cc}]{1,5}", "[^\\p{Cc}]{0,5}", 0..2);
    let rest = (any::<bool>(), ports(), ask(), placement);
    (
        image,
        1..1000u32,
        0..1000u32,
        sizes,
        command,
        texts(),
        secrets,
        volumes(),
        rest,
    )
        .prop_map(
            |(image, core, elastic, sizes, command, env, secrets, volumes, rest)| {
                let (cores, memory, percent, at_least) = sizes;
                let (_, ports, ask, placement) = rest;
                let http = ports.iter().find(|p| p.protocol == Protocol::Http);
                let ready = ask.zip(http).map(|((path, threshold), port)| Ready {
                    port: port.name.clone(),
                    path,
                    threshold: threshold.map(|(pointer, at_least)| Threshold { pointer, at_least }),
                });
                Component {
                    name: "c0".parse().unwrap(),
                    image,
                    core,
                    elastic,
                    replaceable: rest.0,
                    cores: Cores::from_millis(cores),
                    memory: Bytes::new(memory),
                    overhead: Overhead {
                        percent,
                        at_least: Bytes::new(at_least),
                    },
                    command,
                    env,
                    secrets,
                    volumes,
                    files: rest.0.then(|| "/opt/zoe/jöb".to_owned()),
                    ports,
                    ready,
                    placement,
                }
            },
        )
}

/// Any valid application.
pub fn application() -> impl Strategy<Value = Application> {
    let name = "[a-z0-9]([a-z0-9._-]{0,20}[a-z0-9])?";
    let activity = option::of((idle_timeout(), any::<bool>(), any::<bool>()));
    let rest = (any::<bool>(), activity);
    (name, "\\PC{0,40}", rest, vec(component(), 1..4)).prop_map(
        |(name, description, (monitored, activity), mut components)| {
            let image = components[0].image.clone();
            for (i, component) in components.iter_mut().enumerate() {
                component.name = format!("c{i}").parse().unwrap();
                component.image.clone_from(&image);
                // A monitor cannot be.
                component.replaceable &= !monitored || i > 0;
            }
            let http = components.iter().find_map(|component| {
                let mut ports = component.ports.iter();
                let port = ports.find(|port| port.protocol == Protocol::Http)?;
                Some(PortName {
                    component: component.name.clone(),
                    port: port.name.clone(),
                })
            });
            let activity = activity.map(|(idle_timeout, jupyter, requests)| Activity {
                idle_timeout,
                jupyter: http.clone().filter(|_| jupyter),
                http: requests || http.is_none(),
                driver: http.clone().filter(|_| !jupyter),
                spark: http,
            });
            Application {
                name,
                activity,
                description,
                monitor: monitored.then(|| "c0".parse().unwrap()),
                secrets: vec!["one".to_owned(), "two".to_owned()],
                components,
            }
        },
    )
}

/// Any valid ticket.
fn terms() -> impl Strategy<Value = Terms> {
    let after = vec((any::<u64>(), any::<bool>()), 0..4);
    let array = option::of((any::<u64>(), any::<u32>(), option::of(1..u32::MAX)));
    let retries = (
        any::<u32>(),
        proptest::collection::btree_set(any::<i64>(), 0..4),
    );
    let mail_on = option::of(proptest::sample::select(
        MailOn::NAMED.map(|(_, on)| on).to_vec(),
    ));
    let rest = (mail_on, idle_timeout());
    (any::<i32>(), after, array, retries, any::<bool>(), rest).prop_map(
        |(priority, after, array, (most, codes), held, (mail_on, idle_timeout))| Terms {
            priority,
            after: after
                .into_iter()
                .map(|(id, ok)| Dependency {
                    execution: ExecutionId::from_bits(id),
                    end: if ok {
                        RequiredEnd::Ok
                    } else {
                        RequiredEnd::Any
                    },
                })
                .collect(),
            array: array.map(|(id, index, at_once)| ArrayPlace {
                array: ExecutionId::from_bits(id),
                index,
                at_once,
            }),
            retries: Retries { most, codes },
            held,
            mail_on,
            idle_timeout,
        },
    )
}

fn idle_timeout() -> impl Strategy<Value = Option<IdleTimeout>> {
    let after = (1..3_155_760_000i64)
        .prop_map(|seconds| IdleTimeout::After(SignedDuration::from_secs(seconds)));
    option::of(prop_oneof![Just(IdleTimeout::Never), after])
}

pub fn ticket() -> impl Strategy<Value = Ticket> {
    let at = (
        Timestamp::MIN.as_second() + 1..Timestamp::MAX.as_second(),
        0..1_000_000_000i32,
    );
    let timeout = option::of((0..i64::MAX, 1..1_000_000_000i32));
    let name = "[a-z0-9]([a-z0-9._-]{0,38}[a-z0-9])?";
    let optional = (
        option::of(any::<String>()),
        timeout,
        option::of(any::<String>()),
        terms(),
    );
    let texts = (any::<String>(), any::<String>());
    (
        any::<u64>(),
        name,
        any::<bool>(),
        texts,
        application(),
        at,
        optional,
    )
        .prop_map(
            |(id, name, name_claimed, (user, registry), application, at, optional)| Ticket {
                id: ExecutionId::from_bits(id),
                deployment: "prod-1".parse().unwrap(),
                name: name.parse().unwrap(),
                name_claimed,
                user,
                application,
                submitted_at: Timestamp::new(at.0, at.1).unwrap(),
                key: optional.0,
                timeout: optional.1.map(|(s, n)| SignedDuration::new(s, n)),
                terms: optional.3,
                proxy: (id % 3 > 0).then(|| ProxyPath::new("/a/zoe", u128::from(id)).unwrap()),
                job_image: optional.2,
                registry,
            },
        )
}
