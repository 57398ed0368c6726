//! Makes up a workload in the manner of the Google cluster traces, from a seed: the same seed gives the same workload.
//!
//! What is taken from where, and what is our own choice, is in `docs/simulate.md`. In short: from "Flexible Scheduling of
//! Distributed Analytic Applications" (CCGRID 2017) and the simulator published with it are the number and size of
//! machines, the largest member (a fifth of one), that members of an application are alike, that there are few core
//! members and mostly more elastic ones, and that applications come in bursts with pauses between them; from the
//! published analyses of the traces that sizes and runtimes have heavy tails: most are small and short, and few do most
//! of the work. The traces themselves are not shipped: that the tails are log-normal, and every number, is chosen here.

use std::str::FromStr;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Exp1, StandardNormal, StandardUniform};

use super::time::Time;
use super::workload::Job;
use crate::model::ids::shorten;
use crate::model::{Bytes, Cores, Resources};

/// The most applications that are made up.
const MOST: u32 = 10_000_000;
/// How many users there are.
const USERS: u32 = 50;
/// The seconds between two applications of a burst, on average.
const IN_BURST: f64 = 1.0;
/// The seconds between two bursts, on average.
const BETWEEN_BURSTS: f64 = 26.0;
/// Of how many applications a burst is, on average.
const BURST: f64 = 8.0;
/// The longest that anything takes, in seconds: two weeks.
const LONGEST: f64 = 1_209_600.0;
/// The most processor and memory of a member: a fifth of a machine of 32 cores and 128 GiB.
const MOST_MILLIS: f64 = 6_400.0;
const MOST_MIB: f64 = 26_214.0;

/// What to make up: `google-like:80000`, and after further colons a seed and how busy the machines are to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// How many applications.
    pub count: u32,
    /// What chance begins with.
    pub seed: u64,
    /// How fast applications come, in parts of the usual speed, which keeps 100 machines of 32 cores busy.
    pub load: f64,
}

impl FromStr for Recipe {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!(
                "'{}' is nothing that can be made up: {why}; write google-like:COUNT, google-like:COUNT:SEED or google-like:COUNT:SEED:LOAD",
                shorten(text)
            )
        };
        let words: Vec<&str> = text.split(':').collect();
        let (name, count, seed, load) = match words.as_slice() {
            [name, count] => (name, count, "1", "1"),
            [name, count, seed] => (name, count, *seed, "1"),
            [name, count, seed, load] => (name, count, *seed, *load),
            _ => return Err(wrong("it needs a number of applications")),
        };
        if *name != "google-like" {
            return Err(wrong("only google-like workloads are known"));
        }
        let count = count.parse().ok().filter(|n| (1..=MOST).contains(n));
        let load = load.parse().ok();
        Ok(Self {
            count: count.ok_or_else(|| wrong("COUNT is a number from 1 to 10000000"))?,
            seed: seed.parse().map_err(|_| wrong("SEED is a whole number"))?,
            load: load
                .filter(|load| (0.001..=1000.0).contains(load))
                .ok_or_else(|| wrong("LOAD is a number from 0.001 to 1000"))?,
        })
    }
}

/// What kind of application it is; the shares are the paper's, one in five interactive and of the others one in five rigid.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Elastic,
    Rigid,
    Interactive,
}

/// The workload.
pub fn generate(recipe: &Recipe) -> Vec<Job> {
    let mut chance = Chance(ChaCha8Rng::seed_from_u64(recipe.seed));
    let users: Vec<Arc<str>> = (1..=USERS).map(|n| format!("user-{n:02}").into()).collect();
    let mut seconds = 0.0;
    let jobs = (0..recipe.count).map(|_| {
        seconds += chance.pause() / recipe.load;
        chance.job(seconds, &users)
    });
    jobs.collect()
}

/// Where chance comes from.
struct Chance(ChaCha8Rng);

impl Chance {
    /// A number from 0 to 1.
    fn part(&mut self) -> f64 {
        StandardUniform.sample(&mut self.0)
    }

    /// An exponentially distributed number.
    fn exponential(&mut self, mean: f64) -> f64 {
        let one: f64 = Exp1.sample(&mut self.0);
        mean * one
    }

    /// A log-normally distributed number, at most `most`.
    fn heavy(&mut self, median: f64, sigma: f64, most: f64) -> f64 {
        let normal: f64 = StandardNormal.sample(&mut self.0);
        (median * (sigma * normal).exp()).min(most)
    }

    /// The seconds until the next application.
    fn pause(&mut self) -> f64 {
        if self.part() * BURST < 1.0 {
            self.exponential(BETWEEN_BURSTS)
        } else {
            self.exponential(IN_BURST)
        }
    }

    fn kind(&mut self) -> Kind {
        match self.part() {
            part if part < 0.64 => Kind::Elastic,
            part if part < 0.80 => Kind::Rigid,
            _ => Kind::Interactive,
        }
    }

    fn job(&mut self, seconds: f64, users: &[Arc<str>]) -> Job {
        // A few users have most of it.
        let part = self.part();
        let user = whole(part * part * part * f64::from(USERS), 0.0);
        let user = users.get(usize::try_from(user).unwrap_or_default());
        let (core, elastic, runtime) = match self.kind() {
            Kind::Elastic => (
                1.0 + self.part() * 4.0,
                self.heavy(6.0, 1.0, 200.0),
                self.heavy(300.0, 1.5, LONGEST),
            ),
            Kind::Rigid => (
                self.heavy(4.0, 1.0, 100.0),
                0.0,
                self.heavy(300.0, 1.5, LONGEST),
            ),
            Kind::Interactive => (
                1.0 + self.part() * 2.0,
                self.part() * 4.0,
                self.heavy(1800.0, 1.0, LONGEST),
            ),
        };
        let members = |number: f64, least: f64| u32::try_from(whole(number, least)).unwrap_or(1);
        let millis = self.heavy(800.0, 0.8, MOST_MILLIS) / 100.0;
        let mib = self.heavy(2048.0, 1.0, MOST_MIB);
        Job {
            submit: milliseconds(seconds),
            user: user.map_or_else(|| "user".into(), Arc::clone),
            runtime: milliseconds(runtime.max(10.0)),
            core: members(core, 1.0),
            elastic: members(elastic, 0.0),
            member: Resources {
                cores: Cores::from_millis(100 * whole(millis, 1.0)),
                memory: Bytes::from_mib(whole(mib, 64.0)),
            },
            time_limit: None,
            priority: 0,
        }
    }
}

/// The whole part, at least so much.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "all numbers here are small and not negative"
)]
fn whole(number: f64, least: f64) -> u64 {
    number.max(least) as u64
}

/// To the millisecond: more would be lies, and files would grow.
fn milliseconds(seconds: f64) -> Time {
    Time::from_nanos(whole(seconds * 1000.0, 0.0) * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::super::{read, write};
    use super::*;

    fn made(text: &str) -> Vec<Job> {
        generate(&text.parse().unwrap())
    }

    #[test]
    fn the_same_seed_makes_the_same_workload() {
        let jobs = made("google-like:500:7");
        assert_eq!(jobs.len(), 500);
        assert_eq!(jobs, made("google-like:500:7"));
        assert_ne!(jobs, made("google-like:500:8"));
        assert_eq!(jobs[..100], made("google-like:100:7"));
        assert!(jobs.is_sorted_by_key(|job| job.submit));
        let twice = made("google-like:500:7:2");
        assert!(twice[499].submit < jobs[499].submit);
    }

    #[test]
    fn what_is_made_up_is_written_and_read_back() {
        let jobs = made("google-like:300");
        let mut text = Vec::new();
        write(&jobs, &mut text).unwrap();
        assert_eq!(read(&text).unwrap(), jobs);
    }

    #[test]
    fn what_cannot_be_made_up_is_said() {
        for text in [
            "google-like",
            "google-like:0",
            "google-like:x",
            "google-like:1:x",
            "google-like:1:1:0",
            "google-like:1:1:1:1",
            "other:5",
        ] {
            let why = text.parse::<Recipe>().unwrap_err();
            assert!(why.contains("google-like:COUNT"), "{why}");
        }
    }

    /// The shape that `docs/simulate.md` promises.
    #[test]
    fn most_is_small_and_short_and_little_does_most_of_the_work() {
        let jobs = made("google-like:20000");
        let short = jobs.iter().filter(|j| j.runtime < Time::from_secs(1000));
        assert!(
            (0.6..0.9).contains(&(f64::from(u32::try_from(short.count()).unwrap()) / 20_000.0))
        );
        let mut work: Vec<u128> = jobs
            .iter()
            .map(|j| j.work() * u128::from(j.member.cores.millis()))
            .collect();
        work.sort_unstable();
        let all: u128 = work.iter().sum();
        let tenth: u128 = work[18_000..].iter().sum();
        assert!(tenth * 10 > all * 7, "{tenth} of {all}");
        // It keeps the machines that it is meant for busy, and not more than that.
        let machines = 100 * 32_000 * u128::from(jobs[19_999].submit.nanos());
        let percent = all * 100 / machines;
        assert!((70..100).contains(&percent), "{percent} %");
    }
}
