//! Labels: nothing is lost, nothing is guessed, nothing panics.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use zoe::labels::{self, Decoded, LabelError};
use zoe::model::{Bytes, Cores, Deployment, ExecutionId, InstanceKey, Mark, Resources};

use crate::any;

fn seen(labels: BTreeMap<String, String>) -> HashMap<String, String> {
    let other = ("maintainer".to_owned(), "somebody".to_owned());
    labels.into_iter().chain([other]).collect()
}

fn deployment() -> Deployment {
    "prod-1".parse().unwrap()
}

/// A bit of everything that a label of ours may be mistaken for.
fn garbage() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9]{0,25}",
        "ticket|instance|network|image|builder|service",
        Just("1".to_owned()),
        Just("true".to_owned()),
        Just("abcdefgh".to_owned()),
        Just("2026-11-22T10:00:00Z".to_owned()),
        Just("-PT1H".to_owned()),
        Just(r#"{"schema":1,"name":"x","component":[{"name":"a","image":"i","cores":1,"memory":"1g"}]}"#.to_owned()),
        Just(r#"{"schema":1,"component":[{"name":1}]}"#.to_owned()),
    ]
}

const KEYS: [&str; 18] = [
    labels::DEPLOYMENT,
    labels::EXECUTION,
    labels::KIND,
    labels::SCHEMA,
    labels::COMPONENT,
    labels::INDEX,
    labels::CORES,
    labels::MEMORY,
    labels::NAME,
    labels::CLAIMED,
    labels::USER,
    labels::SUBMITTED,
    labels::KEY,
    labels::TIMEOUT,
    labels::JOB_IMAGE,
    labels::REGISTRY,
    labels::APPLICATION,
    labels::MARK,
];

proptest! {
    #[test]
    fn a_ticket_comes_back_whole(ticket in any::ticket()) {
        let decoded = labels::decode(&seen(labels::ticket(&ticket)));
        let expected = (ticket.deployment.clone(), Decoded::Ticket(Box::new(ticket)));
        prop_assert_eq!(decoded, Some(Ok(expected)));
    }

    #[test]
    fn an_instance_comes_back_whole(id: u64, component in "[a-z]{1,24}", index: u32, cores in 0..=1_000_000_000_u64, memory in 0..=1_u64 << 60) {
        let key = InstanceKey {
            execution: ExecutionId::from_bits(id),
            component: component.parse().unwrap(),
            index,
        };
        let reservation = Resources { cores: Cores::from_millis(cores), memory: Bytes::new(memory) };
        let decoded = labels::decode(&seen(labels::instance(&deployment(), &key, reservation)));
        prop_assert_eq!(decoded, Some(Ok((deployment(), Decoded::Instance { key, reservation }))));
    }

    #[test]
    fn garbage_is_a_sentence(pairs in proptest::collection::hash_map(prop::sample::select(&KEYS[..]), garbage(), 1..18)) {
        let labels = pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        if let Some(Err(error)) = labels::decode(&labels) {
            let sentence = error.to_string();
            prop_assert!(sentence.len() > 10);
            prop_assert!(!sentence.contains(|c: char| c.is_control() && c != '\n'), "{sentence:?}");
        }
    }

    #[test]
    fn one_wrong_label_is_named(ticket in any::ticket(), key in prop::sample::select(&KEYS[..]), value in garbage()) {
        let mut labels = seen(labels::ticket(&ticket));
        labels.insert(key.to_owned(), value);
        match labels::decode(&labels).unwrap() {
            // What is good in a ticket, or is no part of one, is no error.
            Ok((_, Decoded::Ticket(decoded))) => prop_assert_eq!(decoded.id.to_string(), labels[labels::EXECUTION].as_str()),
            Ok(_) => prop_assert_eq!(key, labels::KIND),
            Err(LabelError::Schema { .. }) => prop_assert_eq!(key, labels::SCHEMA),
            Err(error) => prop_assert!(error.to_string().contains("zoe."), "{}", error),
        }
    }
}

#[test]
fn marks_come_back() {
    let marked = |text: &str| HashMap::from([(labels::MARK.to_owned(), text.to_owned())]);
    for mark in [
        Mark::Ending,
        Mark::Cancelled,
        Mark::TimedOut,
        Mark::Failed,
        Mark::Lost,
    ] {
        assert_eq!(
            labels::mark(&marked(labels::mark_text(mark))),
            Ok(Some(mark))
        );
    }
    assert_eq!(labels::mark(&HashMap::new()), Ok(None));
    assert!(labels::mark(&marked("someday")).is_err());
}

#[test]
fn the_small_ones_come_back_whole() {
    let execution = ExecutionId::from_bits(7);
    let d = deployment();
    for (labels, expected) in [
        (
            labels::network(&d, execution),
            Decoded::Network { execution },
        ),
        (labels::secret(&d, execution), Decoded::Secret { execution }),
        (labels::image(&d), Decoded::Image),
        (labels::builder(&d), Decoded::Builder),
    ] {
        assert_eq!(
            labels::decode(&seen(labels)),
            Some(Ok((d.clone(), expected)))
        );
    }
    assert_eq!(labels::decode(&seen(BTreeMap::new())), None);
}

/// What history could not keep, or not add up, is nothing of zoe's.
#[test]
fn what_is_too_much_is_not_read() {
    let key = InstanceKey {
        execution: ExecutionId::from_bits(7),
        component: "main".parse().unwrap(),
        index: 0,
    };
    let instance = |label: &str, value: u64| {
        let mut labels = seen(labels::instance(&deployment(), &key, Resources::ZERO));
        labels.insert(label.to_owned(), value.to_string());
        labels::decode(&labels)
            .unwrap()
            .map_err(|error| error.to_string())
    };
    for (label, most) in [(labels::CORES, 1_000_000_000), (labels::MEMORY, 1 << 60)] {
        assert!(instance(label, most).is_ok());
        for more in [most + 1, u64::MAX] {
            let error = instance(label, more).unwrap_err();
            assert_eq!(
                error,
                format!("the label {label} holds '{more}': no machine has as much")
            );
        }
    }
    let mut ticket = any_ticket();
    let mut of_user = |user: String| {
        ticket.user = user;
        labels::decode(&seen(labels::ticket(&ticket))).unwrap()
    };
    assert!(of_user("é".repeat(labels::LONGEST_USER)).is_ok());
    let error = of_user("é".repeat(400)).unwrap_err().to_string();
    assert!(error.contains("more than 255 characters"), "{error}");
}

fn any_ticket() -> zoe::model::Ticket {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    any::ticket().new_tree(&mut runner).unwrap().current()
}

#[test]
fn what_is_wrong_is_said() {
    let said = |key: &str, value: Option<&str>| {
        let mut labels = seen(labels::network(&deployment(), ExecutionId::from_bits(7)));
        labels.remove(key);
        labels.extend(value.map(|value| (key.to_owned(), value.to_owned())));
        labels::decode(&labels).unwrap().unwrap_err().to_string()
    };
    let all = [
        said("zoe.schema", Some("2")),
        said("zoe.schema", None),
        said("zoe.kind", Some("volume")),
        said("zoe.execution", Some("x\u{1b}[31m")),
        said("zoe.deployment", Some("Ours")),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
the labels are of schema '2' and this zoe reads 1; use the zoe that made them
the label zoe.schema is missing
the label zoe.kind holds 'volume': it is none of ticket, instance, network, secret, image and builder
the label zoe.execution holds 'x\u{1b}[31m': 'x\u{1b}[31m' is not an execution id; it has 8 characters, a–z and 2–7, the first a letter
the label zoe.deployment holds 'Ours': the deployment 'Ours' is not allowed: use at most 20 of a–z, 0–9 and '-', a letter or digit at both ends
"#);
}
