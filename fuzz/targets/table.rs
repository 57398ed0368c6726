//! Tables, documents and lines for a terminal: no text in them is an order for it, none makes a row, and JSON gives back what
//! went in.

use serde_json::Value;
use zoe::output::columns::{self, COLUMNS};
use zoe::output::listing::{Kind, Shape, executions};
use zoe::output::template::Template;
use zoe::output::{
    Format, Look, cluster, detail, mails, pictures, routes, settings, sums, usage, users,
};
use zoe::store::SumBy;

use super::views::{self, Texts, at, look};
use super::{Input, shown_safely};

/// Every form of output, of the texts of the input.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.choice;
    let width = u16::from_str_radix(&input.text(), 16).unwrap_or(80).max(1);
    let mut texts = Vec::new();
    while let Some(text) = input.next() {
        texts.push(text);
    }
    // On a terminal, or into a pipe.
    let look = if choice & 0x80 == 0 {
        look(None, false)
    } else {
        look(Some(width), true)
    };
    let mut hostile = texts.iter().cloned().cycle();
    let mut text = || hostile.next().unwrap_or_default();
    let shown = some(choice, &look, &mut text);
    let harmless = some(choice, &look, &mut || "x".to_owned());
    for (text, plain) in shown.iter().zip(&harmless) {
        shown_safely(text);
        // Into a pipe a row is a line, whatever is in it.
        if look.columns.is_none() {
            assert_eq!(text.lines().count(), plain.lines().count(), "{text}");
        }
    }
    let mut hostile = texts.iter().cloned().cycle();
    documents(choice, &mut || hostile.next().unwrap_or_default());
}

/// One group of what can be shown: all of it takes long.
fn some(choice: u8, look: &Look, text: &mut Texts<'_>) -> Vec<String> {
    let view = views::execution(choice, text);
    let list = [view.clone(), views::execution(choice.wrapping_add(1), text)];
    let kind = if choice & 1 == 0 {
        Kind::Live
    } else {
        Kind::Past
    };
    match (choice >> 4) & 7 {
        0 => vec![
            detail::execution(&view, look),
            detail::addresses(&view.urls),
        ],
        1 => vec![columns::table(&list, &COLUMNS, look)],
        2 => vec![
            mails::table(&[views::mail(choice, text)], look),
            users::table(&[views::user(text)], look),
        ],
        3 => vec![
            routes::table(&[views::route(text)], look),
            sums::table(&[views::sum(text)], SumBy::User, look),
            pictures::table(&[views::picture(text)], look),
        ],
        4 => {
            let template =
                "{{ id }} {{ name }} {{ user }} {{ reason }} {{ application }} {{ urls }}";
            let template = Template::new(template, &zoe::output::schema::EXECUTION_KEYS).unwrap();
            let shape = Shape::Template(Box::new(template));
            vec![executions(&list, kind, &shape, look).unwrap()]
        }
        5 => [Format::Table, Format::Wide, Format::Name]
            .map(|format| executions(&list, kind, &Shape::Format(format), look).unwrap())
            .into(),
        6 => {
            let (kind, words) = (text(), text());
            let happening = detail::Happening {
                at: at(1),
                kind: &kind,
                detail: &words,
            };
            vec![
                detail::timeline(&[happening], look),
                usage::table(&[row(choice, text)], look),
            ]
        }
        _ => {
            let (value, origin) = (text(), text());
            let setting = settings::Setting {
                section: "smtp",
                key: "server",
                value: &value,
                origin,
            };
            vec![
                settings::text(&[setting], true),
                cluster::text(&site(text), look),
            ]
        }
    }
}

fn row(choice: u8, text: &mut Texts<'_>) -> usage::Row {
    usage::Row {
        execution: text(),
        name: text(),
        component: text(),
        index: 1,
        node: text(),
        cpu: None,
        cores: zoe::model::Cores::from_millis(1),
        memory: None,
        memory_limit: zoe::model::Bytes::from_mib(1),
        network: None,
        processes: None,
        note: (choice & 1 == 0).then(text),
    }
}

fn site(text: &mut Texts<'_>) -> cluster::Cluster {
    cluster::Cluster {
        backend: text(),
        deployment: text(),
        nodes: Vec::new(),
        states: vec![("running", 1)],
        orphans: 1,
        anomalies: vec![(text(), text())],
        gaps: vec![(text(), text(), Some(text()))],
    }
}

/// Documents have nothing but printable text in them, and what went in comes out.
fn documents(choice: u8, text: &mut Texts<'_>) {
    let view = views::execution(choice, text);
    let lists = [Format::Json, Format::Jsonl].map(|format| {
        let shape = Shape::Format(format);
        executions(
            std::slice::from_ref(&view),
            Kind::Live,
            &shape,
            &look(None, false),
        )
        .unwrap()
    });
    for (list, is_array) in lists.iter().zip([true, false]) {
        shown_safely(list);
        let read: Value = serde_json::from_str(list).unwrap();
        let read = if is_array { &read[0] } else { &read };
        assert_eq!(read["name"], Value::from(view.name.as_str()));
        assert_eq!(read["user"], Value::from(view.user.as_str()));
        assert_eq!(read["reason"], Value::from(view.reason.clone()));
        assert_eq!(
            read["components"][1]["image"],
            Value::from(view.components[1].image.as_str())
        );
    }
    assert_eq!(lists[1].lines().count(), 1);
    let mail = views::mail(choice, text);
    let shown = mails::json(std::slice::from_ref(&mail));
    shown_safely(&shown);
    let read: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(read[0]["subject"], Value::from(mail.cover.subject));
    for shown in [
        users::json(&[views::user(text)]),
        routes::json(&[views::route(text)]),
        sums::json(&[views::sum(text)], SumBy::Application),
        pictures::json(&[views::picture(text)]),
        usage::json(&[row(choice, text)]),
        cluster::json(&site(text)),
    ] {
        shown_safely(&shown);
        let _: Value = serde_json::from_str(&shown).unwrap();
    }
}
