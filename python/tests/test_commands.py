"""Every command by its function."""

import contextlib
import pathlib
import subprocess
import sys

import pandas
import pytest

import isocost

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVER = "premium-llama-3.1-8b"


def test_size_and_analyze(quickstart):
    sized = isocost.size(quickstart, server=SERVER, accelerator="L40S")
    analysed = isocost.analyze(quickstart, server=SERVER, accelerator="L40S")
    assert [a["accelerator"] for a in (*sized, *analysed)] == ["L40S", "L40S"]
    alone = isocost.size(alpha=20.0, beta=0.1, gamma=0.0005, input=100, output=50, itl=50, max_batch=16)
    assert len(alone["batches"]) == 16


def test_explain_stress_and_simulate(quickstart):
    assert isocost.explain(quickstart)["status"] == "optimal"
    assert len(isocost.stress(quickstart).frame("limits")) == 12
    plan = isocost.plan(quickstart)
    own = isocost.simulate(quickstart, plan, requests=100, replications=2)
    anew = isocost.simulate(quickstart, requests=100, replications=2)
    assert own["replicas"] == anew["replicas"]
    assert len(anew.frame("replicas")) == 3


def test_compare(quickstart, fleet):
    answer = isocost.compare({"now": quickstart, "fleet": fleet}, growth=[1.5], progress=False)
    rows = answer.frame("purchases")
    assert list(rows["name"]) == ["now", "now x 1.5", "fleet", "fleet x 1.5"]
    assert rows["costCentsPerH"][0] == isocost.plan(quickstart).total_cost
    path = ROOT / "data/quickstart"
    assert isocost.compare([path], growth=[2], progress=False)["purchases"][0]["name"] == str(path)
    with pytest.raises(isocost.InputError, match="nothing beside it"):
        isocost.compare([quickstart], progress=False)


def test_verify(quickstart, fleet, tmp_path):
    proof = tmp_path / "proof.txt"
    plan = isocost.plan(quickstart, proof=proof)
    verdict = isocost.verify(quickstart, plan, proof)
    assert (verdict["isOptimal"], verdict["cost"], verdict["bound"]) == (True, plan.total_cost, plan.total_cost)
    plan.write(tmp_path / "out")
    assert isocost.verify(quickstart, tmp_path / "out", proof.read_bytes()) == verdict
    with pytest.raises(isocost.InputError):
        isocost.verify(fleet, plan, proof)
    with pytest.raises(isocost.InputError):
        isocost.verify(quickstart, plan, b"no proof")


def test_long_work_is_heard_of(quickstart, monkeypatch):
    heard = []

    @contextlib.contextmanager
    def bar(shown, unit):
        yield (lambda done, of: heard.append((unit, done, of))) if shown else None

    monkeypatch.setattr(isocost._commands, "bar", bar)
    monkeypatch.setattr(isocost._plan, "bar", bar)
    isocost.simulate(quickstart, requests=1000, replications=2)
    isocost.compare({"a": quickstart, "b": quickstart})
    isocost.plan(quickstart, certify=True, requests=1000, replications=2)
    isocost.plan(quickstart)
    ends = [(unit, done == of) for unit, done, of in heard]
    assert ("request", True) in ends and ("scenario", True) in ends
    assert heard.count(("scenario", 2, 2)) == 1
    # A round of a certification begins anew; within one, and otherwise, the count only rises.
    simulated = [done for unit, done, of in heard[: ends.index(("request", True)) + 1]]
    assert simulated == sorted(simulated)


def test_horizon(quickstart, fleet):
    profile = pandas.DataFrame(
        {
            "period": ["day", "night"],
            "hours": [16, 8],
            "server": ["*", "*"],
            "factor": [1.0, 0.2],
        }
    )
    answer = isocost.horizon(quickstart, profile, reserved=0.6, no_compare=True)
    assert answer["status"] == "optimal"
    path = ROOT / "data/profiles/fleet-27-day.csv"
    assert len(isocost.horizon(fleet, path, no_compare=True).frame("periods")) == 24


def test_names_make_a_scenario_and_a_profile():
    entry = isocost.profile("qwen3-32b", "H100", tp=2)
    assert (entry["acc"], entry["accCount"]) == ("H100", 2)
    scenario = isocost.init(["qwen3-32b"], ["L40S", "H100"], rate=60)
    assert isocost.plan(scenario).status == "optimal"


def test_demand_and_fit(tmp_path):
    trace = pandas.DataFrame(
        {"arrival_s": [0.0, 1800.0, 4000.0], "input_tokens": [100, 200, 300], "output_tokens": [10, 20, 30]}
    )
    assert len(isocost.demand(trace, period="1h")) >= 2
    with pytest.raises(isocost.InputError):
        isocost.fit(pandas.DataFrame({"nothing": [1]}))


def test_the_command_comes_along():
    line = [sys.executable, "-m", "isocost"]
    version = subprocess.run([*line, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.strip() == f"isocost {isocost.__version__}"
    script = pathlib.Path(sys.executable).with_name("isocost")
    assert subprocess.run([script, "--version"], capture_output=True, check=True)
    wrong = subprocess.run([*line, "plan", "nowhere"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "nowhere" in wrong.stderr
    short = subprocess.run([*line, "plan", "data/fleet-27", "--capacity-scale=0.1"], cwd=ROOT, capture_output=True)
    assert short.returncode == 3
