#!/usr/bin/env python3
"""Make the example trace (data/README.md says of what).

    python3 data/traces/derive.py     writes day.csv beside itself, the same on every machine
"""
import csv
import math
import pathlib
import random

HERE = pathlib.Path(__file__).resolve().parent
PEAK_PER_S = 0.1
LONGEST = 8192


def peak(hour, at, width):
    """A bell around `at` o'clock, 1 at its top."""
    return math.exp(-0.5 * ((hour - at) / width) ** 2)


def load(hour):
    """Share of the peak: two working peaks, as the premium class of the profiles has."""
    return 0.1 + 0.9 * max(peak(hour, 10.5, 2), 0.9 * peak(hour, 15.5, 2))


def tokens(draw, median, spread):
    return max(1, min(LONGEST, round(median * math.exp(draw.gauss(0, spread)))))


def main():
    draw, at_s, rows = random.Random(1), 0.0, []
    while True:
        at_s += draw.expovariate(PEAK_PER_S)
        if at_s >= 24 * 3600:
            break
        # Thinning: of arrivals at the peak's rate those stay that the hour has.
        if draw.random() < load(at_s / 3600):
            rows.append((f"{at_s:.2f}", tokens(draw, 250, 1.2), tokens(draw, 180, 1.0)))
    with open(HERE / "day.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["arrival_s", "input_tokens", "output_tokens"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
