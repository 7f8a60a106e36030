//! The workloads, by name.
use crate::{
    error::Error,
    figures::{Done, Figures},
    flow::Flow,
    load::Generator,
    measure::{Snapshot, Window},
    options::Load,
    target::Target,
};

pub(crate) mod activities;
mod fan_out;
pub(crate) mod idle_runs;
mod local_activities;
mod signals;

const CEILING_IDLE_RUNS_MAX: u64 = 30_000;

/// One workload with its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// `count` activities one after another in each workflow, `concurrency` workflows at a time.
    Activities { count: u64, concurrency: usize },
    /// `count` markers in one workflow task.
    LocalActivities { count: u64, concurrency: usize },
    /// Signals to one run after another, each getting `per_run` from `senders`.
    Signals { senders: u64, per_run: u64 },
    /// `count` activities at once in one run.
    FanOut { count: u64 },
    /// `runs` open runs that do nothing.
    IdleRuns { runs: u64 },
}

impl Workload {
    /// All workloads in their usual sizes, with `idle_runs` open idle runs.
    pub fn all(idle_runs: u64) -> Vec<Self> {
        use Workload::{Activities, FanOut, IdleRuns, LocalActivities, Signals};
        let mut all = Vec::new();
        for concurrency in [1, 64] {
            all.extend([0, 1, 3].map(|count| Activities { count, concurrency }));
            all.push(LocalActivities { count: 3, concurrency });
        }
        all.push(Signals { senders: 16, per_run: 8_000 });
        all.extend([FanOut { count: 500 }, FanOut { count: 2_000 }, IdleRuns { runs: idle_runs }]);
        all
    }

    /// The workloads whose names begin with one of `prefixes`; all when there are none.
    ///
    /// # Errors
    /// When a prefix fits no workload.
    pub fn select(prefixes: &[String], idle_runs: u64) -> Result<Vec<Self>, Error> {
        let all = Self::all(idle_runs);
        let fits = |workload: &Self, prefix: &String| workload.name().starts_with(prefix.as_str());
        if let Some(prefix) = prefixes.iter().find(|prefix| !all.iter().any(|w| fits(w, prefix))) {
            let names: Vec<_> = all.iter().map(Self::name).collect();
            return Err(Error::NoSuchWorkload(prefix.clone(), names.join(", ")));
        }
        Ok(all.into_iter().filter(|w| prefixes.is_empty() || prefixes.iter().any(|p| fits(w, p))).collect())
    }

    /// The name, with the size in it.
    pub fn name(&self) -> String {
        match self {
            Self::Activities { count, concurrency } => format!("activities_{count}_at_{concurrency}"),
            Self::LocalActivities { count, concurrency } => format!("local_activities_{count}_at_{concurrency}"),
            Self::Signals { .. } => "signals".to_owned(),
            Self::FanOut { count } => format!("fan_out_{count}"),
            Self::IdleRuns { .. } => "idle_runs".to_owned(),
        }
    }

    /// The same for the ceiling, which keeps runs in memory without care for its size: its idle runs are no more than
    /// what its rate and processor time need.
    pub fn for_ceiling(self) -> Self {
        match self {
            Self::IdleRuns { runs } => Self::IdleRuns { runs: runs.min(CEILING_IDLE_RUNS_MAX) },
            other => other,
        }
    }

    /// Whether its latency is to be held against the cost of a sync.
    pub fn is_one_at_a_time(&self) -> bool {
        matches!(self, Self::Activities { concurrency: 1, .. } | Self::LocalActivities { concurrency: 1, .. })
    }

    /// Loads the server and checks every answer.
    ///
    /// # Errors
    /// When the server errs: a task lost, doubled or wrong fails the run.
    pub async fn run(&self, target: &Target, load: &Load) -> Result<Figures, Error> {
        let name = self.name();
        match *self {
            Self::Activities { count, concurrency } => {
                closed_loop(name, target, load, activities::Activities::new(count), concurrency).await
            }
            Self::LocalActivities { count, concurrency } => {
                closed_loop(name, target, load, local_activities::LocalActivities { count }, concurrency).await
            }
            Self::Signals { senders, per_run } => signals::run(name, target, load, senders, per_run).await,
            Self::FanOut { count } => fan_out::run(name, target, load, count).await,
            Self::IdleRuns { runs } => idle_runs::run(name, target, load, runs).await,
        }
    }
}

/// Measures workflows that are started and awaited, `concurrency` at a time.
pub(crate) async fn closed_loop<F: Flow>(
    workload: String,
    target: &Target,
    load: &Load,
    flow: F,
    concurrency: usize,
) -> Result<Figures, Error> {
    let generator = Generator::start(&target.address, load, flow).await?;
    generator.closed_loop(concurrency, load.warm_up).await?;
    let before = Snapshot::take(target).await;
    let latencies = generator.closed_loop(concurrency, load.length).await?;
    let window = Window::between(&before, &Snapshot::take(target).await);
    generator.flush().await?;
    let done = Done {
        workload,
        unit: "workflow",
        count: latencies.len() as u64,
        latency_of: "start to result",
        latencies,
        full_histories: generator.shared.full_histories(),
        overflows: generator.shared.overflows(),
    };
    Ok(Figures::new(done, &window, target))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Workload;

    #[test]
    fn names_select_by_their_beginning() {
        let names = |prefix: &str| -> Vec<String> {
            Workload::select(&[prefix.to_owned()], 1).unwrap().iter().map(Workload::name).collect()
        };
        assert_eq!(names("activities_3"), ["activities_3_at_1", "activities_3_at_64"]);
        assert_eq!(names("fan_out"), ["fan_out_500", "fan_out_2000"]);
        assert!(Workload::select(&["nonsense".to_owned()], 1).is_err());
        assert_eq!(Workload::select(&[], 1).unwrap().len(), 12);
    }
}
