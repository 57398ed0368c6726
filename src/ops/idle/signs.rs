//! Asking what tells whether an execution is used: Jupyter and Spark's master by the addresses at which a browser finds them, the
//! web server by its access log.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use futures_util::future::{join, join_all, join3};
use futures_util::{FutureExt, StreamExt, stream};
use jiff::Timestamp;

use crate::apps;
use crate::idle::{Said, Sign, jupyter, spark};
use crate::model::{Component, Execution, PortName, Private, Secret};
use crate::ops::context::Context;
use crate::ops::fetch::{Answer, Question};
use crate::proxy::access_log::{self, Mark, Seen};

/// How long one answer may take: the first of a driver on a busy machine takes seconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many drivers of an execution are asked at once: it may say that it has many, and each answers what it likes.
const DRIVERS: usize = 4;
/// How long reading on in an access log may take.
const READING: Duration = Duration::from_mins(1);

/// What is known of requests through the web server.
pub(in crate::ops) enum Requests {
    /// There is no web server before it.
    None,
    /// When the last one came, if there was one.
    Last(Option<Timestamp>),
    /// Why they can't be read.
    Unreadable(String),
}

/// Asks all signs of an execution. `before` is what they said the last time.
pub(in crate::ops) async fn ask(
    context: &Context,
    execution: &Execution,
    requests: Requests,
    before: &[(Sign, Said)],
) -> Vec<(Sign, Said)> {
    let Some(activity) = &execution.ticket.application.activity else {
        return Vec::new();
    };
    let jupyter = async {
        let name = activity.jupyter.as_ref()?;
        Some((Sign::Jupyter, ask_jupyter(context, execution, name).await))
    };
    let spark = async {
        let name = activity.spark.as_ref()?;
        let before = before.iter().find(|(sign, _)| *sign == Sign::Spark);
        let count = before.and_then(|(_, said)| said.count.as_deref());
        let mut said = ask_spark(context, execution, (name, activity.driver.as_ref()), count).await;
        // What is done until it can be read again is seen then.
        said.count = said.count.or(count.map(str::to_owned));
        Some((Sign::Spark, said))
    };
    let (jupyter, spark) = join(jupyter, spark).await;
    let http = match requests {
        Requests::None => None,
        Requests::Last(at) => {
            let text = at.map_or("no request yet", |_| "no request since");
            Some(Said::idle(at, text))
        }
        Requests::Unreadable(why) => Some(Said::unreadable(why)),
    };
    let http = http.filter(|_| activity.http);
    let all = [jupyter, spark, http.map(|said| (Sign::Http, said))];
    all.into_iter().flatten().collect()
}

/// A port of a member that can be asked.
struct Place<'a> {
    context: &'a Context,
    address: SocketAddr,
    base: String,
    token: Option<Secret>,
}

impl Place<'_> {
    async fn fetch(&self, path: &str) -> Result<Answer, String> {
        let question = Question {
            address: self.address,
            path: format!("{}{path}", self.base),
            token: self.token.clone(),
        };
        self.context.world.fetch(question, PATIENCE).await
    }

    async fn body(&self, path: &str) -> Result<Vec<u8>, String> {
        self.fetch(path).await?.body()
    }
}

/// The port of every member of a component; a sentence where one can't be asked.
fn places<'a>(
    context: &'a Context,
    execution: &Execution,
    name: &PortName,
    private: Option<&Private>,
) -> Result<Vec<Place<'a>>, String> {
    let ticket = &execution.ticket;
    let component = ticket.application.component(&name.component);
    let port = component.and_then(|component| component.port(&name.port));
    let (Some(component), Some(port)) = (component, port) else {
        return Err("there is no such port".to_owned());
    };
    let url = apps::port_url(ticket, port, "", private);
    let token = token(&url).map(Secret::new);
    let members = execution.members(component.name.as_str());
    let places = members.map(|instance| {
        let address = instance.public_address(port.container).ok_or_else(|| {
            format!(
                "{} has no address that can be reached from here",
                port.name_at(component, instance.key.index)
            )
        })?;
        Ok(Place {
            context,
            address,
            base: ticket.base_of(component, instance.key.index, port),
            token: token.clone(),
        })
    });
    let places: Vec<Place<'_>> = places.collect::<Result<_, String>>()?;
    if places.is_empty() {
        return Err(format!("{} has no member", component.name));
    }
    Ok(places)
}

/// The token in the query of an address.
fn token(url: &str) -> Option<&str> {
    let (_, query) = url.split_once('?')?;
    query
        .split('&')
        .find_map(|part| part.strip_prefix("token="))
}

/// Whether a port's address has secrets in it.
fn needs_secrets(execution: &Execution, name: &PortName) -> bool {
    let component: Option<&Component> = execution.ticket.application.component(&name.component);
    let port = component.and_then(|component| component.port(&name.port));
    port.is_some_and(|port| port.query.is_some())
}

async fn ask_jupyter(context: &Context, execution: &Execution, name: &PortName) -> Said {
    let private = if needs_secrets(execution, name) {
        match context.backend.private(execution.ticket.id).await {
            Ok(private) => Some(private),
            Err(error) => return Said::unreadable(format!("its token can't be had: {error}")),
        }
    } else {
        None
    };
    let places = match places(context, execution, name, private.as_ref()) {
        Ok(places) => places,
        Err(why) => return Said::unreadable(why),
    };
    let said = join_all(places.iter().map(one_jupyter)).await.into_iter();
    let said = said.map(|one| one.unwrap_or_else(Said::unreadable));
    said.reduce(Said::and)
        .unwrap_or_else(|| Said::unreadable("nobody was asked"))
}

async fn one_jupyter(place: &Place<'_>) -> Result<Said, String> {
    let (status, kernels, terminals) = join3(
        place.body(jupyter::STATUS),
        place.body(jupyter::KERNELS),
        place.fetch(jupyter::TERMINALS),
    )
    .await;
    let terminals = terminals?;
    // It may have been built without.
    let terminals = match terminals.status {
        404 => None,
        _ => Some(terminals.body()?),
    };
    Ok(jupyter::read(&status?, &kernels?, terminals.as_deref()))
}

async fn ask_spark(
    context: &Context,
    execution: &Execution,
    (master, driver): (&PortName, Option<&PortName>),
    before: Option<&str>,
) -> Said {
    let masters = match places(context, execution, master, None) {
        Ok(places) => places,
        Err(why) => return Said::unreadable(why),
    };
    let drivers = driver.map(|name| places(context, execution, name, None));
    let drivers = drivers.and_then(Result::ok).unwrap_or_default();
    // Those of several masters count together.
    let (mut applications, mut answers) = (None, Vec::new());
    for master in &masters {
        match one_spark(master, &drivers).await {
            Err(why) => return Said::unreadable(why),
            Ok((found, answered)) => {
                answers.extend(answered);
                let all = applications.get_or_insert(spark::Applications {
                    active: Vec::new(),
                    at: None,
                });
                all.active.extend(found.active);
                all.at = all.at.max(found.at);
            }
        }
    }
    match applications {
        Some(applications) => spark::read(&applications, &answers, before),
        None => Said::unreadable("nobody was asked"),
    }
}

async fn one_spark(
    master: &Place<'_>,
    drivers: &[Place<'_>],
) -> Result<(spark::Applications, Vec<spark::Driver>), String> {
    let applications = spark::applications(&master.body(spark::MASTER).await?)?;
    let asked = applications.active.iter().map(|application| {
        async move {
            let answer = if application.has_executors {
                ask_driver(master, drivers, &application.id).await
            } else {
                Ok((0, 0))
            };
            (application.id.clone(), answer)
        }
        .boxed()
    });
    let mut asked = stream::iter(asked.collect::<Vec<_>>()).buffer_unordered(DRIVERS);
    let mut answers = Vec::new();
    while let Some((id, answer)) = asked.next().await {
        let is_silent = answer.is_err();
        answers.push((id, answer));
        // One that can't be asked decides it: the others are not waited for.
        if is_silent {
            break;
        }
    }
    drop(asked);
    Ok((applications, answers))
}

/// Asks the driver of an application, where it is known to be, else through the master.
async fn ask_driver(
    master: &Place<'_>,
    drivers: &[Place<'_>],
    id: &str,
) -> Result<(usize, u64), String> {
    let ask = async |place: &Place<'_>, base: &str| {
        let [jobs, executors] = spark::questions(id).map(|path| format!("{base}{path}"));
        let (jobs, executors) = join(place.body(&jobs), place.body(&executors)).await;
        spark::driver(&jobs?, &executors?)
    };
    let mut directly = None;
    for driver in drivers {
        // It may be another's, or there is none there.
        match ask(driver, "").await {
            Ok(answer) => return Ok(answer),
            Err(why) => directly = Some(why),
        }
    }
    let answer = ask(master, &spark::through_master(id)).await;
    answer.map_err(|why| match directly {
        Some(directly) => {
            format!("its driver can't be asked: {directly}; through the master: {why}")
        }
        None => format!("its driver can't be asked through the master: {why}"),
    })
}

/// Reads on in an access log. A log that hangs is left behind.
pub(super) async fn read_log(
    log: &Path,
    prefix: &str,
    mark: Option<Mark>,
) -> Result<(Seen, Mark), String> {
    let (path, prefix) = (log.to_owned(), prefix.to_owned());
    let reading = tokio::task::spawn_blocking(move || access_log::read_on(&path, &prefix, mark));
    let why = match tokio::time::timeout(READING, reading).await {
        Ok(Ok(Ok(read))) => return Ok(read),
        Ok(Ok(Err(error))) => error.to_string(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("it took longer than {} s", READING.as_secs()),
    };
    Err(format!("{} can't be read: {why}", log.display()))
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn a_token_is_found_in_a_query() {
        assert_eq!(token("/lab?token=abc"), Some("abc"));
        assert_eq!(token("/lab?a=b&token=abc&c"), Some("abc"));
        assert_eq!((token("/lab"), token("/lab?x=token")), (None, None));
    }
}
