//! Writes a workload as CSV, which [`super::read()`] gives back.

use std::io;

use super::read::{COLUMNS, OPTIONAL};
use super::workload::Job;

/// The workload as CSV. The optional columns are there if any application has something in them.
pub fn write(jobs: &[Job], to: impl io::Write) -> io::Result<()> {
    let limits = jobs.iter().any(|job| job.time_limit.is_some());
    let priorities = jobs.iter().any(|job| job.priority != 0);
    let shown = [limits, priorities];
    let chosen = |values: [String; 2]| {
        let both = values.into_iter().zip(shown);
        both.filter_map(|(value, shown)| shown.then_some(value))
    };
    let mut csv = csv::Writer::from_writer(to);
    let header = COLUMNS.map(str::to_owned).into_iter();
    csv.write_record(header.chain(chosen(OPTIONAL.map(str::to_owned))))?;
    for job in jobs {
        let values = [
            job.submit.to_string(),
            job.user.to_string(),
            job.runtime.to_string(),
            job.core.to_string(),
            job.elastic.to_string(),
            job.member.cores.to_string(),
            job.member.memory.get().to_string(),
        ];
        let limit = job.time_limit.map(|limit| limit.to_string());
        let more = chosen([limit.unwrap_or_default(), job.priority.to_string()]);
        csv.write_record(values.into_iter().chain(more))?;
    }
    csv.flush()
}
