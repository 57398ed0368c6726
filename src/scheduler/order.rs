//! In which order executions are served: plain numbers in, a place in the line out.
//!
//! Nothing here knows of snapshots: a simulation ranks its executions with the same function as a plan. An explicit priority
//! always comes first, and the id decides between equals, so that there is exactly one order. What is left out: who can be
//! started at all ([`super::division`]).

use std::cmp::Reverse;

use crate::model::{AGEING, ExecutionId, Order, Resources};

/// The whole cluster, as a share.
pub const WHOLE: u64 = 1_000_000;

/// What an order looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contender {
    /// Which execution; the smaller goes first among equals.
    pub id: ExecutionId,
    /// The greater goes first, whatever the order.
    pub priority: i32,
    /// When it was submitted, in milliseconds of a clock that all contenders share.
    pub submitted: i64,
    /// How long it has waited, in milliseconds: until now, or until it was started.
    pub waited: u64,
    /// What all its members take of the whole cluster, in millionths; see [`share`].
    pub share: u64,
    /// How long it is expected to run with all its members, in milliseconds.
    pub runtime: u64,
    /// What its user has used, in core-seconds that decay; and what the user has in front of it in the line, see
    /// [`line_up`].
    pub usage: u64,
}

/// A place in the line: the smaller is served first. No two executions have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    priority: Reverse<i32>,
    rank: i128,
    submitted: i64,
    id: ExecutionId,
}

impl Place {
    /// Whose it is.
    pub fn id(&self) -> ExecutionId {
        self.id
    }
}

/// The larger of the shares that `wanted` is of the cores and of the memory in all, in millionths, at most [`WHOLE`]: the
/// dominant share (Ghodsi and others, NSDI 2011).
pub fn share(wanted: Resources, total: Resources) -> u64 {
    let part = |some: u64, all: u64| {
        let part = u128::from(some) * u128::from(WHOLE) / u128::from(all.max(1));
        u64::try_from(part).unwrap_or(WHOLE).min(WHOLE)
    };
    let cores = part(wanted.cores.millis(), total.cores.millis());
    cores.max(part(wanted.memory.get(), total.memory.get()))
}

/// By which rule places are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranking {
    /// What is looked at.
    pub order: Order,
    /// How many seconds of waiting take a second of the whole cluster off a size under [`Order::DynSize`].
    pub ageing: u32,
}

impl Ranking {
    /// First come, first served.
    pub const FIFO: Self = Self::usual(Order::Fifo);

    /// With the usual ageing.
    pub const fn usual(order: Order) -> Self {
        Self {
            order,
            ageing: AGEING,
        }
    }

    /// The place of one.
    pub fn place(self, one: &Contender) -> Place {
        let size = || i128::from(one.share) * i128::from(one.runtime);
        let rank = match self.order {
            Order::Fifo => 0,
            Order::Size => size(),
            Order::DynSize => {
                let submitted = i128::from(one.submitted).saturating_mul(WHOLE.into());
                size().saturating_mul(self.ageing.into()) + submitted
            }
            // The 1 in (waited + runtime) / runtime = 1 + waited / runtime changes nothing.
            Order::Hrrn => -((i128::from(one.waited) << 60) / i128::from(one.runtime.max(1))),
            Order::Fair => one.usage.into(),
        };
        Place {
            priority: Reverse(one.priority),
            rank,
            submitted: one.submitted,
            id: one.id,
        }
    }
}

/// One who waits, for [`line_up`].
#[derive(Debug, Clone, Copy)]
pub struct Waiter<'u, T> {
    /// What the order looks at; `usage` is the user's own until now.
    pub contender: Contender,
    /// Its user.
    pub user: &'u str,
    /// What it would use, in core-seconds.
    pub cost: u64,
    /// What it stands for.
    pub item: T,
}

/// Puts those who wait in order.
///
/// Under [`Order::Fair`] what a user has in front of an execution in the line counts as if it were used, so that one who
/// submits a hundred at once does not go before everybody whose usage is the same.
pub fn line_up<'u, T>(
    ranking: Ranking,
    line: impl IntoIterator<Item = Waiter<'u, T>>,
) -> Vec<(Place, T)> {
    let place = |waiter: Waiter<'_, T>| (ranking.place(&waiter.contender), waiter.item);
    let mut placed: Vec<(Place, T)> = if ranking.order == Order::Fair {
        in_turns(line.into_iter().collect()).map(place).collect()
    } else {
        line.into_iter().map(place).collect()
    };
    placed.sort_unstable_by_key(|(place, _)| *place);
    placed
}

/// Counts what users have in front as if they had used it.
fn in_turns<T>(mut line: Vec<Waiter<'_, T>>) -> impl Iterator<Item = Waiter<'_, T>> {
    let turn = |w: &Waiter<'_, T>| Ranking::FIFO.place(&w.contender);
    line.sort_unstable_by(|a, b| a.user.cmp(b.user).then_with(|| turn(a).cmp(&turn(b))));
    let (mut user, mut before) = ("", 0u64);
    line.into_iter().map(move |mut waiter| {
        if waiter.user != user {
            (user, before) = (waiter.user, 0);
        }
        waiter.contender.usage = waiter.contender.usage.saturating_add(before);
        before = before.saturating_add(waiter.cost);
        waiter
    })
}

#[cfg(test)]
mod tests {
    use super::super::generators::{id, resources};
    use super::*;

    const HOUR: u64 = 3_600_000;

    fn one(n: u64, submitted: i64, share: u64, runtime: u64) -> Contender {
        Contender {
            id: id(n),
            priority: 0,
            submitted,
            waited: 0,
            share,
            runtime,
            usage: 0,
        }
    }

    fn first(order: Order, a: Contender, b: Contender) -> ExecutionId {
        let ranking = Ranking::usual(order);
        ranking.place(&a).min(ranking.place(&b)).id()
    }

    #[test]
    fn priority_comes_first_and_the_id_last() {
        for (_, order) in Order::NAMED {
            let equal = one(1, 0, 10, HOUR);
            assert_eq!(first(order, one(2, 0, 10, HOUR), equal), id(1));
            let mut late = one(3, 99, WHOLE, 9 * HOUR);
            (late.priority, late.usage) = (1, 999);
            assert_eq!(first(order, equal, late), id(3), "{}", order.name());
        }
    }

    #[test]
    fn each_order_looks_at_its_own() {
        let (old, small) = (one(1, 0, 900, HOUR), one(2, 1000, 10, HOUR));
        assert_eq!(first(Order::Fifo, old, small), id(1));
        assert_eq!(first(Order::Size, old, small), id(2));
        let mut waits = one(3, 0, 900, 2 * HOUR);
        waits.waited = HOUR;
        let mut short = one(4, 0, 900, HOUR);
        short.waited = HOUR / 2 - 1;
        assert_eq!(first(Order::Hrrn, waits, short), id(3));
        short.waited += 2;
        assert_eq!(first(Order::Hrrn, waits, short), id(4));
        let mut spared = small;
        (spared.usage, waits.usage) = (5, 6);
        assert_eq!(first(Order::Fair, waits, spared), id(2));
    }

    #[test]
    fn a_size_ages_until_what_comes_is_behind() {
        // A tenth of the cluster for an hour: nobody who comes an hour later overtakes it.
        let large = one(1, 0, WHOLE / 10, HOUR);
        let small = |submitted| one(2, submitted, 1, 1000);
        assert_eq!(first(Order::DynSize, large, small(3_599_000)), id(2));
        assert_eq!(first(Order::DynSize, large, small(3_600_000)), id(1));
        assert_eq!(first(Order::Size, large, small(3_600_000)), id(2));
        // With half of the ageing it takes half of the time.
        let hasty = Ranking {
            order: Order::DynSize,
            ageing: 5,
        };
        let first = |submitted| hasty.place(&large).min(hasty.place(&small(submitted)));
        assert_eq!(first(1_799_000).id(), id(2));
        assert_eq!(first(1_800_000).id(), id(1));
    }

    #[test]
    fn the_share_is_the_larger_one() {
        let total = resources(10_000, 1000);
        assert_eq!(share(resources(1000, 500), total), WHOLE / 2);
        assert_eq!(share(resources(1000, 10), total), WHOLE / 10);
        assert_eq!(share(resources(99_000, 0), total), WHOLE);
        assert_eq!(share(resources(0, 0), resources(0, 0)), 0);
    }

    #[test]
    fn those_of_one_user_take_turns_with_those_of_others() {
        let waiter = |n: u64, user, usage| Waiter {
            contender: Contender {
                usage,
                ..one(n, i64::try_from(n).unwrap(), 10, HOUR)
            },
            user,
            cost: 100,
            item: n,
        };
        let line = || {
            vec![
                waiter(1, "ann", 0),
                waiter(2, "ann", 0),
                waiter(3, "ann", 0),
                waiter(4, "bob", 0),
                waiter(5, "bob", 0),
                waiter(6, "cid", 150),
            ]
        };
        let items = |order| -> Vec<u64> {
            line_up(Ranking::usual(order), line())
                .iter()
                .map(|l| l.1)
                .collect()
        };
        assert_eq!(items(Order::Fair), [1, 4, 2, 5, 6, 3]);
        assert_eq!(items(Order::Fifo), [1, 2, 3, 4, 5, 6]);
    }
}
