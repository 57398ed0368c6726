//! What executions want of the room and what they have of it, in plain numbers.

use crate::model::{Component, Mode, Resources};

use super::order::Place;

/// What an execution wants of one component, and what it has.
#[derive(Debug, Clone)]
pub struct Part<'a> {
    /// The component: the size of a member, and the labels it asks for.
    pub component: &'a Component,
    /// Core members that are still to be placed, all at once.
    pub core: usize,
    /// Elastic members that it may have.
    pub most: usize,
    /// The positions of the members that it keeps whatever happens.
    pub kept: Vec<usize>,
    /// The positions of its elastic members, the oldest first.
    pub elastic: Vec<usize>,
}

/// What an execution wants, and what it has.
#[derive(Debug, Clone, Default)]
pub struct Claim<'a> {
    /// By component.
    pub parts: Vec<Part<'a>>,
    /// What its owner may be given in all, if that is limited: the number of a purse ([`Division::purse`]).
    ///
    /// [`Division::purse`]: super::Division::purse
    pub purse: Option<usize>,
}

/// Elastic members that are taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taken {
    /// Whose.
    pub place: Place,
    /// Of which part of its claim.
    pub part: usize,
    /// Which of that part's elastic members, before any was taken.
    pub slot: usize,
    /// The position of its node.
    pub position: usize,
}

impl<'a> Claim<'a> {
    /// What an execution that is not started yet wants of these components.
    pub fn new(components: impl IntoIterator<Item = &'a Component>, mode: Mode) -> Self {
        let part = |component: &'a Component| {
            let core = count(mode.at_start(component));
            let most = count(component.members()).saturating_sub(core);
            Part {
                component,
                core,
                most,
                kept: Vec::new(),
                elastic: Vec::new(),
            }
        };
        Self {
            parts: components.into_iter().map(part).collect(),
            purse: None,
        }
    }

    /// Members that it has.
    pub fn has(&self) -> usize {
        let members = |part: &Part<'_>| part.kept.len() + part.elastic.len();
        self.parts.iter().map(members).sum()
    }

    /// Members that it could have in all.
    pub fn wants(&self) -> usize {
        let members = |part: &Part<'_>| part.kept.len() + part.core + part.most;
        self.parts.iter().map(members).sum()
    }

    /// Its core members have these places, by part.
    pub(super) fn settle(&mut self, placed: Vec<Vec<usize>>) {
        for (part, mut spots) in self.parts.iter_mut().zip(placed) {
            if part.kept.is_empty() {
                part.kept = spots;
            } else {
                part.kept.append(&mut spots);
            }
            part.core = 0;
        }
    }

    /// What the core members that are still to be placed take.
    pub fn core_size(&self) -> Resources {
        let size = |part: &Part<'_>| part.component.reservation().times(part.core as u64);
        self.parts.iter().map(size).sum()
    }

    /// What all members take that it has.
    pub(super) fn size(&self) -> Resources {
        let size = |part: &Part<'_>| {
            let members = part.kept.len() + part.elastic.len();
            part.component.reservation().times(members as u64)
        };
        self.parts.iter().map(size).sum()
    }

    /// What its elastic members take.
    pub(super) fn elastic_size(&self) -> Resources {
        let size = |part: &Part<'_>| {
            let members = part.elastic.len() as u64;
            part.component.reservation().times(members)
        };
        self.parts.iter().map(size).sum()
    }

    /// Whether it may have more elastic members than it has.
    pub(super) fn is_hungry(&self) -> bool {
        self.parts.iter().any(|part| part.elastic.len() < part.most)
    }
}

fn count(members: u32) -> usize {
    usize::try_from(members).unwrap_or(usize::MAX)
}
