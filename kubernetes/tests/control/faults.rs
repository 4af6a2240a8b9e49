//! Faults of the API server, of Deployments and of the data.

use std::sync::Arc;
use std::time::Duration;

use isocost_kubernetes::actuate::{ActuateOptions, Ownership};
use isocost_kubernetes::control::{Controller, Record, Stability};
use serde_json::json;

use crate::stand_in::StandIn;
use crate::stand_in::fleet::{Setup, controller, cycle, data, deployment, parts, servers, state};
use crate::stand_in::store::Write;
use crate::{SPACE, fleet, id, undisturbed};

#[tokio::test]
async fn an_api_server_that_goes_away_in_a_cycle_leaves_nothing_that_the_next_does_not_mend() {
    let wanted = undisturbed(12).await;
    // The first request lists; the others apply. It goes away at the start, in the midst, at the end.
    for answered in [0, 1, 2, 7, 12] {
        let stand_in = fleet(12).await;
        let controller = controller(&stand_in, SPACE, &Setup::default());
        stand_in.faults.gone_after(answered);
        let cut = cycle(&controller).await;
        assert!(!cut.errors.is_empty());
        assert_eq!(cut.count("applied") as i64, (answered - 1).max(0), "{:?}", cut.errors);
        stand_in.faults.mended();
        let mended = cycle(&controller).await;
        assert_eq!(mended.errors, Vec::<String>::new());
        assert_eq!(state(&stand_in, SPACE), wanted, "after {answered} answers");
    }
}

#[tokio::test]
async fn one_answer_that_fails_fails_one_change() {
    let stand_in = fleet(6).await;
    let controller = controller(&stand_in, SPACE, &Setup::default());
    stand_in.faults.fail_at(4);
    let record = cycle(&controller).await;
    assert_eq!((record.count("applied"), record.count("failed")), (5, 1));
    assert_eq!(cycle(&controller).await.count("applied"), 1);
    assert_eq!(state(&stand_in, SPACE), undisturbed(6).await);
}

#[tokio::test]
async fn a_slow_api_server_is_given_up_in_time_and_the_next_cycle_mends_it() {
    let stand_in = fleet(3).await;
    let setup = Setup { timeout: Duration::from_millis(200), ..Setup::default() };
    stand_in.faults.slow(Duration::from_secs(3600));
    let slow = cycle(&controller(&stand_in, SPACE, &setup)).await;
    assert!(slow.errors[0].contains("cannot list Deployments"), "{:?}", slow.errors);
    stand_in.faults.mended();
    let record = cycle(&controller(&stand_in, SPACE, &Setup::default())).await;
    assert_eq!(record.count("applied"), 3);
}

#[tokio::test]
async fn half_of_the_deployments_may_vanish_between_observing_and_applying() {
    let stand_in = fleet(12).await;
    let controller = controller(&stand_in, SPACE, &Setup::default());
    let view = controller.observe().await.unwrap();
    let (fleet, decision) = controller.decide(view).await.unwrap();
    for (name, _) in servers(12).iter().step_by(2) {
        stand_in.store.lock().unwrap().delete(&id(name)).unwrap();
    }
    let done = controller.apply(&fleet, decision, || true).await;
    let mut record = Record::begin(1, "test", false);
    record.apply(&done);
    assert_eq!((record.count("applied"), record.count("failed")), (6, 6));
    assert!(record.errors.iter().all(|e| e.contains("is gone")), "{:?}", record.errors);
    assert_eq!(state(&stand_in, SPACE).len(), 6, "none was made anew");
    let next = cycle(&controller).await;
    assert_eq!(next.errors, Vec::<String>::new());
    assert_eq!(next.observed.len(), 6);
}

#[tokio::test]
async fn a_cycle_cut_off_between_deciding_and_applying_is_made_up_for() {
    let stand_in = fleet(12).await;
    let first = controller(&stand_in, SPACE, &Setup::default());
    let view = first.observe().await.unwrap();
    let decided = first.decide(view).await.unwrap();
    drop(decided);
    // The same process goes on.
    assert_eq!(cycle(&first).await.count("applied"), 12);
    assert_eq!(state(&stand_in, SPACE), undisturbed(12).await);

    // The process died; some changes were on their way.
    let stand_in = fleet(12).await;
    let dies = controller(&stand_in, SPACE, &Setup::default());
    stand_in.faults.slow(Duration::from_millis(20));
    let cut = tokio::time::timeout(Duration::from_millis(400), cycle(&dies)).await;
    drop((cut, dies));
    stand_in.faults.mended();
    cycle(&controller(&stand_in, SPACE, &Setup::default())).await;
    assert_eq!(state(&stand_in, SPACE), undisturbed(12).await);
}

#[tokio::test]
async fn a_deployment_that_somebody_owns_is_pinned_as_it_stands_until_it_is_taken_over() {
    let stand_in = fleet(6).await;
    let (name, _) = &servers(6)[2];
    let someone = Write { manager: "kubectl", force: false, dry_run: false };
    let body = json!({ "spec": { "replicas": 77 } });
    stand_in.store.lock().unwrap().merge(&id(name), &body, &someone).unwrap();
    let controller = controller(&stand_in, SPACE, &Setup::default());
    for decided in [5, 0] {
        let record = cycle(&controller).await;
        assert_eq!(record.errors, Vec::<String>::new());
        assert_eq!(record.decided.len(), decided, "nothing counts on changing it");
        let left = record.left_alone.iter().find(|left| left.name == *name).expect("it is told");
        assert!(left.reason.contains("its replicas belong to kubectl"), "{}", left.reason);
        assert!(left.reason.contains("--take-over"), "{}", left.reason);
    }
    let replicas = |stand_in: &StandIn| {
        stand_in.object("deployments", SPACE, name).unwrap()["spec"]["replicas"].clone()
    };
    assert_eq!(replicas(&stand_in), json!(77));
    let with = |ownership| {
        let actuate = ActuateOptions { ownership, ..ActuateOptions::default() };
        self::controller(&stand_in, SPACE, &Setup { actuate, ..Setup::default() })
    };
    let shrinks = cycle(&with(Ownership::TakeOver)).await;
    assert_eq!((shrinks.errors.len(), shrinks.count("applied")), (0, 1), "{:?}", shrinks.errors);
    assert_ne!(replicas(&stand_in), json!(77));
    // Once: what is set after that is theirs.
    let body = json!({ "spec": { "replicas": 2 } });
    stand_in.store.lock().unwrap().merge(&id(name), &body, &someone).unwrap();
    assert_eq!(cycle(&with(Ownership::TakeOver)).await.decided, vec![]);
    assert_eq!(cycle(&with(Ownership::Force)).await.count("applied"), 1);
}

#[tokio::test]
async fn deployments_that_were_created_belong_to_their_maker_until_they_are_taken_over() {
    let stand_in = StandIn::start().await;
    let kubectl = Write { manager: "kubectl-create", force: false, dry_run: false };
    for (name, labels) in servers(6) {
        let mut store = stand_in.store.lock().unwrap();
        store.create("deployments", SPACE, deployment(&name, &labels), &kubectl).unwrap();
    }
    let record = cycle(&controller(&stand_in, SPACE, &Setup::default())).await;
    assert_eq!((record.decided.len(), record.left_alone.len(), record.errors.len()), (0, 6, 0));
    let reason = &record.left_alone[0].reason;
    assert!(reason.contains("kubectl-create") && reason.contains("--take-over"), "{reason}");
    assert_eq!(record.cost.after, record.cost.before, "nothing is counted that does not happen");
    let actuate = ActuateOptions { ownership: Ownership::TakeOver, ..ActuateOptions::default() };
    let setup = Setup { actuate, ..Setup::default() };
    assert_eq!(cycle(&controller(&stand_in, SPACE, &setup)).await.count("applied"), 6);
    assert_eq!(state(&stand_in, SPACE), undisturbed(6).await);
}

#[tokio::test]
async fn an_expired_token_is_told_apart_from_a_missing_right_and_what_is_refused_is_pinned() {
    let stand_in = fleet(6).await;
    let stability = Stability { cool_down: Duration::from_secs(300), ..Stability::default() };
    let controller = controller(&stand_in, SPACE, &Setup { stability, ..Setup::default() });
    for (status, words) in [(401, "renew it"), (403, "grant it")] {
        stand_in.faults.refuse(status, false);
        let record = cycle(&controller).await;
        assert!(record.errors[0].contains(words), "{:?}", record.errors);
    }
    stand_in.faults.refuse(0, false);
    stand_in.faults.refuse(403, true);
    let record = cycle(&controller).await;
    assert_eq!((record.count("failed"), record.succeeded()), (6, false));
    // It may not change them: they are not planned to change, and nothing fails any more.
    let record = cycle(&controller).await;
    assert_eq!((record.decided.len(), record.errors.len(), record.left_alone.len()), (0, 0, 6));
    assert!(record.left_alone[0].reason.contains("tried again"), "{:?}", record.left_alone);
    // One that starts anew tries anew.
    stand_in.faults.mended();
    let anew = self::controller(&stand_in, SPACE, &Setup::default());
    assert_eq!(cycle(&anew).await.count("applied"), 6);
}

#[tokio::test]
async fn static_data_that_breaks_is_an_error_of_the_cycle_and_not_of_the_process() {
    let stand_in = fleet(3).await;
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(data()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    let setup = Setup { data: dir.path().to_owned(), ..Setup::default() };
    let mut parts = parts(stand_in.config(), SPACE, &setup);
    parts.data.dynamic = true;
    let controller = Arc::new(Controller::new(parts).unwrap());
    std::fs::write(dir.path().join("model-data.json"), "{").unwrap();
    let record = cycle(&controller).await;
    assert!(record.errors[0].contains("model-data.json"), "{:?}", record.errors);
    std::fs::copy(data().join("model-data.json"), dir.path().join("model-data.json")).unwrap();
    assert_eq!(cycle(&controller).await.count("applied"), 3);
}
