//! Files of the field's benchmark tools: the examples of the reference, and their variants.

use std::path::{Path, PathBuf};

use isocost_calibration::read::{Measured, load, load_text};
use isocost_calibration::{Arrivals, Point};

/// A file of the reference, where it is here.
fn reference(name: &str) -> Option<PathBuf> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/formats").join(name);
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return None;
    }
    Some(path)
}

fn sound(name: &str, text: &str) -> Measured {
    load_text(name, text).unwrap_or_else(|error| panic!("{error}"))
}

fn one(name: &str, text: &str) -> Point {
    let measured = sound(name, text);
    assert_eq!(measured.points.len(), 1, "{:?}", measured.warnings);
    measured.points.into_iter().next().expect("there is one")
}

fn refused(name: &str, text: &str) -> String {
    load_text(name, text).expect_err("it is not sound").to_string()
}

fn close(found: Option<f64>, wanted: f64) {
    let found = found.expect("it was measured");
    assert!((found / wanted - 1.0).abs() < 1e-6, "{found}, {wanted}");
}

/// The example that most files of the reference are of: 2 requests/s of 300 and 96 tokens, 50 ms and
/// 10 ms.
fn is_the_example(point: &Point) {
    assert_eq!((point.input_tokens, point.output_tokens), (300.0, 96.0));
    close(point.ttft_ms, 50.0);
    close(point.itl_ms, 10.0);
}

#[test]
fn every_example_of_the_reference() {
    let closed = |clients| Arrivals::Closed { clients };
    for (name, arrivals, rate_per_s, warnings) in [
        ("aiperf.json", closed(2), 2.0, 0),
        ("genai_perf.csv", closed(2), 2.0, 1),
        ("inference_perf_stage.json", Arrivals::Open { scv: 0.0 }, 5.01, 2),
        ("llmperf_summary.json", closed(4), 4.0, 0),
    ] {
        let Some(path) = reference(name) else { return };
        let measured = load(&[path]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(measured.points.len(), 1, "{name}");
        assert_eq!(measured.warnings.len(), warnings, "{name}: {:?}", measured.warnings);
        let point = &measured.points[0];
        is_the_example(point);
        assert_eq!((point.arrivals, point.rate_per_s), (arrivals, rate_per_s), "{name}");
        assert_eq!(point.grown(), None, "{name}");
    }
    for name in ["sglang.jsonl", "sglang_inf.jsonl"] {
        let Some(path) = reference(name) else { return };
        let points = load(&[path]).unwrap_or_else(|error| panic!("{error}")).points;
        is_the_example(&points[0]);
        assert_eq!((points[0].arrivals, points[0].rate_per_s), (Arrivals::POISSON, 4.0));
        assert_eq!((points[1].arrivals, points[1].rate_per_s), (closed(16), 12.0));
        close(points[1].itl_ms, (1333.3 - 60.0) / 95.0);
    }
    let Some(path) = reference("guidellm_long_answers.json") else { return };
    let measured = load(&[path]).unwrap_or_else(|error| panic!("{error}"));
    assert!(measured.points.len() >= 4 && measured.warnings.is_empty());
    // Answers of 11 s in runs of 60 s: some are under way at the end, and no queue grew.
    assert!(measured.points.iter().all(|p| p.in_flight.is_some() && p.grown().is_none()));
}

#[test]
fn traces_and_strangers_are_told_what_is_read() {
    for name in ["azure.csv", "azure24.csv", "burstgpt.csv", "burstgpt3.csv", "mooncake.jsonl"] {
        let Some(path) = reference(name) else { return };
        let said = load(&[path]).expect_err("no benchmark").to_string();
        assert!(said.contains("isocost simulate --trace") && said.contains("GuideLLM"), "{said}");
    }
    for text in [r#"{"tool": "wrk", "rps": 3}"#, "a,b\n1,2\n", "System,samples/s\nA,3\n"] {
        let said = refused("x", text);
        assert!(["SGLang", "AIPerf", "llmperf"].iter().all(|tool| said.contains(tool)), "{said}");
    }
    assert!(
        refused("x.json", r#"{"metadata": {}, "metrics": {}}"#).contains("profile_export_aiperf")
    );
}

/// A result of SGLang; the keys that matter.
fn sglang(rate: &str, ttft_ms: &str) -> String {
    format!(
        r#"{{"backend": "sglang", "request_rate": {rate}, "max_concurrency": 8, "completed": 100, "duration": 20.0, "total_input_tokens": 30000, "total_output_tokens": 9600, "request_throughput": 5.0, "mean_e2e_latency_ms": 1000.0, "mean_ttft_ms": {ttft_ms}, "mean_tpot_ms": 10.0, "mean_itl_ms": 10.0, "accept_length": null}}"#
    )
}

#[test]
fn one_broken_run_does_not_stop_the_others() {
    let mut lines: Vec<String> = (0..138).map(|_| sglang("Infinity", "50.0")).collect();
    lines[7] = sglang("Infinity", "-0.16194823333333333");
    lines[9] = sglang("Infinity", "NaN");
    lines[20] = sglang("Infinity", "50.0").replace("\"completed\": 100", "\"completed\": 0");
    lines[30].truncate(90);
    let measured = sound("bench.jsonl", &lines.join("\n"));
    assert_eq!(measured.points.len(), 134);
    let said: Vec<String> = measured.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(
        said[0].starts_with("bench.jsonl:8:1: benchmark: `mean_ttft_ms` is -0.161948; the run")
    );
    assert!(said[1].contains("`mean_ttft_ms` is missing"), "{}", said[1]);
    assert!(said.iter().all(|s| s.contains("left out") && s.len() < 200), "{said:?}");
    // A file of nothing else has no point to go on with.
    assert!(refused("bench.jsonl", &lines[7]).contains("above 0"));
}

#[test]
fn loads_that_are_not_steady_are_left_out() {
    let good = sglang("4.0", "50.0");
    for (bad, words) in [
        (good.replace("\"max_concurrency\"", "\"ramp_up_strategy\": \"linear\", \"x\""), "linear"),
        (sglang("\"trace\"", "50.0"), "`trace`"),
        (sglang("Infinity", "50.0").replace("\"max_concurrency\": 8", "\"x\": 1"), "at once"),
    ] {
        let measured = sound("bench.jsonl", &format!("{good}\n{bad}"));
        assert_eq!(measured.points.len(), 1);
        assert!(measured.warnings[0].to_string().contains(words), "{}", measured.warnings[0]);
    }
}

#[test]
fn times_between_tokens_come_from_the_whole_answer() {
    // Speculative decoding: a chunk holds three tokens.
    let text = sglang("4.0", "50.0").replace("\"mean_itl_ms\": 10.0", "\"mean_itl_ms\": 30.0");
    let measured = sound("bench.jsonl", &text);
    close(measured.points[0].itl_ms, 10.0);
    let said = measured.warnings[0].to_string();
    assert!(said.contains("`mean_itl_ms` is 30 ms") && said.contains("give 10;"), "{said}");
    let near = sglang("4.0", "50.0").replace("\"mean_itl_ms\": 10.0", "\"mean_itl_ms\": 11.9");
    assert!(sound("bench.jsonl", &near).warnings.is_empty());
    // Without streaming the first token comes with the last.
    let whole = sglang("4.0", "1000.0");
    assert!(refused("bench.jsonl", &whole).contains("measure with streaming"));
    let vllm = sglang("4.0", "50.0").replace("mean_e2e_latency_ms", "mean_e2el_ms");
    close(one("bench.json", &vllm.replace("1000.0", "1190.0")).itl_ms, 12.0);
}

/// A summary of AIPerf with a load.
fn aiperf(input_config: &str) -> String {
    format!(
        r#"{{"request_throughput": {{"unit": "requests/sec", "avg": 2.0}},
            "request_latency": {{"unit": "s", "avg": 1.0, "p50": 0.99, "std": 0.06}},
            "time_to_first_token": {{"unit": "us", "avg": 50000.0, "p50": 49000.0, "p99": 80000.0}},
            "inter_token_latency": {{"unit": "ms", "avg": 10.0, "p99": 12.0}},
            "output_sequence_length": {{"unit": "tokens", "avg": 96.0, "std": 9.6}},
            "input_sequence_length": {{"unit": "tokens", "avg": 300.0, "std": 0.0}},
            "good_request_count": null, "request_count": {{"unit": "requests", "avg": 120.0}}
            {input_config}}}"#
    )
}

#[test]
fn aiperf_of_every_version() {
    let open = |scv| (Arrivals::Open { scv }, 4.0);
    let closed = |clients| (Arrivals::Closed { clients }, 2.0);
    for (config, (arrivals, rate)) in [
        (
            r#", "input_config": {"loadgen": {"concurrency": 3, "arrival_pattern": "concurrency_burst"}}"#,
            closed(3),
        ),
        (
            r#", "input_config": {"loadgen": {"request_rate": 4.0, "request_rate_mode": "constant"}}"#,
            open(0.0),
        ),
        (r#", "input_config": {"loadgen": {"request_rate": 4.0, "concurrency": 9}}"#, open(1.0)),
        (
            r#", "input_config": {"loadgen": {"request_rate": 4, "arrival_pattern": "gamma", "arrival_smoothness": 2.0}}"#,
            open(0.5),
        ),
        (
            r#", "input_config": {"phases": [{"name": "warmup", "type": "concurrency", "concurrency": 1},
            {"name": "profiling", "type": "poisson", "rate": 4.0}]}"#,
            open(1.0),
        ),
        (r#", "input_config": {"concurrency": 7, "request_rate": null}"#, closed(7)),
        (r#", "input_config": {"perf_analyzer": {"stimulus": {"request_rate": 4.0}}}"#, open(0.0)),
        ("", closed(2)),
    ] {
        let point = one("profile_export.json", &aiperf(config));
        is_the_example(&point);
        assert_eq!((point.arrivals, point.rate_per_s), (arrivals, rate), "{config}");
        assert_eq!(
            (point.input_scv, point.token_scv.map(|x| (x * 1e4).round())),
            (Some(0.0), Some(100.0))
        );
        let percents: Vec<f64> = point.ttft_percentiles.iter().map(|p| p.ms).collect();
        assert_eq!(percents, [49.0, 80.0]);
    }
    let named = one("artifacts/m-concurrency12/profile_export_aiperf.json", &aiperf(""));
    assert_eq!(named.arrivals, Arrivals::Closed { clients: 12 });
    // All requests failed.
    let failed = r#"{"records": {"error_request_count": {"unit": "requests", "avg": 5.0}},
        "input_config": {"loadgen": {"concurrency": 1}}}"#;
    assert!(refused("x.json", failed).contains("`time_to_first_token.avg` is missing"));
    let odd = aiperf("").replace("\"us\"", "\"fortnights\"");
    assert!(refused("x.json", &odd).contains("`fortnights`"));
    let unsteady = r#", "input_config": {"phases": [{"name": "a", "type": "fixed_schedule"}]}"#;
    assert!(refused("x.json", &aiperf(unsteady)).contains("no steady load"));
}

#[test]
fn aiperf_csv_in_every_order() {
    // AIPerf's: blocks sorted by name, units in brackets, other statistics, telemetry at the end.
    let text = "Metric,avg,min,max,p1,p5,p10,p25,p50,p75,p90,p95,p99,std\r\n\
        Input Sequence Length (tokens),300.00,,,,,,,,,,,,0.00\r\n\
        Inter Token Latency (ms),10.00,,,,,,,,,,,12.00,\r\n\
        Output Sequence Length (tokens),96.00,,,,,,,,,,,,\r\n\
        Request Latency (ms),\"1,000.00\",,,,,,,,,,,,\r\n\
        Time to First Token (ms),50.00,,,,,,,49.00,,,,80.00,\r\n\
        \r\nMetric,Value\r\nRequest Count,120\r\nRequest Throughput (requests/sec),2.00\r\n\
        \r\n\r\nEndpoint,GPU_Index,Metric,avg\r\nlocalhost,0,Request Latency (ms),7\r\n";
    let point = one("runs/conc_8/profile_export_aiperf.csv", text);
    is_the_example(&point);
    assert_eq!((point.arrivals, point.rate_per_s), (Arrivals::Closed { clients: 8 }, 2.0));
    assert_eq!(point.ttft_percentiles.len(), 2);
    let column = "Metric,Unit,avg,p50\nrequest_throughput,requests/sec,2.0,\nrequest_latency,ms,1000,\n\
        time_to_first_token,ms,50,49\ninter_token_latency,ms,10,\noutput_sequence_length,tokens,96,\n\
        input_sequence_length,tokens,300,\n";
    is_the_example(&one("x.csv", column));
    let no_streams = text.replace("Time to First Token", "Something");
    assert!(refused("x.csv", &no_streams).contains("`time_to_first_token.avg` is missing"));
}

#[test]
fn guidellm_csv_of_both_headers() {
    let old = "Type,Run Id,Id,Name,Start Time,End Time,Duration,Successful Requests,\
        Successful Requests per second mean,Successful Request latency mean,Successful Prompt token count mean,\
        Successful Prompt token count std dev,Successful Output token count mean,Successful Time to first token ms mean,\
        Successful Time to first token ms median,\
        \"Successful Time to first token ms [min, 0.1, 1, 5, 10, 25, 75, 90, 95, 99, max]\",\
        Successful Inter token latency ms mean,Incomplete Requests,Errored Requests,Total Requests,Args\n\
        b,r,1,synchronous,,,60,58,0.98,1.0,300,3,96,50,49,\"[1, 2, 3, 4, 5, 6, 7, 60, 70, 80, 90]\",10,1,0,59,\n\
        b,r,2,throughput,,,60,900,15.0,9.0,300,3,96,5000,49,[],40,99,0,999,\n\
        b,r,3,constant@14.90,,,60,840,14.0,1.0,300,3,96,50,49,[],10,20,0,860,\
        \"{\"\"strategy\"\": {\"\"type_\"\": \"\"constant\"\", \"\"rate\"\": 14.904}}\"\n\
        b,r,4,poisson@4.00,,,60,230,3.9,1.0,300,3,96,50,49,[],10,5,0,235,\n\
        b,r,5,concurrent@16,,,60,700,11.7,1.0,300,3,96,-50,49,[],10,5,0,705,\n\
        b,r,6,concurrent@32,,,60,700,11.7,1.0,300,3,96,50,49,[],10,5,0,705,\n";
    let measured = sound("benchmarks.csv", old);
    let loads: Vec<_> = measured.points.iter().map(|p| (p.arrivals, p.rate_per_s)).collect();
    let closed = |clients| Arrivals::Closed { clients };
    let even = Arrivals::Open { scv: 0.0 };
    assert_eq!(
        loads,
        [(closed(1), 0.98), (even, 14.904), (Arrivals::POISSON, 4.0), (closed(32), 11.7)]
    );
    measured.points.iter().for_each(is_the_example);
    assert_eq!(measured.points[0].ttft_percentiles.len(), 3);
    assert_eq!(measured.points[0].place, "benchmarks.csv:2:1");
    // 894 were to arrive and 840 were answered: 54 under way, where 15 would be.
    assert!(measured.points[1].grown().is_some() && measured.points[2].grown().is_none());
    assert_eq!(measured.warnings.len(), 2, "the flood and the negative TTFT");

    let new = "Run Info,Run Info,Benchmark,Timings,Request Counts,Request Counts,Request Counts,Request Counts,\
        Request Latency,Time to First Token,Inter Token Latency,Server Throughput,Server Throughput,Token Metrics,Token Metrics\n\
        Run ID,Profile,Strategy,Duration,Successful,Incomplete,Errored,Total,Successful Sec,Successful ms,Successful ms,\
        Successful Requests/Sec,Successful Concurrency,Successful Input Tokens,Successful Output Tokens\n\
        ,,,Sec,,,,,Mean,Mean,Mean,Mean,Mean,Mean,Mean\n\
        r,\"{\"\"type_\"\": \"\"concurrent\"\", \"\"streams\"\": [1, 24]}\",concurrent,60,60,1,0,61,1.0,50,10,1.0,1.0,300,96\n\
        r,\"{\"\"type_\"\": \"\"concurrent\"\", \"\"streams\"\": [1, 24]}\",concurrent,60,1380,24,0,1404,1.0,50,10,23.0,23.6,300,96\n\
        r,,concurrent,60,480,8,0,488,1.0,50,10,8.0,,300,96\n\
        r,\"{\"\"type_\"\": \"\"sweep\"\", \"\"rate\"\": [10]}\",constant,60,234,6,0,240,1.0,50,10,3.9,4,300,96\n\
        r,,poisson,60,234,6,0,240,1.0,50,10,3.9,4,300,96,7\n";
    let measured = sound("benchmarks.csv", new);
    let loads: Vec<_> = measured.points.iter().map(|p| (p.arrivals, p.rate_per_s)).collect();
    assert_eq!(loads, [(closed(1), 1.0), (closed(24), 23.0), (closed(8), 8.0), (even, 4.0)]);
    measured.points.iter().for_each(is_the_example);
    assert!(measured.warnings[0].to_string().contains("16 cells"), "{:?}", measured.warnings);
}

#[test]
fn inference_perf_in_its_variants() {
    let stage = r#"{"load_summary": {"count": 300, "requested_rate": 5.0, "achieved_rate": 4.9, "send_duration": 60.0},
        "successes": {"count": 300, "latency": {"request_latency": {"mean": 1.0}, "time_to_first_token":
        {"mean": 0.05, "median": 0.049, "p90": 0.06}, "inter_token_latency": {"mean": 0.01}},
        "throughput": {"requests_per_sec": 4.8}, "prompt_tokens": {"total": 9.0, "mean": 300.0},
        "output_tokens": {"mean": 96.0}}, "failures": {"count": 0}}"#;
    let point = one("stage_0_lifecycle_metrics.json", stage);
    is_the_example(&point);
    assert_eq!(point.rate_per_s, 4.9);
    let clients = stage.replace("\"requested_rate\": 5.0", "\"concurrency\": 6");
    assert_eq!(one("s.json", &clients).arrivals, Arrivals::Closed { clients: 6 });
    // 300 requests at 4.9 a second take 61 s, and answering them took twice as long.
    let slow = stage.replace("\"requests_per_sec\": 4.8", "\"requests_per_sec\": 2.4");
    assert!(one("s.json", &slow).grown().is_some());
    let summary = stage.replace("\"requested_rate\": 5.0, \"achieved_rate\": 4.9,", "");
    assert!(refused("summary_lifecycle_metrics.json", &summary).contains("mixes the stages"));
    let whole = stage.replace(
        "\"time_to_first_token\":\n        {\"mean\": 0.05, \"median\": 0.049, \"p90\": 0.06}",
        "\"time_to_first_token\": null",
    );
    assert!(refused("s.json", &whole).contains("time_to_first_token.mean` is missing"));
    let directory = tempfile::tempdir().expect("there is room for temporary files");
    let config = "load: {type: poisson, stages: [{rate: 5.0}]}\nserver: {type: vllm}\n";
    let files = [("config.yaml", config), ("stage_0_lifecycle_metrics.json", stage)];
    let paths = files.map(|(name, text)| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).expect("the directory is ours");
        path
    });
    let measured = load(&paths).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((measured.points[0].arrivals, measured.warnings.len()), (Arrivals::POISSON, 0));
    let many = format!("[{stage},{stage},{stage}]");
    let measured = sound("s.json", &many);
    assert_eq!((measured.points.len(), measured.warnings.len()), (3, 1));
    assert!(measured.warnings[0].what.ends_with("(and 2 more such)"));
}

#[test]
fn llm_d_reports_of_both_versions() {
    let two = "
version: '0.2'
scenario:
  load:
    standardized: {tool: inference-perf, stage: 1, rate_qps: 10, concurrency: .inf}
    native:
      config:
        load: {type: poisson, stages: [{rate: 2.0}, {rate: 5.0}]}
results:
  request_performance:
    aggregate:
      requests:
        total: 500
        failures: 0
        input_length: {units: count, mean: 300.0}
        output_length: {units: count, mean: 96.0, stddev: 0.0}
      throughput:
        request_rate: {units: queries/s, mean: 9.5}
      latency:
        time_to_first_token: {units: s, mean: 0.05, p50: 0.049}
        inter_token_latency: {units: ms/token, mean: 10.0}
        request_latency: {units: ms, mean: 1000.0}
";
    let point = one("report.yaml", two);
    is_the_example(&point);
    assert_eq!((point.arrivals, point.rate_per_s), (Arrivals::POISSON, 10.0));
    let staged = one("report.yaml", &two.replace("rate_qps: 10, ", ""));
    assert_eq!(staged.rate_per_s, 5.0, "that of its stage");
    let closed = two.replace("rate_qps: 10, concurrency: .inf", "rate_qps: .inf, concurrency: 32");
    let closed = one("report.yaml", &closed.replace("stages: ", "x: "));
    assert_eq!((closed.arrivals, closed.rate_per_s), (Arrivals::Closed { clients: 32 }, 9.5));
    assert_eq!(
        one("r.yml", &two.replace("type: poisson", "type: constant")).arrivals,
        Arrivals::Open { scv: 0.0 }
    );
    let one_json = r#"{"version": "0.1", "scenario": {"model": {"name": "m"}, "load": {"name": "vllm-benchmark",
        "args": {"num_prompts": 500, "request_rate": "inf", "burstiness": 1.0, "max_concurrency": 4}}},
        "metrics": {"time": {"duration": 50.0}, "requests": {"total": 500, "input_length": {"units": "count", "mean": 300.0},
        "output_length": {"units": "count", "mean": 96.0}}, "latency": {"time_to_first_token": {"units": "ms", "mean": 50.0},
        "time_per_output_token": {"units": "ms/token", "mean": 10.0}}, "throughput": {"requests_per_sec": 3.9}}}"#;
    let point = one("report.json", one_json);
    is_the_example(&point);
    assert_eq!((point.arrivals, point.rate_per_s), (Arrivals::Closed { clients: 4 }, 3.9));
    let open = one(
        "report.json",
        &one_json.replace("\"inf\", \"burstiness\": 1.0", "4.0, \"burstiness\": 0.5"),
    );
    assert_eq!((open.arrivals, open.rate_per_s), (Arrivals::Open { scv: 2.0 }, 4.0));
    let untold =
        one_json.replace("\"request_rate\": \"inf\"", "\"x\": 1").replace("max_concurrency", "y");
    assert!(refused("report.json", &untold).contains("neither a rate nor a concurrency"));
}

#[test]
fn llmperf_in_its_variants() {
    let long = r#""results_ttft_s_mean": 0.05, "results_end_to_end_latency_s_mean": 1.0, "results_inter_token_latency_s_mean": 0.0104,
        "results_number_input_tokens_mean": 300.0, "results_number_output_tokens_mean": 96.0,
        "results_number_input_tokens_min": "290", "results_num_completed_requests_per_min": 240.0"#;
    let keyed = format!(
        r#"{{"1": {{"num_concurrent_requests": 1, {long}}}, "8": {{"num_concurrent_requests": 8, {long}}}}}"#
    );
    let points = sound("m_results.json", &keyed).points;
    points.iter().for_each(is_the_example);
    assert_eq!(points[1].arrivals, Arrivals::Closed { clients: 8 });
    // llmperf-bench: the latency per token has the first token in it.
    let short = r#"{"4": {"concurrency": 4, "input_token_length": 300, "output_token_length": 96,
        "first-time-to-token_mean_in_ms": 50.0, "throughput_token_per_s": 384.0, "latency_ms_per_token": 10.416666666666666}}"#;
    let point = one("m_summary.json", short);
    is_the_example(&point);
    assert_eq!((point.arrivals, point.rate_per_s), (Arrivals::Closed { clients: 4 }, 4.0));
    let request = r#"{"error_code": null, "ttft_s": 0.05, "end_to_end_latency_s": 1.0, "inter_token_latency_s": 0.01,
        "number_input_tokens": 300, "number_output_tokens": 96}"#;
    let failed = r#"{"error_code": 500, "error_msg": "x", "ttft_s": 0, "end_to_end_latency_s": 0, "number_output_tokens": 0}"#;
    let requests = format!("[{request}, {failed}, {request}]");
    let point = one("concurrency4/m_individual_responses.json", &requests);
    is_the_example(&point);
    assert_eq!((point.arrivals, point.rate_per_s), (Arrivals::Closed { clients: 4 }, 4.0));
    assert!(refused("m_individual_responses.json", &requests).contains("_summary.json"));
}
