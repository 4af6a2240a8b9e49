"""Measures what Python adds to the planner, and prints it: the figures of the chapter "In Python".

python python/figures.py call                   a call of plan() beside the planner's own time, on data/quickstart
python python/figures.py plans SCENARIO         1,000 plans from Python beside the command's sweep, one after the other
python python/figures.py sweep [NAMES]          1,000 points on threads, processes, dask, ray: seconds, and whether the bytes are the same
python python/figures.py killed [NAMES]         the same while a worker is killed, of processes, dask and ray
"""

import concurrent.futures
import contextlib
import hashlib
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import isocost

ROOT = pathlib.Path(__file__).resolve().parents[1]
QUICKSTART = ROOT / "data/quickstart"
WORKERS = 2
POINTS = {"load": "0.5..2/500", "formulation": ["single", "mixed"]}


def call() -> None:
    scenario = isocost.Scenario.load(QUICKSTART)
    isocost.plan(scenario)
    walls, own = [], []
    for _ in range(200):
        start = time.perf_counter()
        plan = isocost.plan(scenario)
        walls.append((time.perf_counter() - start) * 1e3)
        own.append(sum(plan.seconds) * 1e3)
    wall, inside = statistics.median(walls), statistics.median(own)
    print(f"plan(): {wall:.2f} ms, of which sizing and solving {inside:.2f} ms: {wall - inside:.2f} ms besides")


def plans(path: str) -> None:
    scenario, count = isocost.Scenario.load(path), 1000
    base = scenario.loads_frame
    factors = [0.5 + 0.4 * i / (count - 1) for i in range(count)]
    vary = f"load=0.5..0.9/{count}"
    flags = ["--formulation", "single", "--reading", "reference", "--jobs", "1"]
    line = [str(pathlib.Path(sys.executable).with_name("isocost")), "sweep", path, "--vary", vary, *flags]
    for turn in range(2):
        with tempfile.TemporaryDirectory() as out:
            start = time.perf_counter()
            subprocess.run([*line, "--out", out], check=True, capture_output=True)
            command = time.perf_counter() - start
        start = time.perf_counter()
        swept = isocost.sweep(scenario, [vary], formulation="single", reading="reference", jobs=1, progress=False)
        sweep = time.perf_counter() - start
        start = time.perf_counter()
        costs = []
        for factor in factors:
            loads = base.assign(arrival_rate_per_min=base["arrival_rate_per_min"] * factor)
            plan = isocost.plan(scenario.with_loads(loads), formulation="single", reading="reference")
            costs.append(plan.total_cost)
        loop = time.perf_counter() - start
        told = swept.points["cost_cents_per_h"]
        same = all(a is not None and abs(a - b) < 1e-6 for a, b in zip(costs, told))
        print(
            f"{turn + 1}: isocost sweep {command:.2f} s; sweep() {sweep:.2f} s ({sweep / command - 1:+.1%}); "
            f"{count} times plan() {loop:.2f} s ({loop / command - 1:+.1%}); costs {'the same' if same else 'DIFFER'}"
        )


@contextlib.contextmanager
def executor(name: str):
    """An executor of that name with a few workers, and how one of them is killed."""
    if name == "threads":
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            yield pool, None
    elif name == "processes":
        with concurrent.futures.ProcessPoolExecutor(WORKERS) as pool:
            yield pool, lambda: os.kill(next(iter(pool._processes)), signal.SIGKILL)
    elif name == "dask":
        from dask.distributed import Client, LocalCluster

        with LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None) as cluster:
            with Client(cluster) as client:
                workers = [worker.process.pid for worker in cluster.workers.values()]
                yield client, lambda: os.kill(workers[0], signal.SIGKILL)
    elif name == "ray":
        import ray

        ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False)

        def kill() -> None:
            found = subprocess.run(["pgrep", "-f", "ray::run_shard"], capture_output=True, text=True)
            os.kill(int(found.stdout.split()[0]), signal.SIGKILL)

        try:
            yield ray, kill
        finally:
            ray.shutdown()
    else:
        raise SystemExit(f"{name}: no executor; take threads, processes, dask or ray")


def sweep(names: list[str], killed: bool) -> None:
    scenario = isocost.Scenario.load(QUICKSTART)
    start = time.perf_counter()
    expected = isocost.sweep(scenario, POINTS, progress=False).csv
    shown = hashlib.sha256(expected).hexdigest()[:12]
    print(f"here: {time.perf_counter() - start:.1f} s, {len(expected)} bytes, {shown}")
    for name in names:
        with executor(name) as (pool, kill), tempfile.TemporaryDirectory() as out:
            isocost.sweep(scenario, {"load": "1,2"}, executor=pool, progress=False)
            done = []

            def watch() -> None:
                while not any(pathlib.Path(out).glob("*/journal.jsonl")):
                    time.sleep(0.005)
                kill()
                done.append("a worker killed in the middle")

            watcher = threading.Thread(target=watch)
            start = time.perf_counter()
            if killed:
                watcher.start()
            found = isocost.sweep(scenario, POINTS, executor=pool, shards=16, out=out, progress=False)
            seconds = time.perf_counter() - start
            if killed:
                watcher.join()
            same = "the same bytes" if found.csv == expected else "OTHER BYTES"
            print(f"{name}: {seconds:.1f} s, {same}{', ' + done[0] if done else ''}")


def main(what: str = "", *names: str) -> None:
    if what == "call":
        call()
    elif what == "plans" and len(names) == 1:
        plans(names[0])
    elif what == "sweep":
        sweep(list(names) or ["threads", "processes", "dask", "ray"], killed=False)
    elif what == "killed":
        sweep(list(names) or ["processes", "dask", "ray"], killed=True)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
