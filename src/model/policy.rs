//! How a site shares its nodes: in which order, and how much of what it wants an execution needs to start.

use super::amount::Resources;
use super::application::{Application, Component};

/// [`AGEING`] as it stands in the configuration.
pub const AGEING_TEXT: &str = "10";

/// How many seconds of waiting take a second of the whole cluster off a size, where the configuration says nothing else: one
/// that wants a tenth of the cluster is overtaken only by what comes within its own running time.
pub const AGEING: u32 = match u32::from_str_radix(AGEING_TEXT, 10) {
    Ok(seconds) => seconds,
    // Not compiled: the text is a number.
    Err(_) => panic!("AGEING_TEXT is a number"),
};

/// How executions of one priority are ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    /// First come, first served.
    #[default]
    Fifo,
    /// The smallest first: its share of the cluster times its running time, which is the work to be done. Shortest job first
    /// for work instead of time ("SRPT-2D" in CCGRID 2017). A large one may starve.
    Size,
    /// The same, but every second of waiting counts: every ten seconds take a second of the whole cluster off the size.
    /// As all age alike, nobody who comes later than a bounded time after another can overtake it.
    DynSize,
    /// The highest response ratio next (Brinch Hansen, 1971): (waited + runtime) / runtime. Short ones go first, and who
    /// waits long enough goes before everybody.
    Hrrn,
    /// Who belongs to the user with the least decayed usage, first (the fair share of Kay and Lauder, 1988).
    Fair,
}

/// How executions share what there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// An execution gets all its members, core and elastic, or none.
    Rigid,
    /// An execution starts with its core members, and gets elastic ones where there is room ("Flexible Scheduling of
    /// Distributed Analytic Applications", CCGRID 2017).
    #[default]
    Flexible,
}

impl Order {
    /// All of them, by the names they have in the configuration.
    pub const NAMED: [(&'static str, Self); 5] = [
        ("fifo", Self::Fifo),
        ("size", Self::Size),
        ("dynsize", Self::DynSize),
        ("hrrn", Self::Hrrn),
        ("fair", Self::Fair),
    ];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Size => "size",
            Self::DynSize => "dynsize",
            Self::Hrrn => "hrrn",
            Self::Fair => "fair",
        }
    }

    /// Whether a place stays the same however long an execution waits, and whatever others do.
    pub fn is_steady(self) -> bool {
        match self {
            Self::Fifo | Self::Size | Self::DynSize => true,
            Self::Hrrn | Self::Fair => false,
        }
    }
}

impl Mode {
    /// How many members of a component an execution must be given to start.
    pub fn at_start(self, component: &Component) -> u32 {
        match self {
            Self::Rigid => component.members(),
            Self::Flexible => component.core,
        }
    }

    /// What an application must be given to start.
    pub fn needed(self, application: &Application) -> Resources {
        let components = application.components.iter();
        components
            .map(|c| c.reservation().times(self.at_start(c).into()))
            .sum()
    }

    /// Both, by the names they have in the configuration.
    pub const NAMED: [(&'static str, Self); 2] =
        [("rigid", Self::Rigid), ("flexible", Self::Flexible)];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rigid => "rigid",
            Self::Flexible => "flexible",
        }
    }
}
