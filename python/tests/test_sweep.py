"""Sweeps: the same bytes on whatever runs them, and after a worker is killed."""

import concurrent.futures
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import time
import warnings

import pandas
import pytest

import isocost
from isocost import _sweep

ROOT = pathlib.Path(__file__).resolve().parents[2]
VARY = {"load": "0.5..1.5/6", "formulation": ["single", "mixed"]}


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> bytes:
    out = tmp_path_factory.mktemp("sweep")
    line = [sys.executable, "-m", "isocost", "sweep", "data/quickstart", f"--out={out}"]
    line += ["--vary=load=0.5..1.5/6", "--vary=formulation=single,mixed"]
    subprocess.run(line, cwd=ROOT, check=True, capture_output=True)
    return (out / "points.csv").read_bytes()


def sweep(scenario, **options) -> isocost.Sweep:
    return isocost.sweep(scenario, VARY, progress=False, **options)


def test_a_sweep_is_that_of_the_command(quickstart, expected):
    swept = sweep(quickstart)
    assert swept.csv == expected
    assert swept.axes == ["load", "formulation"]
    assert len(swept.points) == 12
    points = swept.points[["load", "formulation"]]
    assert isocost.sweep(quickstart, points=points, progress=False).csv == expected


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
def test_forked_processes(quickstart, expected):
    # Threads of this process are not there in those that are forked off it.
    isocost.plan(quickstart)
    with warnings.catch_warnings(), _processes("fork") as processes:
        warnings.simplefilter("ignore", DeprecationWarning)
        assert sweep(quickstart, executor=processes).csv == expected


def test_threads_and_processes(quickstart, expected):
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        assert sweep(quickstart, executor=threads).csv == expected
        assert sweep(quickstart, executor=threads, shards=5).csv == expected
        assert sweep(quickstart, executor=threads, shards=40).csv == expected
    with _processes() as processes:
        assert sweep(quickstart, executor=processes).csv == expected


def test_a_killed_process(quickstart, expected, monkeypatch):
    monkeypatch.setattr(_sweep, "run_shard", _killed_once)
    with _processes() as processes, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert sweep(quickstart, executor=processes, shards=6).csv == expected
    assert any("lost a worker" in str(w.message) for w in said)


def test_a_sweep_goes_on(quickstart, expected, tmp_path, monkeypatch):
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        assert sweep(quickstart, executor=threads, shards=4, out=tmp_path).csv == expected
        monkeypatch.setattr(_sweep, "run_shard", _never)
        assert sweep(quickstart, executor=threads, shards=4, out=tmp_path).csv == expected
        # What lies there is of another sweep: that is said, and not taken.
        with pytest.raises(isocost.InputError):
            isocost.sweep(quickstart, {"load": "1,2,3,4"}, executor=threads, shards=4, out=tmp_path, progress=False)


def test_progress(quickstart):
    heard = []
    _sweep._run(quickstart._core, {"vary": ["load=0.5..2/12"]}, pathlib.Path(_tmp()), None, lambda *a: heard.append(a))
    # Points end on several threads: what is told only rises, and the last word is that all are done.
    assert heard == sorted(set(heard))
    assert heard[-1] == (12, 12)


def test_points_of_a_frame(quickstart):
    points = pandas.DataFrame({"load": [1.0, 2.0], "cards:L40S": [4, 3]})
    assert len(isocost.sweep(quickstart, points=points, progress=False).points) == 2


def test_what_is_no_executor(quickstart):
    with pytest.raises(TypeError, match="Dask"):
        sweep(quickstart, executor=3)


@pytest.mark.cluster
def test_dask(quickstart, expected):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            assert sweep(quickstart, executor=client).csv == expected
            victim = next(iter(client.run(os.getpid).values()))
            killer = concurrent.futures.ThreadPoolExecutor(1)
            killed = killer.submit(_kill_soon, victim)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(_sweep, "run_shard", _slow)
                assert sweep(quickstart, executor=client, shards=8).csv == expected
            pids = client.run(os.getpid).values()
            assert killed.result() is None and victim not in pids, "nobody was killed"


@pytest.mark.cluster
def test_ray(quickstart, expected, tmp_path):
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
    try:
        assert sweep(quickstart, executor=ray).csv == expected
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ISOCOST_KILLED", str(tmp_path / "killed"))
            patch.setattr(_sweep, "run_shard", _killer_of(str(tmp_path / "killed")))
            assert sweep(quickstart, executor=ray, shards=8).csv == expected
        assert (tmp_path / "killed").exists(), "nobody was killed"
    finally:
        ray.shutdown()


def _tmp() -> str:
    import tempfile

    return tempfile.mkdtemp(prefix="isocost-test-")


def _processes(start: str = "spawn") -> concurrent.futures.ProcessPoolExecutor:
    context = multiprocessing.get_context(start)
    return concurrent.futures.ProcessPoolExecutor(2, mp_context=context)


_run_shard = _sweep.run_shard


def _killed_once(core, asked, shard):
    if shard.startswith("3/"):
        os.kill(os.getpid(), signal.SIGKILL)
    return _run_shard(core, asked, shard)


def _never(core, asked, shard):
    raise AssertionError(f"{shard} is done")


def _slow(core, asked, shard):
    time.sleep(0.5)
    return _run_shard(core, asked, shard)


def _kill_soon(pid: int) -> None:
    time.sleep(0.8)
    os.kill(pid, signal.SIGKILL)


def _killer_of(path: str):
    """A shard that kills its worker, the first time that one is run."""
    run_shard = _run_shard

    def killed(core, asked, shard):
        if not os.path.exists(path):
            with open(path, "w") as file:
                file.write(shard)
            os.kill(os.getpid(), signal.SIGKILL)
        return run_shard(core, asked, shard)

    return killed
