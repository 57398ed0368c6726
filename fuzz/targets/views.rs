//! Values to be shown, with texts from anywhere.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use zoe::model::{Bytes, Cores, ExecutionId, Quota, Resources};
use zoe::ops::accounts::UserView;
use zoe::ops::proxy::routes::RouteView;
use zoe::ops::view::{
    ActivityView, ComponentView, ContainerView, ExecutionView, NamedUrl, SignView, State, TermsView,
};
use zoe::output::{Look, pictures};
use zoe::store::{Cover, LetterState, Posted, Role, Sum};

/// Gives the next text.
pub type Texts<'a> = dyn FnMut() -> String + 'a;

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub fn look(columns: Option<u16>, color: bool) -> Look {
    Look {
        columns,
        color,
        header: true,
        now: at(100_000),
    }
}

/// What of it there is follows from the choice, and the texts from the input.
pub fn execution(choice: u8, text: &mut Texts<'_>) -> ExecutionView {
    let state = State::ALL[usize::from(choice) % State::ALL.len()];
    let component = |text: &mut Texts<'_>| ComponentView {
        name: text(),
        image: text(),
        wanted: 2,
        running: 1,
        cores: Cores::from_millis(500),
        memory: Bytes::from_mib(64),
    };
    let container = |text: &mut Texts<'_>| ContainerView {
        component: text(),
        index: 1,
        node: text(),
        container_id: text(),
        state: text(),
        exit_code: Some(3),
        address: None,
        note: (choice & 16 == 0).then(&mut *text),
    };
    ExecutionView {
        id: ExecutionId::from_bits(u64::from(choice)),
        name: text(),
        user: text(),
        application: text(),
        state,
        reason: (choice & 8 == 0).then(&mut *text),
        terms: TermsView {
            priority: -3,
            after: vec![text(), text()],
            array: Some((ExecutionId::from_bits(9), 4)),
            retries: 2,
            retry_on: Vec::new(),
            attempt: Some(1),
            held: true,
            time_limit: Some(SignedDuration::from_secs(77)),
            idle_timeout: Some("4h".to_owned()),
        },
        submitted_at: at(0),
        started_at: Some(at(60)),
        finished_at: state.is_over().then(|| at(120)),
        run_time: (choice & 2 == 0).then(|| SignedDuration::from_secs(30)),
        exit_code: state.is_over().then_some(3),
        urls: (0..choice & 3)
            .map(|_| NamedUrl {
                name: text(),
                url: text(),
            })
            .collect(),
        components: (0..2).map(|_| component(text)).collect(),
        containers: (0..choice & 3).map(|_| container(text)).collect(),
        activity: (choice & 32 == 0).then(|| activity(text)),
    }
}

fn activity(text: &mut Texts<'_>) -> ActivityView {
    ActivityView {
        idle_timeout: SignedDuration::from_secs(77),
        state: Some("idle".to_owned()),
        used_at: Some(at(70)),
        used_by: Some("jupyter".to_owned()),
        checked_at: Some(at(100)),
        warned_at: Some(at(90)),
        ends_at: Some(at(200_000)),
        warning_waits: true,
        kept_until: None,
        signs: vec![SignView {
            sign: "jupyter".to_owned(),
            state: "unreadable".to_owned(),
            used_at: None,
            text: text(),
        }],
    }
}

pub fn mail(choice: u8, text: &mut Texts<'_>) -> Posted {
    Posted {
        cover: Cover {
            id: text(),
            execution: ExecutionId::from_bits(1),
            kind: zoe::model::MailKind::Ended,
            user: text(),
            recipient: text(),
            message_id: text(),
            subject: text(),
            created_at: at(0),
        },
        state: if choice & 1 == 0 {
            LetterState::Waiting
        } else {
            LetterState::Failed
        },
        since: at(0),
        tries: 3,
        next_at: at(50),
        claim: None,
        last_error: Some(text()),
    }
}

pub fn user(text: &mut Texts<'_>) -> UserView {
    UserView {
        name: text(),
        is_entered: true,
        mail: Some(text()),
        mail_on: None,
        role: Role::User,
        quota: Quota::default(),
        running: 1,
        queued: 2,
        held: Resources::ZERO,
        used: 5,
        usage: 5,
    }
}

pub fn route(text: &mut Texts<'_>) -> RouteView {
    RouteView {
        execution: ExecutionId::from_bits(1),
        execution_name: text(),
        user: text(),
        name: text(),
        url: text(),
        upstream: "10.0.0.1:80".parse().unwrap(),
        published: Some(true),
    }
}

pub fn sum(text: &mut Texts<'_>) -> Sum {
    Sum {
        key: text(),
        executions: 3,
        failed: 1,
        core_time: 5_000_000_000,
        memory_time: 5_000_000_000,
    }
}

pub fn picture(text: &mut Texts<'_>) -> pictures::Row {
    let name = text();
    pictures::Row {
        id: text(),
        registry: BTreeMap::from([(name.clone(), "same")]),
        names: vec![name, text()],
        size: Bytes::from_mib(9),
        made_at: at(0),
    }
}
