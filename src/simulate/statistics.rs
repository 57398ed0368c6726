//! Mean, median and the like of what applications experienced.

use super::clock::Span;
use super::workload::Job;

/// Three numbers for many.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Summary {
    /// The mean.
    pub mean: f64,
    /// Half of them are not above it.
    pub median: f64,
    /// Nineteen of twenty are not above it.
    pub p95: f64,
}

impl Summary {
    /// Of these; `None` where there are none. The median of an even number is the mean of the two in the middle; p95 is by
    /// nearest rank.
    #[allow(clippy::cast_precision_loss, reason = "there are not that many")]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let at = |n: usize| sorted.get(n).copied().unwrap_or_default();
        (count > 0).then(|| Self {
            mean: sorted.iter().sum::<f64>() / count as f64,
            median: f64::midpoint(at(count.saturating_sub(1) / 2), at(count / 2)),
            p95: at((count * 95).div_ceil(100).saturating_sub(1)),
        })
    }
}

impl Span {
    /// From submission to end, in seconds.
    pub fn turnaround(&self, job: &Job) -> f64 {
        self.ended.since(job.submit).seconds()
    }

    /// From submission to start, in seconds.
    pub fn waiting(&self, job: &Job) -> f64 {
        self.started.since(job.submit).seconds()
    }

    /// How many times as long it took as it would have alone: turnaround over runtime.
    pub fn slowdown(&self, job: &Job) -> f64 {
        self.turnaround(job) / job.runtime.seconds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_definitions() {
        let of = |values: &[f64]| Summary::of(values.iter().copied()).unwrap();
        let same = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert_eq!(Summary::of([]), None);
        assert_eq!(
            of(&[7.0]),
            Summary {
                mean: 7.0,
                median: 7.0,
                p95: 7.0
            }
        );
        assert!(same(of(&[40.0, 10.0, 30.0, 20.0]).median, 25.0));
        assert!(same(of(&[40.0, 10.0, 30.0, 20.0]).mean, 25.0));
        let many: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!((of(&many).median, of(&many).p95), (50.5, 95.0));
        assert!(same(of(&many[..20]).p95, 19.0));
    }
}
