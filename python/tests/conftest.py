"""What the tests share: scenarios and the library that tables are handed out as."""

import pathlib

import pytest

import isocost

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def quickstart() -> isocost.Scenario:
    return isocost.Scenario.load(ROOT / "data/quickstart")


@pytest.fixture(scope="session")
def fleet() -> isocost.Scenario:
    return isocost.Scenario.load(ROOT / "data/fleet-27")


@pytest.fixture(scope="session")
def machines() -> isocost.Scenario:
    """Cards that come in nodes."""
    return isocost.Scenario.load(ROOT / "data/nodes.yaml")


@pytest.fixture(autouse=True)
def _default_frames():
    yield
    isocost.use(None)
