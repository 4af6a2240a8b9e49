#!/usr/bin/env python3
"""Make the example of requests by size (data/README.md states the formulas).

    python3 data/buckets/derive.py      writes llama-8b.json and quickstart-sizes.csv beside itself
    python3 data/buckets/derive.py ROWS COLUMNS GPUS RATE FILE      writes a random question of that size to FILE
"""
import csv
import json
import math
import pathlib
import random
import sys
from statistics import NormalDist

HERE = pathlib.Path(__file__).resolve().parent
FLEET = HERE.parent / "fleet-27"


def entries(name, key):
    return json.loads((FLEET / f"{name}.json").read_text())[key]


MODEL = "llama-3.1-8b"
CONTEXT, MAX_BATCH = 1024, 256  # tokens a request at which fleet-27's batch limits were made, and the most of them
CARDS = {a["name"]: a for a in entries("accelerator-data", "accelerators")}
PROFILES = {p["acc"]: p for p in entries("model-data", "models") if p["name"] == MODEL}
UNITS = ["L4", "A10G", "A100-80GB", "H100"]
INPUTS = [64, 256, 1024, 4096, 16384]  # upper ends of the buckets, tokens
OUTPUTS = [32, 128, 512, 1024]
STEP_MS = 100.0  # limit on the time between two tokens
# Two kinds of request: share, (median, spread of the logarithm) of input and of output tokens.
KINDS = [(0.8, (250, 1.2), (180, 1.0)), (0.2, (4000, 0.7), (120, 0.8))]
RATE, SLICES = 5.0, 4


def rate(card, tokens_in, tokens_out):
    """Requests per second at the largest batch whose steps are short enough and whose cache fits; 0 if none."""
    profile = PROFILES[card]
    parms, cells = profile["perfParms"], profile["maxBatchSize"] * CONTEXT
    # Per request in the batch: its own token, its part of a prompt, and its context.
    each = parms["beta"] * (1 + tokens_in / tokens_out) + parms["gamma"] * (tokens_in + tokens_out / 2)
    batch = min(MAX_BATCH, cells // (tokens_in + tokens_out), math.floor((STEP_MS - parms["alpha"]) / each))
    if batch < 1:
        return 0.0
    return float(f"{1000 * batch / (tokens_out * (parms['alpha'] + batch * each)):.4g}")


def within(sizes, median, spread):
    """Shares of a log-normal size in the buckets up to `sizes`; what is above the last belongs to it."""
    normal = NormalDist(math.log(median), spread)
    upto = [normal.cdf(math.log(size)) for size in sizes[:-1]] + [1.0]
    return [b - a for a, b in zip([0.0] + upto, upto)]


def shares(inputs, outputs):
    cells = [[0.0] * len(outputs) for _ in inputs]
    for weight, of_input, of_output in KINDS:
        for i, a in enumerate(within(inputs, *of_input)):
            for j, b in enumerate(within(outputs, *of_output)):
                cells[i][j] += weight * a * b
    rounded = [[round(cell, 4) for cell in row] for row in cells]
    # What rounding leaves goes to the largest.
    i, j = max(((i, j) for i in range(len(inputs)) for j in range(len(outputs))), key=lambda at: rounded[at[0]][at[1]])
    rounded[i][j] = round(rounded[i][j] + 1 - sum(map(sum, rounded)), 4)
    return rounded


def row(values):
    return "[" + ", ".join(f"{value:g}" for value in values) + "]"


def matrix(rows, indent):
    lines = (",\n" + indent).join(row(values) for values in rows)
    return f"[\n{indent}{lines}\n{indent[:-2]}]"


def generated(rows, columns, gpus, total, path, seed=7):
    """A random question: dearer types are faster in proportion, give or take, and lose less on long inputs."""
    draw = random.Random(seed)
    weights = [[draw.expovariate(1) for _ in range(columns)] for _ in range(rows)]
    whole = sum(map(sum, weights))
    info = {}
    for g in range(gpus):
        cost = round(draw.uniform(0.5, 8), 2)
        speed, loss = 20 * cost * draw.uniform(0.8, 1.2), draw.uniform(0.3, 1)
        rates = [
            [round(speed / ((i + 1) ** loss * (j + 1)) * draw.uniform(0.8, 1.2), 4) for j in range(columns)]
            for i in range(rows)
        ]
        info[f"g{g}"] = {"cost": cost, "tputs": rates}
    question = {
        "workload_distribution": [[weight / whole for weight in row] for row in weights],
        "gpu_info": info,
        "total_request_rate": total,
        "slice_factor": SLICES,
    }
    pathlib.Path(path).write_text(json.dumps(question) + "\n")


def main():
    if len(sys.argv) == 6:
        rows, columns, gpus = map(int, sys.argv[1:4])
        return generated(rows, columns, gpus, float(sys.argv[4]), sys.argv[5])
    gpus = []
    for card in UNITS:
        rates = [[rate(card, a, b) for b in OUTPUTS] for a in INPUTS]
        price = CARDS[card]["cost"] / 100
        gpus.append(f'    {json.dumps(card)}: {{ "cost": {price:g}, "tputs": {matrix(rates, " " * 6)} }}')
    text = (
        f'{{\n  "provenance": "estimated",\n  "currency": "$",\n'
        f'  "input_tokens": {row(INPUTS)},\n  "output_tokens": {row(OUTPUTS)},\n'
        f'  "workload_distribution": {matrix(shares(INPUTS, OUTPUTS), " " * 4)},\n'
        f'  "gpu_info": {{\n' + ",\n".join(gpus) + "\n  },\n"
        f'  "total_request_rate": {RATE:g},\n  "slice_factor": {SLICES}\n}}\n'
    )
    json.loads(text)
    (HERE / "llama-8b.json").write_text(text)
    inputs, outputs = [64, 256, 1024, 2048], [32, 128, 512]
    with open(HERE / "quickstart-sizes.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["input_tokens", "output_tokens", "share"])
        for tokens_in, cells in zip(inputs, shares(inputs, outputs)):
            writer.writerows([tokens_in, tokens_out, cell] for tokens_out, cell in zip(outputs, cells))


if __name__ == "__main__":
    main()
