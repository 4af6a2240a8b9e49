//! Reading measured points: every format, and everything that may be wrong with it.

use isocost_calibration::{Arrivals, mark_single_client, read, sweeps, systems};

const CSV: &str = "\
sweep,request_rate_per_s,mean_input_tokens,mean_output_tokens,ttft_mean_ms,itl_mean_ms,concurrency,throughput_per_s
short,1.5,100,20,31.5,10.25,,
short,9,100,20,,12.5,,7.2
\"long, very\",0.5,900,300,80,,4,
";

#[test]
fn csv_with_every_column() {
    let points = read::load_text("bench.csv", CSV).expect("it is sound").points;
    assert_eq!(sweeps(&points), ["short", "long, very"]);
    assert_eq!(points[0].arrivals, Arrivals::POISSON);
    assert_eq!((points[0].ttft_ms, points[0].itl_ms), (Some(31.5), Some(10.25)));
    assert_eq!((points[1].ttft_ms, points[1].in_flight), (None, None));
    assert_eq!(points[2].arrivals, Arrivals::Closed { clients: 4 });
    assert_eq!(points[2].place, "bench.csv:4:1");
}

#[test]
fn every_problem_of_a_csv_with_its_place() {
    let text = "\
request_rate_per_s,mean_input_tokens,mean_output_tokens,ttft_mean_ms,itl_mean_ms,sweeep
1,100,20,31,10,a
-1,100,20,31,10,a
1,many,20,31,10,a
1,100,0.5,31,10,a
1,100,20,,,a
1,100,20
,100,20,31,0,a
";
    let error = read::load_text("bench.csv", text).expect_err("it is not sound");
    let places: Vec<&str> = error.problems.iter().map(|p| p.place.as_str()).collect();
    let expected = [
        "bench.csv:3:1",
        "bench.csv:4:3",
        "bench.csv:5:7",
        "bench.csv:6:10",
        "bench.csv:7:1",
        "bench.csv:8:1",
        "bench.csv:8:12",
    ];
    assert_eq!(places, expected, "{error}");
    let header = read::load_text("bench.csv", "rate,tokens\n1,2\n").expect_err("no columns");
    assert!(
        header.to_string().contains("no column request_rate_per_s, mean_input_tokens"),
        "{header}"
    );
    let odd = read::load_text("bench.csv", &text[..text.find("\n-1").unwrap_or(0)]);
    let warnings = odd.expect("the first row is sound").warnings;
    assert!(warnings[0].to_string().contains("did you mean `sweep`"), "{}", warnings[0]);
    assert!(read::load_text("bench.csv", " \n").is_err());
}

/// A benchmark in GuideLLM's form.
fn benchmark(strategy: &str, rate: f64, ttft: f64, itl: f64) -> String {
    let metric = |name: &str, mean: f64| {
        format!(
            r#""{name}": {{"successful": {{"mean": {mean}, "median": 1.0, "std_dev": 0.5}},
                "errored": {{"mean": 0.0}}, "total": {{"mean": 9.0}}}}"#
        )
    };
    format!(
        r#"{{"type_": "generative_benchmark", "duration": 60.0, "config": {{"run_index": 0, "strategy": {strategy}}},
            "metrics": {{{}, {}, {}, {}, {}}}}}"#,
        metric("requests_per_second", rate),
        metric("prompt_token_count", 250.0),
        metric("output_token_count", 100.0),
        metric("time_to_first_token_ms", ttft),
        metric("inter_token_latency_ms", itl),
    )
}

fn report(benchmarks: &[String]) -> String {
    format!(r#"{{"metadata": {{"version": 1}}, "benchmarks": [{}]}}"#, benchmarks.join(",\n"))
}

#[test]
fn guidellm_reports_of_both_generations() {
    let text = report(&[
        benchmark(r#"{"type_": "synchronous"}"#, 0.9, 25.0, 11.0),
        benchmark(r#"{"type_": "throughput", "max_concurrency": 512}"#, 30.0, 9000.0, 80.0),
        benchmark(r#"{"type_": "constant", "rate": 4.0}"#, 3.9, 30.0, 12.0),
        benchmark(r#"{"type_": "poisson", "rate": 8.0, "random_seed": 42}"#, 6.0, 900.0, 30.0),
        benchmark(r#"{"type_": "concurrent", "streams": 16}"#, 12.0, 40.0, 14.0),
    ]);
    for text in [text.clone(), text.replace("\"config\"", "\"args\"")] {
        let measured = read::load_text("benchmarks.json", &text).expect("it is sound");
        let points = &measured.points;
        assert_eq!(points.len(), 4, "a flood is no steady load");
        assert!(measured.warnings.iter().any(|w| w.to_string().contains("no steady load")));
        assert_eq!(points[0].arrivals, Arrivals::Closed { clients: 1 });
        assert_eq!(points[1].arrivals, Arrivals::Open { scv: 0.0 });
        let left = points[1].in_flight.expect("the rate and the run's length are told");
        assert!((left - 0.1 * 60.0).abs() < 1e-9, "{left}");
        assert_eq!(points[1].rate_per_s, 4.0, "the rate at which requests arrive");
        assert_eq!((points[2].arrivals, points[2].in_flight), (Arrivals::POISSON, Some(120.0)));
        assert!(points[2].grown().is_some() && points[1].grown().is_none());
        assert_eq!(points[3].arrivals, Arrivals::Closed { clients: 16 });
        assert_eq!((points[3].input_tokens, points[3].output_tokens), (250.0, 100.0));
        assert_eq!((points[3].ttft_ms, points[3].itl_ms), (Some(40.0), Some(14.0)));
        assert_eq!(sweeps(points).len(), 1);
    }
}

#[test]
fn every_problem_of_a_guidellm_report() {
    let good = benchmark(r#"{"type_": "constant", "rate": 4.0}"#, 3.9, 30.0, 12.0);
    let text = report(&[
        good.replace("inter_token_latency_ms", "other"),
        good.replace("\"mean\": 3.9", "\"mean\": -3.9"),
        benchmark(r#"{"type_": "concurrent"}"#, 12.0, 40.0, 14.0),
        good.replace("strategy", "plan"),
    ]);
    let error = read::load_text("benchmarks.json", &text).expect_err("it is not sound");
    let all = error.to_string();
    for words in ["inter_token_latency_ms.successful.mean", "-3.9", "streams", "the strategy"] {
        assert!(all.contains(words), "`{words}` is not in: {all}");
    }
    assert!(error.problems.iter().all(|p| p.place.starts_with("benchmarks.json:")), "{all}");
    assert!(read::load_text("x.json", r#"{"benchmarks": []}"#).is_err());
    assert!(read::load_text("x.json", r#"{"benchmarks": [{}"#).is_err());
    assert!(read::load_text("x.json", r#"{"something": 1}"#).is_err());
}

/// A result in the form of `vllm bench serve`.
fn result(rate: &str, clients: &str, throughput: f64) -> String {
    format!(
        r#"{{"date": "20250101-000000", "backend": "vllm", "num_prompts": 400, "request_rate": {rate}, "burstiness": 0.5, "max_concurrency": {clients}, "duration": 100.0, "completed": 400, "total_input_tokens": 200000, "total_output_tokens": 40000, "request_throughput": {throughput}, "mean_ttft_ms": 45.5, "median_ttft_ms": 44.0, "mean_tpot_ms": 12.5, "mean_itl_ms": 12.9}}"#
    )
}

#[test]
fn vllm_results_alone_and_appended() {
    let one = read::load_text("result.json", &result("4.0", "null", 3.95)).expect("sound").points;
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].arrivals, Arrivals::Open { scv: 2.0 });
    assert_eq!((one[0].rate_per_s, one[0].input_tokens, one[0].output_tokens), (4.0, 500.0, 100.0));
    assert_eq!((one[0].ttft_ms, one[0].itl_ms), (Some(45.5), Some(12.5)));
    // 400 requests at 4 a second take 100 s, and the longest answer some more: nothing grew.
    assert_eq!(one[0].in_flight, one[0].concurrency());
    let slow = read::load_text("result.json", &result("4.0", "null", 2.5)).expect("sound").points;
    // The run took 160 s, 60 s beyond the arrivals.
    let (in_flight, steady) = slow[0].grown().expect("the queue grew");
    assert!(in_flight > 100.0 && steady < 10.0, "{in_flight}, {steady}");

    let lines =
        [result("\"inf\"", "8", 6.5), result("\"inf\"", "null", 40.0), result("2", "64", 1.9)];
    let measured = read::load_text("result.json", &lines.join("\n")).expect("sound");
    assert_eq!(measured.points.len(), 2);
    assert_eq!(measured.points[0].arrivals, Arrivals::Closed { clients: 8 });
    assert_eq!(measured.points[1].place, "result.json:3:1");
    assert!(measured.warnings.iter().any(|w| w.to_string().contains("at once")));

    let bad = [
        result("\"fast\"", "null", 4.0),
        result("4", "null", 4.0).replace("completed", "finished"),
    ];
    let error = read::load_text("result.json", &bad.join("\n")).expect_err("not sound");
    let places: Vec<&str> = error.problems.iter().map(|p| p.place.as_str()).collect();
    assert!(places[0].starts_with("result.json:1:"), "{error}");
    assert!(places[1].starts_with("result.json:2:"), "{error}");
}

#[test]
fn a_sweep_that_starts_with_one_client_shows_it() {
    let text = "\
request_rate_per_s,mean_input_tokens,mean_output_tokens,ttft_mean_ms,itl_mean_ms
0.98,100,100,30,10
5,100,100,35,11
1.0,800,100,50,20
4,800,100,60,22
";
    let measured = read::load_text("bench.csv", text).expect("sound");
    let warnings: Vec<String> = measured.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1, "said once: {warnings:?}");
    assert!(warnings[0].contains("taken as Poisson"), "{warnings:?}");
    let mut points = measured.points;
    assert_eq!(mark_single_client(&mut points), 1);
    assert_eq!(points[0].arrivals, Arrivals::Closed { clients: 1 });
    assert_eq!(points[2].arrivals, Arrivals::POISSON, "two requests were in the system");
}

#[test]
fn percentiles_spreads_and_runs_of_a_csv() {
    let text = "\
sweep,load,arrival_rate_per_s,completed_rate_per_s,run_s,mean_concurrency,mean_input_tokens,\
sd_input_tokens,mean_output_tokens,sd_output_tokens,ttft_mean_ms,ttft_median_ms,ttft_p95_ms,\
itl_mean_ms,itl_p99_ms
a,one client,0.09,0.09,600,1,1000,250,984,305,54,53,75,11.3,11.36
a,constant gaps,3.33,3.185,600,0,1000,250,1000,300,98,98,122,23.4,24.9
a,constant gaps,8,4,600,0,1000,250,1000,300,9000,9000,,60,
a,sometimes,8,4,600,0,1000,250,1000,300,9000,9000,,60,
";
    let error = read::load_text("bench.csv", text).expect_err("a load is not known");
    assert_eq!(error.problems.len(), 1, "{error}");
    assert!(error.to_string().contains("`sometimes` is no load"), "{error}");
    let sound = text.lines().take(4).collect::<Vec<_>>().join("\n");
    let measured = read::load_text("bench.csv", &sound).expect("it is sound");
    assert!(measured.warnings.is_empty(), "every column is known");
    let points = measured.points;
    assert_eq!(points[0].arrivals, Arrivals::Closed { clients: 1 });
    assert_eq!(points[1].arrivals, Arrivals::Open { scv: 0.0 });
    assert_eq!((points[1].input_scv, points[1].token_scv), (Some(0.0625), Some(0.09)));
    let percents: Vec<f64> = points[1].ttft_percentiles.iter().map(|p| p.percent).collect();
    assert_eq!(percents, [50.0, 95.0]);
    assert_eq!(points[1].tpot_percentiles[0].ms, 24.9);
    // Four per cent fewer answers than arrivals, since 87 were under way; and half as many.
    assert_eq!(points[1].grown(), None);
    assert!(points[2].grown().is_some());
}

#[test]
fn closed_loops_of_several_systems() {
    let text = "\
model,card,tp,concurrency,throughput_per_s,mean_input_tokens,mean_output_tokens,ttft_mean_ms,\
itl_mean_ms
m,H100,1,8,6.67,1024,128,191,7.94
m,H100,4,16,20.9,1024,128,94,5.3
";
    let points = read::load_text("closed.csv", text).expect("it is sound").points;
    assert_eq!(systems(&points), ["m H100 1", "m H100 4"]);
    assert_eq!(points[0].arrivals, Arrivals::Closed { clients: 8 });
    assert_eq!((points[0].rate_per_s, points[0].in_flight), (6.67, None));
}

#[test]
fn requests_one_by_one_tell_spreads_and_growth() {
    let detailed = result("4.0", "null", 3.95).replace(
        "\"mean_itl_ms\"",
        "\"ttfts\": [0.04, 0.05, 0.2, 0.25], \"output_lens\": [50, 150], \"input_lens\": [500, 500], \
         \"p99_ttft_ms\": 250.0, \"mean_itl_ms\"",
    );
    let point = read::load_text("result.json", &detailed).expect("sound").points.remove(0);
    assert_eq!((point.input_scv, point.token_scv), (Some(0.0), Some(0.25)));
    assert!((point.ttft_growth.expect("there are two halves") - 5.0).abs() < 1e-9);
    assert_eq!(point.ttft_percentiles.last().map(|p| (p.percent, p.ms)), Some((99.0, 250.0)));
}
