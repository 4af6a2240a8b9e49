"""Frames in and out, by pandas, polars, Arrow, and plain values."""

import pickle

import pandas
import polars
import pyarrow
import pytest

import isocost

SECTIONS = ("accelerators", "models", "classes", "servers", "capacity", "optimizer", "nodes")


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_scenario_goes_through_frames(fleet, quickstart, machines, library):
    isocost.use(library)
    for scenario in (fleet, quickstart, machines):
        frames = {name: getattr(scenario, name) for name in SECTIONS}
        frames = {name: frame for name, frame in frames.items() if frame is not None}
        kind = {"pandas": pandas.DataFrame, "polars": polars.DataFrame}[library]
        assert all(isinstance(frame, kind) for frame in frames.values())
        assert isocost.Scenario.from_frames(**frames) == scenario


def test_a_scenario_of_plain_rows():
    scenario = isocost.Scenario.from_frames(
        accelerators=[{"name": "L4", "type": "L4", "cost": 71, "memSize": 24, "multiplicity": 1}],
        models=[
            {
                "name": "tiny",
                "acc": "L4",
                "accCount": 1,
                "maxBatchSize": 8,
                "atTokens": 512,
                "perfParms.alpha": 20.0,
                "perfParms.beta": 0.1,
                "perfParms.gamma": 0.0005,
            }
        ],
        classes={
            "name": ["A"],
            "priority": [1],
            "modelTargets.model": ["tiny"],
            "modelTargets.slo-itl": [100],
        },
        servers=[
            {
                "name": "s",
                "class": "A",
                "model": "tiny",
                "allow": ["L4"],
                "currentAlloc.load.arrivalRate": 6.0,
                "currentAlloc.load.avgInTokens": 100,
                "currentAlloc.load.avgOutTokens": 50,
            }
        ],
        capacity=[{"type": "L4", "count": 4}],
    )
    assert isocost.plan(scenario).servers["accelerator"].tolist() == ["L4"]


def test_tables_are_arrow(quickstart):
    isocost.use("arrow")
    plan = isocost.plan(quickstart)
    table = pyarrow.table(plan.servers)
    assert table.schema.field("replicas").type == pyarrow.int64()
    assert table.schema.field("cost_cents_per_h").type == pyarrow.float64()
    assert table.num_rows == len(plan.servers) == plan.servers.shape[0]
    assert polars.DataFrame(plan.servers)["server"].to_list() == table["server"].to_pylist()
    assert plan.servers.to_dict() == table.to_pydict()


@pytest.mark.parametrize("library", [pandas.DataFrame, polars.DataFrame, pyarrow.table, dict])
def test_loads(quickstart, library):
    loads = {"server": ["free-llama-3.1-8b"], "arrival_rate_per_min": [600.0], "input_tokens": [256], "output_tokens": [128]}
    changed = quickstart.with_loads(library(loads))
    assert changed != quickstart
    row = pandas.DataFrame(changed._core.loads_table().to_dict()).set_index("server").loc["free-llama-3.1-8b"]
    assert list(row[:3]) == [600.0, 256.0, 128.0]
    # What frames give is what they take.
    assert changed.with_loads(changed.loads_frame) == changed
    sent = pickle.loads(pickle.dumps(changed))
    assert sent == changed and sent.servers.equals(changed.servers)
    assert isocost.plan(sent).total_cost == isocost.plan(changed).total_cost


def test_a_plan_is_a_workbook(quickstart, tmp_path):
    isocost.plan(quickstart).write(tmp_path / "plan.xlsx")
    assert isocost.Scenario.load(tmp_path / "plan.xlsx") == quickstart
    loads = {"server": ["free-llama-3.1-8b"], "arrival_rate_per_min": [600.0], "input_tokens": [256], "output_tokens": [128]}
    busier = isocost.plan(quickstart.with_loads(loads))
    busier.write(tmp_path / "busier.xlsx")
    assert (tmp_path / "busier.xlsx").stat().st_size > 0


def test_nothing_is_nothing(quickstart):
    with pytest.raises(isocost.InputError) as wrong:
        quickstart.with_loads(pandas.DataFrame({"server": ["x"], "arrival_rate_per_min": [float("nan")]}))
    assert wrong.value.problems


def test_columns_of_other_kinds_are_refused(quickstart):
    frame = polars.DataFrame({"server": ["a"], "arrival_rate_per_min": [[1, 2]]})
    with pytest.raises(TypeError, match="convert it"):
        quickstart.with_loads(frame)


def test_the_library_is_one_of_three():
    with pytest.raises(ValueError, match="pandas"):
        isocost.use("numpy")


def test_nodes_are_a_table(machines):
    assert list(machines.nodes["cards.H100"].dropna()) == [8, 4]
    frames = {name: getattr(machines, name) for name in SECTIONS}
    frames["nodes"] = pandas.DataFrame(
        [
            {"name": "h100x8", "cards.H100": 8, "price": 2640, "count": 6},
            {"name": "l40sx4", "cards.l40s": 4, "count": 6},
        ]
    )
    fewer = isocost.Scenario.from_frames(**{n: f for n, f in frames.items() if f is not None})
    assert len(fewer.nodes) == 2
    plan = isocost.plan(fewer)
    assert plan.status == "optimal" and set(plan.nodes["node"]) <= {"h100x8", "l40sx4"}
    frames["nodes"].loc[0, "cards.H200"] = 2
    with pytest.raises(isocost.InputError, match="no accelerator is of type"):
        isocost.Scenario.from_frames(**{n: f for n, f in frames.items() if f is not None})


def test_a_plan_says_what_shares_a_node(machines, quickstart):
    nodes = isocost.plan(machines).nodes
    # Each replica of the plan stands in some node.
    stands = (nodes["replicas"] * nodes["times"]).groupby(nodes["server"]).sum()
    servers = isocost.plan(machines).servers
    assert dict(stands) == dict(servers.groupby("server")["replicas"].sum())
    assert len(isocost.plan(quickstart).nodes) == 0
