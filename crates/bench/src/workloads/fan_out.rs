//! One run that schedules many activities in one workflow task and completes when all have ended.
use std::time::Duration;

use abide_proto::temporal::api::{command::v1::Command, history::v1::HistoryEvent, taskqueue::v1::TaskQueue};

use crate::{
    error::Error,
    fault::Fault,
    figures::{Done, Figures},
    flow::{Flow, Results, is_overflow},
    load::Generator,
    measure::{Snapshot, Window},
    options::Load,
    target::Target,
    wire,
};

struct FanOut {
    count: u64,
}

impl Flow for FanOut {
    type Memory = Results;

    const TYPE: &'static str = "FanOut";

    fn advance(
        &self,
        results: &mut Results,
        events: &[HistoryEvent],
        queue: &TaskQueue,
    ) -> Result<Vec<Command>, Fault> {
        results.observe_all(events.iter().filter(|event| !is_overflow(event)))?;
        if results.are_none() {
            return Ok((1..=self.count).map(|number| wire::schedule_activity(queue, number)).collect());
        }
        let done = results.taken() as u64;
        Ok(if done == self.count { vec![wire::complete_workflow(done)] } else { Vec::new() })
    }

    fn may_overflow(&self) -> bool {
        true
    }

    fn activities(&self) -> usize {
        self.count as usize
    }

    fn result(&self) -> Option<u64> {
        Some(self.count)
    }
}

/// Runs such workflows one at a time; counts activities.
pub(super) async fn run(workload: String, target: &Target, load: &Load, count: u64) -> Result<Figures, Error> {
    let generator = Generator::start(&target.address, load, FanOut { count }).await?;
    generator.closed_loop(1, Duration::ZERO).await?; // one run
    let before = Snapshot::take(target).await;
    let latencies = generator.closed_loop(1, load.length).await?;
    let window = Window::between(&before, &Snapshot::take(target).await);
    generator.flush().await?;
    let runs = latencies.len() as u64;
    let done = Done {
        workload,
        unit: "activity",
        count: runs * count,
        latency_of: "start to result of a run",
        latencies,
        full_histories: generator.shared.full_histories(),
        overflows: generator.shared.overflows(),
    };
    Ok(Figures::new(done, &window, target).with("runs", Some(runs as f64), ""))
}
