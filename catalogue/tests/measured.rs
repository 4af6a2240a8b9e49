//! The efficiencies that are compiled in, on the systems that they were fitted to.

#[path = "../benches/left_out/systems.rs"]
mod systems;

use isocost_calibration::predict;
use isocost_catalogue::Efficiency;
use isocost_model::queue::ServiceModel;

/// ITL within a tenth and TTFT within a fifth at the median: a change of the physics shows here, and asks for a
/// new fit (`cargo bench -p isocost-catalogue --bench left_out`).
#[test]
fn estimates_are_near_what_was_measured() {
    let systems = systems::measured();
    if systems.is_empty() {
        return;
    }
    assert_eq!(systems.len(), 13);
    let (mut itl, mut ttft) = (Vec::new(), Vec::new());
    for system in &systems {
        let roofline = system.roofline(&Efficiency::of(&system.card));
        let bench = system.bench();
        assert!(system.points.len() >= 18, "{}", system.name);
        for point in &system.points {
            let found = predict(ServiceModel::Roofline(roofline), &bench, point);
            let found = found.expect("service times are positive");
            itl.extend(point.itl_ms.map(|measured| (found.itl_ms / measured - 1.0).abs()));
            ttft.extend(point.ttft_ms.map(|measured| (found.ttft_ms / measured - 1.0).abs()));
        }
    }
    let median = |errors: &mut Vec<f64>| {
        errors.sort_by(f64::total_cmp);
        errors[errors.len() / 2]
    };
    let (itl, ttft) = (median(&mut itl), median(&mut ttft));
    assert!(itl < 0.10, "ITL off by {itl}");
    assert!(ttft < 0.20, "TTFT off by {ttft}");
}
