//! Makes and starts instances, component by component.
//!
//! They are on their nodes' own bridges, which the site has joined: there is no network of the execution and nobody who
//! resolves names. So each container is told the addresses of the members that run already when it is made, and a component
//! comes after those whose hosts it names. Unlike on an Engine, then, some run before all exist.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;

use super::super::launch::Made;
use super::super::parallel::each;
use super::super::wire::ListedContainer;
use super::create::{self, Surroundings};
use super::{ClassicBackend, containers};
use crate::engine::{EngineError, Result, names};
use crate::model::{ComponentName, ExecutionId, InstanceKey, InstanceSpec, InstanceState, Launch};

/// How much of a lost container's id tells the name of its successor from its own.
const SHORT: usize = 12;

impl ClassicBackend {
    pub(super) async fn launch(&self, launch: &Launch) -> Result<()> {
        let order = order(launch)?;
        self.bring_images(&launch.instances).await?;
        let inits = self.docker.inits(&launch.instances).await?;
        let mut there = self.members_of(launch.execution).await?;
        for (position, component) in order.iter().enumerate() {
            let hosts = hosts(order.get(..position).unwrap_or_default(), &there);
            let specs = launch
                .instances
                .iter()
                .filter(|spec| spec.key.component == **component);
            let waiting = each(specs, |spec| {
                let around = Surroundings {
                    hosts: &hosts,
                    publish: self.docker.publish,
                    init: inits.get(&spec.image).copied().unwrap_or(true),
                };
                self.make_member(spec, there.get(&spec.key), around)
            })
            .await?;
            each(waiting.into_iter().flatten(), |(id, name)| {
                self.docker.set_going(id, name)
            })
            .await?;
            there = self.members_of(launch.execution).await?;
        }
        Ok(())
    }
}

impl ClassicBackend {
    /// Makes an instance. Gives its id and name if it is to be started; one that ran already is left as it is.
    async fn make_member(
        &self,
        spec: &InstanceSpec,
        there: Option<&ListedContainer>,
        around: Surroundings<'_>,
    ) -> Result<Option<(String, String)>> {
        let mut name = names::instance_name(&self.docker.deployment, &spec.key);
        let id = match there {
            Some(there) if !containers::is_out_of_reach(there) => match unstarted(there) {
                Some(id) => id,
                None => return Ok(None),
            },
            lost => {
                // The manager keeps the name of what is on a node that is down.
                if let Some(lost) = lost {
                    name = format!("{name}-{}", lost.id.get(..SHORT).unwrap_or(&lost.id));
                }
                let body = create::instance(&self.docker.deployment, spec, around);
                match self.docker.make(&name, body).await? {
                    Made::New(id) => id,
                    Made::Taken => match self.made_by_another(spec, &name).await? {
                        Some(id) => id,
                        None => return Ok(None),
                    },
                }
            }
        };
        self.docker.bring_secrets(&id, &name, spec).await?;
        Ok(Some((id, name)))
    }

    /// The id of an instance that somebody else has just made under this name and not started.
    async fn made_by_another(&self, spec: &InstanceSpec, name: &str) -> Result<Option<String>> {
        match self.members_of(spec.key.execution).await?.get(&spec.key) {
            Some(found) if !containers::is_out_of_reach(found) => Ok(unstarted(found)),
            _ => Err(EngineError::Conflict {
                what: format!("container {name}"),
                why: "a container of that name is there, and it is not this instance".to_owned(),
            }),
        }
    }
}

fn unstarted(container: &ListedContainer) -> Option<String> {
    (containers::state(container) == InstanceState::Created).then(|| container.id.clone())
}

/// The components of a launch, each after those whose hosts it names, otherwise in the order of the description.
fn order(launch: &Launch) -> Result<Vec<&ComponentName>> {
    let mut open: Vec<(&ComponentName, BTreeSet<&ComponentName>)> = Vec::new();
    for spec in &launch.instances {
        if open.iter().all(|(name, _)| **name != spec.key.component) {
            open.push((&spec.key.component, spec.needs.iter().collect()));
        }
    }
    let mut order = Vec::with_capacity(open.len());
    while !open.is_empty() {
        let left: HashSet<&ComponentName> = open.iter().map(|(name, _)| *name).collect();
        let ready = open.iter().position(|(name, needs)| {
            needs
                .iter()
                .all(|need| need == name || !left.contains(need))
        });
        let Some(ready) = ready else {
            return Err(circle(launch.execution, &open));
        };
        order.push(open.remove(ready).0);
    }
    Ok(order)
}

fn circle(
    execution: ExecutionId,
    open: &[(&ComponentName, BTreeSet<&ComponentName>)],
) -> EngineError {
    let names: Vec<String> = open.iter().map(|(name, _)| format!("'{name}'")).collect();
    EngineError::Refused {
        what: format!("starting {execution}"),
        why: format!(
            "on a classic Swarm a container is told the addresses of others when it is made, so they must run before it; but \
             the components {} need each other's ${{….host}}, so none can be first",
            names.join(" and ")
        ),
    }
}

/// The names by which members that run are known, with their addresses: `worker:10.1.0.2`, `worker-0:10.1.0.2`.
fn hosts(
    components: &[&ComponentName],
    members: &BTreeMap<InstanceKey, ListedContainer>,
) -> Vec<String> {
    members
        .iter()
        .filter(|(key, _)| components.contains(&&key.component))
        .filter(|(_, container)| containers::state(container) == InstanceState::Running)
        .filter_map(|(key, container)| Some((key, container.address()?)))
        .flat_map(|(key, address)| {
            let address = match address {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => format!("[{address}]"),
            };
            [
                format!("{}:{address}", key.component),
                format!("{}-{}:{address}", key.component, key.index),
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Resources;

    fn launch(components: &[(&str, &[&str])]) -> Launch {
        let execution = ExecutionId::from_bits(1);
        let spec = |&(component, needs): &(&str, &[&str])| InstanceSpec {
            key: InstanceKey {
                execution,
                component: component.parse().unwrap(),
                index: 0,
            },
            image: String::new(),
            command: None,
            env: Vec::new(),
            secrets: Vec::new(),
            volumes: Vec::new(),
            publish: Vec::new(),
            reservation: Resources::ZERO,
            aliases: Vec::new(),
            needs: needs.iter().map(|need| need.parse().unwrap()).collect(),
            node: None,
        };
        Launch {
            execution,
            instances: components.iter().map(spec).collect(),
        }
    }

    fn ordered(components: &[(&str, &[&str])]) -> Result<Vec<String>> {
        let launch = launch(components);
        order(&launch).map(|order| order.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_component_comes_after_those_it_names_and_else_where_it_stands() {
        let spark: &[(&str, &[&str])] = &[
            ("driver", &["master", "worker"]),
            ("worker", &["master"]),
            ("master", &["master"]),
            ("other", &[]),
        ];
        assert_eq!(
            ordered(spark).unwrap(),
            ["master", "worker", "driver", "other"]
        );
        // One that has no members now is not waited for.
        assert_eq!(ordered(&[("worker", &["master"])]).unwrap(), ["worker"]);
    }

    #[test]
    fn those_that_name_each_other_cannot_be_started() {
        let error = ordered(&[("a", &["b"]), ("b", &["a"]), ("c", &[])]).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("the components 'a' and 'b' need each other's ${….host}"),
            "{text}"
        );
    }

    #[test]
    fn members_that_run_are_known_by_both_their_names() {
        let listed = |state: &str, status: &str, address: &str| -> ListedContainer {
            serde_json::from_value(
                serde_json::json!({"Id": "x", "State": state, "Status": status,
                "NetworkSettings": {"Networks": {"bridge": {"IPAddress": address}}}}),
            )
            .unwrap()
        };
        let launch = launch(&[("a", &[]), ("b", &[]), ("c", &[])]);
        let mut keys = launch.instances.iter().map(|spec| spec.key.clone());
        let members = BTreeMap::from([
            (
                keys.next().unwrap(),
                listed("running", "Up 1 second", "10.1.0.2"),
            ),
            (keys.next().unwrap(), listed("exited", "Exited (0) now", "")),
            (
                keys.next().unwrap(),
                listed("running", "Up 1 second", "10.1.0.3"),
            ),
        ]);
        let names: Vec<ComponentName> = ["a", "b"].map(|name| name.parse().unwrap()).to_vec();
        let names: Vec<_> = names.iter().collect();
        assert_eq!(hosts(&names, &members), ["a:10.1.0.2", "a-0:10.1.0.2"]);
    }
}
