//! The measured sweeps: the errors that the documentation reports.

use std::path::Path;

use isocost_calibration::{Family, Options, Validation, fit, mark_single_client, read};

#[test]
fn the_roofline_model_follows_the_measured_sweeps() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/reference/measured/vllm-sweeps.csv");
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return;
    }
    let mut points = read::load(&[path]).expect("the sweeps are sound").points;
    assert_eq!(mark_single_client(&mut points), 6);
    let options = Options { starts: 6, ..Options::default() };
    let fitted = fit(Family::Roofline, &points, &options).expect("there are enough points");
    assert!(fitted.excluded.is_empty());
    assert!(fitted.confidence.doubts.is_empty(), "{:?}", fitted.confidence.doubts);

    let v = Validation::new(&fitted, &points);
    let close = |what: &str, error: f64, reported: f64| {
        assert!((error - reported).abs() < 0.002, "{what}: {error:.4}, reported {reported}");
    };
    close("ITL, mean", v.fitted.itl.mean, 0.012);
    close("ITL, median", v.fitted.itl.median, 0.007);
    close("TTFT, mean", v.fitted.ttft.mean, 0.031);
    close("TTFT, median", v.fitted.ttft.median, 0.030);
    close("a straight line", v.line.median, 0.137);
    // The targets, on sweeps that the fit has not seen.
    assert_eq!(v.sweeps.len(), 6);
    for sweep in &v.sweeps {
        let unseen = sweep.left_out.as_ref().expect("five sweeps are left");
        assert!(unseen.itl.median < 0.02, "{}: ITL {:.4}", sweep.name, unseen.itl.median);
        assert!(unseen.ttft.median < 0.06, "{}: TTFT {:.4}", sweep.name, unseen.ttft.median);
    }
}
