//! Every workload, small, against the ceiling: as it is, and with a flaw that the load generator must notice.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
use std::{net::SocketAddr, path::Path, time::Duration};

use abide_bench::{
    Error, Fault, Figures, Load, Running, Server, Workload,
    ceiling::{self, Flaw},
};
use tokio::net::TcpListener;

/// Runs the workload against a ceiling in this process.
async fn run(workload: Workload, flaw: Option<Flaw>, lost_after: Duration) -> Result<Figures, Error> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = tokio::spawn(ceiling::serve(listener, flaw));
    let running = Running { address, pid: Some(std::process::id()), ..Running::default() };
    let target = Server::Running(running).target(Path::new(".")).await?;
    let load = Load {
        length: Duration::from_millis(50),
        warm_up: Duration::ZERO,
        pollers: 4,
        lost_after,
        settle: Duration::ZERO,
        ..Load::default()
    };
    let figures = workload.run(&target, &load).await;
    serving.abort();
    figures
}

async fn healthy(workload: Workload) -> Figures {
    let figures = run(workload, None, Duration::from_secs(60)).await.unwrap();
    assert!(figures.count > 0 && figures.rate_per_s > 0.0 && figures.latency.is_some(), "{figures:?}");
    assert_eq!(figures.full_histories, 0);
    figures
}

/// The fault that the flaw leads to. What is lost is waited for in vain, so only then is the wait short.
async fn fault(workload: Workload, flaw: Flaw) -> Fault {
    let loses = matches!(flaw, Flaw::LoseActivityTask | Flaw::LoseSignal);
    let lost_after = Duration::from_secs(if loses { 1 } else { 60 });
    match run(workload, Some(flaw), lost_after).await {
        Err(Error::Fault(fault)) => fault,
        other => panic!("not noticed: {other:?}"),
    }
}

const ACTIVITIES: Workload = Workload::Activities { count: 3, concurrency: 8 };
const SIGNALS: Workload = Workload::Signals { senders: 4, per_run: 200 };

#[tokio::test]
async fn activities_none() {
    healthy(Workload::Activities { count: 0, concurrency: 1 }).await;
}

#[tokio::test]
async fn activities_one_at_a_time() {
    healthy(Workload::Activities { count: 1, concurrency: 1 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn activities_many_at_a_time() {
    healthy(ACTIVITIES).await;
}

#[tokio::test]
async fn local_activities() {
    healthy(Workload::LocalActivities { count: 3, concurrency: 8 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals() {
    let figures = healthy(SIGNALS).await;
    assert_eq!(figures.count % 200, 0);
}

#[tokio::test]
async fn fan_out() {
    let figures = healthy(Workload::FanOut { count: 100 }).await;
    assert_eq!(figures.count % 100, 0);
}

#[tokio::test]
async fn idle_runs() {
    let figures = healthy(Workload::IdleRuns { runs: 700 }).await;
    assert_eq!(figures.count, 700);
    let names: Vec<_> = figures.more.iter().map(|figure| figure.name).collect();
    assert!(names.contains(&"memory per run, settled") && names.contains(&"wake to result p50"), "{names:?}");
}

#[tokio::test]
async fn a_workflow_task_handed_out_twice_is_noticed() {
    assert!(matches!(fault(ACTIVITIES, Flaw::DuplicateWorkflowTask).await, Fault::Duplicated { .. }));
}

#[tokio::test]
async fn an_activity_task_handed_out_twice_is_noticed() {
    assert!(matches!(fault(ACTIVITIES, Flaw::DuplicateActivityTask).await, Fault::Duplicated { .. }));
    assert!(matches!(
        fault(Workload::FanOut { count: 50 }, Flaw::DuplicateActivityTask).await,
        Fault::Duplicated { .. }
    ));
}

#[tokio::test]
async fn a_lost_activity_task_is_noticed() {
    assert!(matches!(fault(ACTIVITIES, Flaw::LoseActivityTask).await, Fault::Lost { .. }));
}

#[tokio::test]
async fn a_lost_signal_is_noticed() {
    let fault = fault(SIGNALS, Flaw::LoseSignal).await;
    assert!(matches!(fault, Fault::Wrong { ref what, .. } if what.starts_with("turn of a signal")), "{fault}");
}

#[tokio::test]
async fn a_signal_recorded_twice_is_noticed() {
    let fault = fault(SIGNALS, Flaw::DuplicateSignal).await;
    assert!(matches!(fault, Fault::Wrong { ref what, .. } if what.starts_with("turn of a signal")), "{fault}");
}

#[tokio::test]
async fn a_lost_event_is_noticed() {
    let fault = fault(ACTIVITIES, Flaw::LoseEvent).await;
    assert!(matches!(fault, Fault::Wrong { ref what, .. } if what.starts_with("first event")), "{fault}");
}

#[tokio::test]
async fn another_runs_result_is_noticed() {
    let fault = fault(ACTIVITIES, Flaw::WrongResult).await;
    assert!(matches!(fault, Fault::Wrong { ref what, .. } if what.starts_with("result of run")), "{fault}");
}

#[tokio::test]
async fn a_program_that_is_not_there_or_ends_at_once_is_an_error() {
    let start = async |path: &str| Server::Program(path.into()).target(&std::env::temp_dir()).await;
    assert!(matches!(start("/nonexistent/abide").await, Err(Error::Spawn { .. })));
    assert!(matches!(start("/bin/false").await, Err(Error::Ended { .. })));
}
