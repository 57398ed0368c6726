//! What was held and how many waited, over time: every step of a short simulation, means over equal pieces of a long one.

use super::time::Time;
use crate::model::{Bytes, Cores, Resources};

/// The most points: more than a picture has room for.
const MOST: usize = 1000;
/// How long the pieces are at first, in nanoseconds.
const FIRST_PIECE: u64 = 1 << 20;

/// How things stood, from a moment until that of the next point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Point {
    /// From when on.
    pub at: Time,
    /// What was held.
    pub held: Resources,
    /// Applications that ran.
    pub running: u64,
    /// Applications that waited.
    pub waiting: u64,
}

/// How things stood on average.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Mean {
    /// What was held, rounded down.
    pub held: Resources,
    /// Applications that ran.
    pub running: f64,
    /// Applications that waited.
    pub waiting: f64,
}

/// Sums over time of what a [`Point`] has.
#[derive(Debug, Clone, Copy, Default)]
struct Sums([u128; 4]);

impl Sums {
    fn add(&mut self, point: &Point, length: u64) {
        let values = [
            point.held.cores.millis(),
            point.held.memory.get(),
            point.running,
            point.waiting,
        ];
        for (sum, value) in self.0.iter_mut().zip(values) {
            *sum += u128::from(value) * u128::from(length);
        }
    }

    fn join(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }

    /// The mean, rounded down.
    fn over(&self, at: Time, length: u64) -> Point {
        let [cores, memory, running, waiting] = self
            .0
            .map(|sum| u64::try_from(sum / u128::from(length.max(1))).unwrap_or(u64::MAX));
        Point {
            at,
            held: Resources {
                cores: Cores::from_millis(cores),
                memory: Bytes::new(memory),
            },
            running,
            waiting,
        }
    }
}

impl Sums {
    /// The mean over all of that length.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a mean of counts, for people: 53 bits are plenty"
    )]
    fn mean(&self, length: u64) -> Mean {
        let [_, _, running, waiting] = self.0.map(|sum| sum as f64 / length.max(1) as f64);
        Mean {
            held: self.over(Time::ZERO, length).held,
            running,
            waiting,
        }
    }
}

/// A timeline in the making; its size has a limit however long the simulation is.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// Every step, as long as there are not too many.
    steps: Option<Vec<Point>>,
    pieces: Vec<Sums>,
    /// How long a piece is, in nanoseconds.
    piece: u64,
    now: Point,
    all: Sums,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            steps: Some(Vec::new()),
            pieces: Vec::new(),
            piece: FIRST_PIECE,
            now: Point::default(),
            all: Sums::default(),
        }
    }
}

impl Timeline {
    /// From this moment on, things stand so. Moments come in order.
    pub fn step(&mut self, point: Point) {
        self.close(point.at);
        self.now = point;
        let Some(steps) = &mut self.steps else {
            return;
        };
        match steps.last_mut() {
            Some(last) if last.at == point.at => *last = point,
            Some(last)
                if Point {
                    at: last.at,
                    ..point
                } == *last => {}
            _ => steps.push(point),
        }
        if steps.len() > MOST {
            self.steps = None;
        }
    }

    /// Adds what has been since the last step.
    fn close(&mut self, until: Time) {
        let (mut from, until) = (self.now.at.nanos(), until.nanos());
        self.all.add(&self.now, until.saturating_sub(from));
        while until / self.piece >= MOST as u64 {
            self.double();
        }
        while from < until {
            let place = usize::try_from(from / self.piece).unwrap_or(MOST);
            if self.pieces.len() <= place {
                self.pieces.resize(place + 1, Sums::default());
            }
            let end = (from / self.piece + 1)
                .saturating_mul(self.piece)
                .min(until);
            if let Some(sums) = self.pieces.get_mut(place) {
                sums.add(&self.now, end - from);
            }
            from = end;
        }
    }

    /// Makes one piece of two.
    fn double(&mut self) {
        let joined = self.pieces.chunks(2).map(|pair| {
            pair.iter().fold(Sums::default(), |mut sums, piece| {
                sums.join(piece);
                sums
            })
        });
        self.pieces = joined.collect();
        self.piece = self.piece.saturating_mul(2);
    }

    /// The points in order, and the mean over all, from the beginning until the last step.
    pub fn finish(self) -> (Vec<Point>, Mean) {
        let end = self.now.at.nanos();
        let mean = self.all.mean(end);
        if let Some(steps) = self.steps {
            return (steps, mean);
        }
        let pieces = (0u64..).zip(&self.pieces).map(|(n, sums)| {
            let from = n * self.piece;
            sums.over(
                Time::from_nanos(from),
                self.piece.min(end.saturating_sub(from)),
            )
        });
        let mut points: Vec<Point> = pieces.collect();
        points.push(self.now);
        (points, mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(second: u64, millis: u64, waiting: u64) -> Point {
        Point {
            at: Time::from_secs(second),
            held: Resources {
                cores: Cores::from_millis(millis),
                memory: Bytes::new(millis * 10),
            },
            running: 1,
            waiting,
        }
    }

    #[test]
    fn a_short_one_keeps_every_step() {
        let mut line = Timeline::default();
        let steps = [
            point(0, 1000, 0),
            point(5, 3000, 1),
            point(5, 2000, 2),
            point(7, 2000, 2),
            point(10, 0, 0),
        ];
        for step in steps {
            line.step(step);
        }
        let (points, mean) = line.finish();
        assert_eq!(points, [steps[0], steps[2], steps[4]]);
        assert_eq!(mean.held.cores.millis(), 1500);
        assert!((mean.waiting - 1.0).abs() < f64::EPSILON, "{mean:?}");
    }

    #[test]
    fn a_long_one_keeps_the_means() {
        let mut line = Timeline::default();
        let mut sum = 0;
        for second in 0..100_000 {
            let millis = second % 1000;
            sum += millis;
            line.step(point(second, millis, 0));
        }
        line.step(point(100_000, 0, 0));
        let (points, mean) = line.finish();
        assert!((400..=1001).contains(&points.len()), "{}", points.len());
        assert_eq!(mean.held.cores.millis(), sum / 100_000);
        assert!(points.is_sorted_by_key(|p| p.at));
        let middle: u64 = points.iter().map(|p| p.held.cores.millis()).sum();
        assert!((490..=500).contains(&(middle / points.len() as u64)));
        assert_eq!(points.last().unwrap().held, Resources::ZERO);
    }
}
