#!/usr/bin/env python3
"""Derive the example scenarios from the catalogue by a roofline (data/README.md states it).

    python3 data/catalogue/derive.py                     writes data/quickstart, data/quickstart.yaml, data/fleet-27
    python3 data/catalogue/derive.py MODEL CARD [COUNT]  prints the entries of a scenario for one pair, JSON and YAML alike
"""
import csv
import json
import math
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent

BANDWIDTH_EFFICIENCY = 0.75  # of the data sheet's bandwidth, for weights and cache
COMPUTE_EFFICIENCY = 0.45  # of the dense BF16 peak
PARALLEL_EFFICIENCY = {1: 1.0, 2: 0.9, 4: 0.8}  # of the cards' sum, by tensor-parallel degree
OVERHEAD_MS = 2.0  # scheduling and kernel launches of an iteration
MEMORY_SHARE = 0.9  # of a card's memory for weights and cache
BLOCK = 16  # tokens of a block of the cache, which is held in whole ones
AT_TOKENS = 512  # output tokens at which the batch limit is stated
CONTEXT = 2 * AT_TOKENS  # tokens a request then keeps in the cache
BYTES = 2  # of a parameter and of a cache entry
MAX_BATCH = 256


def rows(name):
    with open(HERE / name, newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


CARDS, MODELS = rows("accelerators.csv"), rows("models.csv")


def accelerator(card, count):
    data = CARDS[card]
    idle, full = float(data["idle_w_estimated"]) * count, float(data["tdp_w"]) * count
    return {
        "name": card if count == 1 else f"{count}x{card}",
        "type": card,
        "multiplicity": count,
        "memSize": float(data["memory_gb"]) * count,
        "memBW": float(data["bandwidth_gb_per_s"]) * count,
        "power": {"idle": idle, "full": full, "midPower": round(idle + 0.75 * (full - idle), 1), "midUtil": 0.6},
        "cost": float(data["price_cents_per_h"]) * count,
    }


def profile(model, card, count):
    """Service parameters of a model on `count` cards, or None where it does not fit."""
    m, c = MODELS[model], CARDS[card]
    scale = count * PARALLEL_EFFICIENCY[count]
    bandwidth = float(c["bandwidth_gb_per_s"]) * 1e6 * BANDWIDTH_EFFICIENCY * scale  # bytes/ms
    flops = float(c["bf16_dense_tflops"]) * 1e9 * COMPUTE_EFFICIENCY * scale  # FLOP/ms
    weights = float(m["parameters_billion"]) * 1e9 * BYTES
    cache = 2 * int(m["layers"]) * int(m["kv_heads"]) * int(m["head_dim"]) * BYTES  # bytes a token
    free = float(c["memory_gb"]) * 1e9 * count * MEMORY_SHARE - weights
    batch = min(MAX_BATCH, math.floor(free / (cache * CONTEXT)))
    if batch < 4:
        return None
    return {
        "name": model,
        "acc": card if count == 1 else f"{count}x{card}",
        "accCount": 1,
        "maxBatchSize": batch,
        "atTokens": AT_TOKENS,
        "kvTokens": math.floor(free / (cache * BLOCK)) * BLOCK,
        "perfParms": {
            "alpha": round(OVERHEAD_MS + weights / bandwidth, 4),
            "beta": round(2 * float(m["active_billion"]) * 1e9 / flops, 6),
            "gamma": float(f"{cache / bandwidth:.4g}"),
        },
        "provenance": "estimated",
    }


def scenario(units, models, classes, loads, capacity):
    """`classes`: name -> (priority, ITL ms, TTFT ms); `loads`: (class, model, req/min, in, out)."""
    profiles = [profile(model, card, count) for model in models for card, count in units]
    return {
        "acceleratorData": {"accelerators": [accelerator(*unit) for unit in units]},
        "modelData": {"models": [p for p in profiles if p]},
        "serviceClassData": {
            "serviceClasses": [
                {
                    "name": name,
                    "priority": priority,
                    "modelTargets": [{"model": m, "slo-itl": itl, "slo-ttft": ttft} for m in models],
                }
                for name, (priority, itl, ttft) in classes.items()
            ]
        },
        "serverData": {
            "servers": [
                {
                    "name": f"{cls.lower()}-{model}",
                    "class": cls,
                    "model": model,
                    "currentAlloc": {"load": {"arrivalRate": rate, "avgInTokens": tin, "avgOutTokens": out}},
                }
                for cls, model, rate, tin, out in loads
            ]
        },
        "capacityData": {"count": [{"type": t, "count": n} for t, n in capacity.items()]},
        "optimizerData": {"optimizer": {"unlimited": False, "heterogeneous": False, "saturationPolicy": "None"}},
    }


FILES = {
    "acceleratorData": "accelerator-data",
    "modelData": "model-data",
    "serviceClassData": "serviceclass-data",
    "serverData": "server-data",
    "capacityData": "capacity-data",
    "optimizerData": "optimizer-data",
}


def write_directory(name, data):
    folder = DATA / name
    folder.mkdir(exist_ok=True)
    for key, stem in FILES.items():
        (folder / f"{stem}.json").write_text(json.dumps(data[key], indent=2) + "\n")


def yaml(value, indent=0):
    """Enough YAML for these files: mappings and lists of mappings; scalars as JSON."""
    pad = "  " * indent
    if isinstance(value, dict):
        lines = []
        for key, inner in value.items():
            nested = isinstance(inner, (dict, list)) and inner
            lines.append(f"{pad}{key}:" + ("\n" + yaml(inner, indent + 1) if nested else f" {json.dumps(inner)}"))
        return "\n".join(lines)
    return "\n".join(pad + "- " + yaml(item, indent + 1).lstrip() for item in value)


QUICKSTART = scenario(
    units=[("L4", 1), ("L40S", 1), ("A100-80GB", 1), ("H100", 1)],
    models=["llama-3.1-8b", "qwen2.5-32b"],
    classes={"Premium": (1, 40, 500), "Free": (3, 100, 2000)},
    loads=[
        ("Premium", "llama-3.1-8b", 120, 512, 256),
        ("Premium", "qwen2.5-32b", 30, 1024, 256),
        ("Free", "llama-3.1-8b", 300, 256, 256),
    ],
    capacity={"L4": 8, "L40S": 4, "A100-80GB": 4, "H100": 2},
)

RATES = {  # requests/min of the Premium server; Bronze has twice, Free four times as many
    "llama-3.1-8b": 150,
    "llama-3.1-70b": 30,
    "mistral-7b": 90,
    "mixtral-8x7b": 45,
    "qwen2.5-7b": 120,
    "qwen2.5-32b": 40,
    "gemma-2-9b": 60,
    "granite-3.1-8b": 75,
    "phi-4": 55,
}
TOKENS = {"Premium": (1024, 256), "Bronze": (512, 384), "Free": (256, 512)}

FLEET = scenario(
    units=[
        ("L4", 1), ("A10G", 1), ("L40S", 1), ("A100-80GB", 1), ("H100", 1), ("H200", 1), ("MI300X", 1),
        ("L40S", 2), ("A100-80GB", 2), ("H100", 2),
        ("L4", 4), ("A100-80GB", 4), ("H100", 4),
    ],
    models=list(RATES),
    classes={"Premium": (1, 40, 500), "Bronze": (2, 70, 1000), "Free": (3, 120, 2000)},
    loads=[
        (cls, model, rate * times, *TOKENS[cls])
        for cls, times in [("Premium", 1), ("Bronze", 2), ("Free", 4)]
        for model, rate in RATES.items()
    ],
    capacity={"L4": 24, "A10G": 16, "L40S": 12, "A100-80GB": 12, "H100": 8, "H200": 4, "MI300X": 4},
)


def print_entries(model, card="", count=1):
    """One accelerator and the model's profile on it, for a scenario of your own."""
    if model not in MODELS or card not in CARDS or str(count) not in "124":
        sys.exit(f"known models: {', '.join(MODELS)}\ncards: {', '.join(CARDS)}\ncounts: 1, 2, 4")
    entry = profile(model, card, int(count))
    if entry is None:
        sys.exit(f"{model} leaves no room for four requests on {count} {card}")
    print(json.dumps(accelerator(card, int(count))))
    print(json.dumps(entry))


if __name__ == "__main__":
    if sys.argv[1:]:
        print_entries(*sys.argv[1:4])
        sys.exit()
    write_directory("quickstart", QUICKSTART)
    (DATA / "quickstart.yaml").write_text(yaml({"system": QUICKSTART}) + "\n")
    write_directory("fleet-27", FLEET)
