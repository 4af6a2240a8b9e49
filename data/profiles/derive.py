#!/usr/bin/env python3
"""Make the example profiles and prices (data/README.md states the formulas).

    python3 data/profiles/derive.py     writes fleet-27-day.csv, fleet-27-week.csv, quickstart-day.csv,
                                        demand.csv and fleet-27-prices.csv beside itself
"""
import csv
import json
import math
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
FLEET = HERE.parent / "fleet-27" / "accelerator-data.json"
TYPES = ["L4", "A10G", "L40S", "A100-80GB", "H100", "H200", "MI300X"]  # of fleet-27
COUNTS = {"L4": 24, "A10G": 16, "L40S": 12, "A100-80GB": 12, "H100": 8, "H200": 4, "MI300X": 4}
RESERVED, SPOT, SPOT_SHARE, SPOT_AVAILABILITY = 0.6, 0.4, 0.25, 0.9


def peak(hour, at, width):
    """A bell around `at` o'clock, 1 at its top."""
    apart = min(abs(hour - at), 24 - abs(hour - at))
    return math.exp(-0.5 * (apart / width) ** 2)


def factor(kind, hour, weekend):
    """Load over the scenario's own, by class: two working peaks, an even day, an evening peak."""
    if kind == "premium":
        load = 0.1 + 0.9 * max(peak(hour, 10.5, 2), 0.9 * peak(hour, 15.5, 2))
        return load * (0.35 if weekend else 1)
    if kind == "bronze":
        load = 0.25 + 0.75 * peak(hour, 13, 4)
        return load * (0.5 if weekend else 1)
    load = 0.15 + 0.85 * max(peak(hour, 20, 2.5), 0.5 * peak(hour, 12.5, 2))
    return load * (1.1 if weekend else 1)


def write(name, header, rows):
    with open(HERE / name, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def profile(name, kinds, days):
    rows = [
        (f"{day}-{hour:02d}" if len(days) > 1 else f"{hour:02d}", 1, f"{kind}-*", round(factor(kind, hour, weekend), 2))
        for day, weekend in days
        for hour in range(24)
        for kind in kinds
    ]
    write(name, ["period", "hours", "server", "factor"], rows)


def main():
    week = [(day, day in ("sat", "sun")) for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
    profile("fleet-27-day.csv", ["premium", "bronze", "free"], [("", False)])
    profile("fleet-27-week.csv", ["premium", "bronze", "free"], week)
    profile("quickstart-day.csv", ["premium", "free"], [("", False)])
    demand = [("peak", 2, 1.0), ("mean", 14, 0.5), ("night", 8, 0.15)]
    write("demand.csv", ["period", "hours", "server", "factor"], [(n, h, "*", f) for n, h, f in demand])
    price = {a["name"]: a["cost"] for a in json.loads(FLEET.read_text())["accelerators"]}
    header = ["type", "reserved_cents_per_h", "on_demand_cents_per_h", "spot_cents_per_h", "spot_most", "spot_availability"]
    rows = [
        (t, round(RESERVED * price[t], 2), price[t], round(SPOT * price[t], 2), int(SPOT_SHARE * COUNTS[t]), SPOT_AVAILABILITY)
        for t in TYPES
    ]
    write("fleet-27-prices.csv", header, rows)


if __name__ == "__main__":
    main()
