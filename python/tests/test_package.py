"""The package: types, stubs, keywords, plots."""

import pathlib
import pickle
import subprocess
import sys

import pytest

import isocost
from isocost import _isocost

PYTHON = pathlib.Path(__file__).resolve().parents[1]


def test_keywords_are_those_of_the_command_line():
    subprocess.run([sys.executable, PYTHON / "generate.py", "--check"], check=True)


def test_stubs_are_what_the_crates_give():
    line = [sys.executable, "-m", "mypy.stubtest", "isocost._isocost", "--ignore-missing-stub"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_types_hold():
    line = [sys.executable, "-m", "mypy", "--config-file", PYTHON.parent / "pyproject.toml"]
    done = subprocess.run(line, capture_output=True, text=True, cwd=PYTHON.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (pathlib.Path(isocost.__file__).parent / "py.typed").exists()


def test_plots(quickstart):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    plan = isocost.plan(quickstart)
    assert plan.plot.cost().patches and plan.plot.cards().patches
    sweep = isocost.sweep(quickstart, {"load": "1,2", "formulation": ["single", "mixed"]}, progress=False)
    axes = sweep.plot.cost()
    assert [line.get_label() for line in axes.lines] == ["formulation single", "formulation mixed"]
    assert axes.lines[0].get_color() == _isocost.colors()[0]


def test_plans_are_asked_for_by_name():
    assert {name for name in isocost.__all__ if not hasattr(isocost, name)} == set()
    with pytest.raises(TypeError):
        pickle.dumps(isocost.plan("nowhere") if False else _isocost.Plan)
        _isocost.Plan()
