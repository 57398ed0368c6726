//! A worker that uses all it may is not killed for it.

use crate::spark::site::{Site, data};

#[test]
fn a_busy_worker_of_default_size_survives() {
    let site = Site::new();
    let done = site.run(&["submit", &data("busy.py"), "--", "900000", "2400000"]);
    let printed = done.expect(0);
    assert!(printed.contains("cached 900000\n"), "{printed}");
    assert!(printed.contains("sorted 921600000\n"), "{printed}");
    assert!(printed.contains("grouped 2400000\n"), "{printed}");
    assert!(!done.stderr.contains("Lost executor"), "{}", done.stderr);

    // HOST PEAK LIMIT KILLED
    let mut hosts = Vec::new();
    for line in printed
        .lines()
        .filter_map(|line| line.strip_prefix("worker "))
    {
        let fields: Vec<_> = line.split(' ').collect();
        let [host, peak, limit, killed] = fields[..] else {
            panic!("{line}");
        };
        let mib = |bytes: &str| bytes.parse::<u64>().unwrap() >> 20;
        assert_eq!(mib(limit), 1024 + 384, "{line}");
        assert!(mib(peak) > 1024, "it was not busy: {line}");
        assert_eq!(killed, "0", "{line}");
        hosts.push(host.to_owned());
    }
    assert_eq!(hosts.len(), 2, "{printed}");
    site.assert_nothing_left();
}
