#!/usr/bin/env python3
"""Make the example benchmark (data/README.md says of what).

    ISOCOST=target/release/isocost python3 data/benchmarks/derive.py     writes simulated.csv beside itself
"""
import csv
import json
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
BATCH = 64
# Roofline parameters of the replica, ms: of the size that `isocost profile llama-3.1-8b --on L40S` estimates.
TRUTH = {"alpha": 22, "beta": 0.01, "gamma": 2e-4, "delta": 0.058, "delta2": 2e-6, "hidden": 180, "overhead": 12, "lag": 1.5}
# Tokens of prompts and answers of each sweep, with its rates (requests/s): from an idle replica to 85% of what it serves.
SWEEPS = {
    (1024, 256): (0.05, 1, 2, 3, 3.6, 4),
    (256, 256): (0.05, 2, 4, 5, 6, 7),
    (1024, 64): (0.05, 2, 4, 6, 7, 8),
    (256, 64): (0.05, 5, 10, 14, 17, 19),
    (4096, 64): (0.05, 0.5, 1, 1.5, 2),
}


def simulated(input_tokens, output_tokens, rate):
    flags = [part for name, value in TRUTH.items() for part in (f"--{name}", str(value))]
    size = ["--input", str(input_tokens), "--output", str(output_tokens), "--batch", str(BATCH)]
    load = ["--rate", str(60 * rate), "--requests", "1000", "--replications", "2", "--token-scv", "0"]
    command = [os.environ.get("ISOCOST", "isocost"), "simulate", "replica", *flags, *size, *load, "--format", "json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    replica = json.loads(done.stdout)["replicas"][0]
    if not replica["steady"]:
        raise SystemExit(f"{rate} requests/s of {input_tokens} and {output_tokens} tokens are more than the replica serves")
    return [f"{replica[latency]['mean']['simulated']['value']:.5g}" for latency in ("ttft", "itl")]


def main():
    header = ["sweep", "load", "request_rate_per_s", "mean_input_tokens", "mean_output_tokens", "ttft_mean_ms", "itl_mean_ms"]
    rows = [
        [f"i{input_tokens}-o{output_tokens}", "poisson", rate, input_tokens, output_tokens, *simulated(input_tokens, output_tokens, rate)]
        for (input_tokens, output_tokens), rates in SWEEPS.items()
        for rate in rates
    ]
    with open(HERE / "simulated.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
