"""Exceptions carry every problem with its place, in Python's words."""

import pickle

import pytest

import isocost

BROKEN = """
system:
  acceleratorData: {accelerators: [{name: L4, type: L4, cost: -1}, {name: L4, type: L4, cost: x}]}
  modelData: {models: []}
  serviceClassData: {serviceClasses: []}
  serverData: {servers: [{name: s, class: none, model: none}]}
"""


def test_all_problems_at_once():
    with pytest.raises(isocost.InputError) as wrong:
        isocost.Scenario.loads(BROKEN, "broken.yaml")
    problems = wrong.value.problems
    assert len(problems) >= 3
    assert all(p.place.startswith("broken.yaml:") for p in problems)
    assert all(p.what and p.remedy for p in problems)
    assert isinstance(wrong.value, ValueError)
    again = pickle.loads(pickle.dumps(wrong.value))
    assert again.problems == problems and str(again) == str(wrong.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(isocost.InputError, match="none.json"):
        isocost.Scenario.load(tmp_path / "none.json")


def test_options_are_those_of_the_command_line(quickstart):
    with pytest.raises(isocost.InputError, match="(?s)'formulatoin'.*similar argument.*'formulation'") as wrong:
        isocost.plan(quickstart, formulatoin="mixed")
    assert "--" not in str(wrong.value) and "Usage" not in str(wrong.value)
    with pytest.raises(isocost.InputError, match="capacity_scale.*above 0"):
        isocost.plan(quickstart, capacity_scale=-1)
    with pytest.raises(isocost.InputError, match="possible values"):
        isocost.plan(quickstart, shortage="sometimes")
    with pytest.raises(isocost.InputError, match="max_queue contradicts reading reference"):
        isocost.plan(quickstart, reading="reference", max_queue=5)
    with pytest.raises(isocost.InputError, match="help"):
        isocost.plan(quickstart, help=True)


def test_warnings_are_python_warnings():
    text = BROKEN.replace("cost: -1", "cost: 1").replace(", {name: L4, type: L4, cost: x}", "")
    with pytest.raises(isocost.InputError):
        isocost.Scenario.loads(text)


def test_problems_of_a_sweep_come_together(quickstart):
    with pytest.raises(isocost.InputError) as wrong:
        isocost.sweep(quickstart, {"laod": "1,2", "cards:L5": "1,2"}, progress=False)
    assert len(wrong.value.problems) == 2
    assert "did you mean" in str(wrong.value)


@pytest.mark.parametrize("value", [None, object(), 3, {"a": 1}])
def test_what_is_no_scenario(value):
    with pytest.raises((TypeError, isocost.InputError)):
        isocost.plan(value)
