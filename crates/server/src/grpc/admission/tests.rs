#![allow(clippy::unwrap_used)]
use super::*;

fn admission(calls_under_way_max: usize, calls_when_overloaded_max: usize, pending_bytes_max: usize) -> Arc<Admission> {
    let config =
        DynamicConfig { calls_under_way_max, calls_when_overloaded_max, pending_bytes_max, ..Default::default() };
    Admission::new(Env::real(), &config, Gauge::default(), &Metrics::default())
}

impl Admission {
    fn take(self: &Arc<Self>, kind: Kind, pending_bytes: usize) -> Option<Place> {
        let mut place = self.arrive(kind, pending_bytes, &HeaderMap::new()).ok()?;
        place.begin().is_ok().then_some(place)
    }
}

#[test]
fn methods_are_told_apart() {
    for (method, kind) in [
        ("StartWorkflowExecution", Kind::New),
        ("GetWorkflowExecutionHistory", Kind::New),
        ("RecordWorkerHeartbeat", Kind::New),
        ("RespondActivityTaskCompletedById", Kind::OfWorker),
        ("RecordActivityTaskHeartbeat", Kind::OfWorker),
        ("PollWorkflowTaskQueue", Kind::OfWorker),
    ] {
        assert_eq!(Kind::of(method), kind, "{method}");
    }
}

#[tokio::test]
async fn workers_and_operators_go_on_when_new_work_is_refused() {
    let admission = admission(1, 0, 0);
    let first = admission.take(Kind::New, 0).unwrap();
    assert!(admission.take(Kind::New, 0).is_none());
    let operator = HeaderMap::from_iter([("caller-type".parse().unwrap(), "operator".parse().unwrap())]);
    drop(admission.arrive(Kind::New, 0, &operator).unwrap());
    let answer = admission.take(Kind::OfWorker, 0).unwrap();
    assert!(admission.take(Kind::OfWorker, 0).is_none(), "the reserve has an end too");
    drop((first, answer));
    assert!(admission.take(Kind::New, 0).is_some());
    assert_eq!(admission.refused_calls.get(), 2);
}

#[tokio::test]
async fn calls_that_wait_are_not_under_way() {
    let admission = admission(1, 0, 0);
    let _poll = admission.take(Kind::OfWorker, 0).unwrap();
    assert!(admission.take(Kind::New, 0).is_none());
    admission.waiting.add(1);
    assert!(admission.take(Kind::New, 0).is_some());
}

#[tokio::test]
async fn once_full_it_takes_little_new_work_until_that_is_over() {
    let admission = admission(4, 2, 0);
    let arrive = || admission.arrive(Kind::New, 0, &HeaderMap::new());
    let mut in_line: Vec<Place> = (0..4).map(|_| arrive().unwrap()).collect();
    assert!(arrive().is_err());
    let begun: Vec<bool> = in_line.iter_mut().map(|place| place.begin().is_ok()).collect();
    assert_eq!(begun, [true, true, false, false]);
    in_line.truncate(2);
    assert!(arrive().is_err(), "two are at work");
    assert!(admission.take(Kind::OfWorker, 0).is_some());
    in_line.truncate(1);
    drop(arrive().unwrap());
    admission.overload.end();
    in_line.extend((0..3).map(|_| arrive().unwrap()));
    assert!(in_line.iter_mut().skip(1).all(|place| place.begin().is_ok()));
}

#[tokio::test]
async fn bytes_count_from_the_message_to_the_disk() {
    let admission = admission(0, 0, 100);
    let mut large = admission.take(Kind::New, 99).unwrap();
    large.hold(60);
    assert!(admission.take(Kind::New, 39).is_some());
    assert!(admission.take(Kind::New, 40).is_none());
    assert!(admission.take(Kind::OfWorker, 139).is_some());
    assert!(admission.take(Kind::OfWorker, 140).is_none());
    drop(large);
    assert!(admission.take(Kind::New, 99).is_some());
    assert_eq!(admission.refused_bytes.get(), 2);
}
