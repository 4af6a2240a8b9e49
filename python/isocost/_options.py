"""Keywords of the functions. Written by python/generate.py: do not edit."""

from collections.abc import Sequence
from os import PathLike
from typing import Literal, TypedDict


class PlanOptions(TypedDict, total=False):
    """Of ``isocost plan``."""

    capacity_scale: float | None
    """Multiply every card count by this, rounded down."""
    share: Literal["stated", "model"] | None
    """Which servers may share replicas where that is cheaper."""
    disaggregate: bool | None
    """Let every server have its prompts computed on other replicas than those that write its
    answers, where that is cheaper."""
    budget: float | None
    """Spend at most so much, in cents per hour as plans state costs, and serve the most load
    for it, the highest priority first (`shortage partial`, where no other is given); holds with
    unlimited too."""
    margin: float | None
    """Plan for every load up by this factor."""
    service_margin: float | None
    """Plan for every service time up by this factor."""
    reading: Literal["engine", "reference"] | None
    """`engine`: what an engine does; `reference`: as the reference optimizer reads the input:
    no queue, any loss, the largest batch, and slo-tps in place of the arrival rate."""
    max_queue: int | None
    """Requests that may wait where a server sets no limit [default: unbounded]."""
    max_loss: float | None
    """Largest share of requests that a finite queue may turn away; 1 lifts the limit [default:
    0.001]."""
    batch: Literal["best", "max"] | None
    """`best`: the least batch size within batch_tolerance of the best rate; `max`: the largest
    [default: best]."""
    batch_tolerance: float | None
    """Share of the best rate that may be given up for a smaller batch [default: 0.02]."""
    energy_price: float | None
    """Price of energy, cents per kWh, added to the cost of a replica at its sized rate."""
    token_budget: int | None
    """Tokens that a pass works off at most, where a profile states no maxBatchedTokens
    [default: 8192]."""
    kv_tokens: int | None
    """Tokens that a replica's KV cache holds, where a profile states no kvTokens [default: 2 x
    maxBatchSize x atTokens; without a scenario never short]."""
    no_chunked_prefill: bool | None
    """Prompts are not cut into chunks, where a profile does not say: a pass holds whole
    prompts, which go first, or decoding."""
    formulation: Literal["auto", "single", "mixed", "compact", "greedy"] | None
    """How the problem is stated."""
    backend: str | None
    """Solver: highs or microlp, as far as built [default: highs where built]."""
    time_limit: float | None
    """Stop after this long and return the best plan so far with its bound."""
    gap: float | None
    """Relative gap between cost and bound at which to stop."""
    threads: int | None
    """Threads of the solver."""
    unlimited: bool | None
    """Ignore how many cards exist."""
    transition: bool | None
    """Minimise the change's value (a move to another accelerator costs a tenth of old and new
    cost) instead of the cost."""
    max_moves: int | None
    """Let at most this many servers change their accelerator."""
    shortage: Literal["none", "whole", "partial", "priority-round-robin", "round-robin", "scenario"] | None
    """What to do when not every server can be served."""
    delayed_best_effort: bool | None
    """Under shortage, serve in full as many as can be before any best effort."""
    out: str | PathLike[str] | None
    """Directory for plan.json, plan.csv, usage.csv, candidates.csv, and budgets.csv where there
    are budgets; or a workbook, FILE.xlsx, with a sheet for each table and the scenario's."""
    report: str | PathLike[str] | None
    """Write the plan as a report: one HTML file that needs no network."""
    plots: str | PathLike[str] | None
    """Directory for the charts, each as SVG and as PNG."""
    currency: str | None
    """Name of the unit that 100 cents are, for sums by the month [default: the scenario's
    `currency`]."""
    exchange_rate: float | None
    """Units of the currency for 100 cents of the scenario, where its prices are in another."""
    write_model: str | PathLike[str] | None
    """Write the program to an .mps or .lp file."""
    read_solution: str | PathLike[str] | None
    """Take the plan from an outside solver's solution of the written program (HiGHS, Gurobi,
    SCIP, CBC, CPLEX, GLPK or lp_solve), and check, bound and report it like our own."""
    certify: bool | None
    """Simulate every kind of replica of the plan, and plan anew with the rates that simulation
    grants, until every objective holds."""
    seed: int | None
    """Seed of the random numbers: the same seed gives the same result, on every machine."""
    requests: int | None
    """Requests counted in each replication."""
    replications: int | None
    """Independent replications of each replica; batches of a trace."""
    warmup: float | None
    """Requests, or time, before what is counted, as a share of it: the replica starts empty."""
    proof: str | PathLike[str] | None
    """Write what proves the bound, for `isocost verify`."""
    no_cost_range: bool | None
    """Do not plan at the ends of the calibration's confidence region."""
    trace: str | PathLike[str] | None
    """Write incumbent, bound and gap over time to a CSV file."""


class ExplainOptions(TypedDict, total=False):
    """Of ``isocost explain``."""

    capacity_scale: float | None
    """Multiply every card count by this, rounded down."""
    share: Literal["stated", "model"] | None
    """Which servers may share replicas where that is cheaper."""
    disaggregate: bool | None
    """Let every server have its prompts computed on other replicas than those that write its
    answers, where that is cheaper."""
    budget: float | None
    """Spend at most so much, in cents per hour as plans state costs, and serve the most load
    for it, the highest priority first (`shortage partial`, where no other is given); holds with
    unlimited too."""
    margin: float | None
    """Plan for every load up by this factor."""
    service_margin: float | None
    """Plan for every service time up by this factor."""
    reading: Literal["engine", "reference"] | None
    """`engine`: what an engine does; `reference`: as the reference optimizer reads the input:
    no queue, any loss, the largest batch, and slo-tps in place of the arrival rate."""
    max_queue: int | None
    """Requests that may wait where a server sets no limit [default: unbounded]."""
    max_loss: float | None
    """Largest share of requests that a finite queue may turn away; 1 lifts the limit [default:
    0.001]."""
    batch: Literal["best", "max"] | None
    """`best`: the least batch size within batch_tolerance of the best rate; `max`: the largest
    [default: best]."""
    batch_tolerance: float | None
    """Share of the best rate that may be given up for a smaller batch [default: 0.02]."""
    energy_price: float | None
    """Price of energy, cents per kWh, added to the cost of a replica at its sized rate."""
    token_budget: int | None
    """Tokens that a pass works off at most, where a profile states no maxBatchedTokens
    [default: 8192]."""
    kv_tokens: int | None
    """Tokens that a replica's KV cache holds, where a profile states no kvTokens [default: 2 x
    maxBatchSize x atTokens; without a scenario never short]."""
    no_chunked_prefill: bool | None
    """Prompts are not cut into chunks, where a profile does not say: a pass holds whole
    prompts, which go first, or decoding."""
    formulation: Literal["auto", "single", "mixed", "compact", "greedy"] | None
    """How the problem is stated."""
    backend: str | None
    """Solver: highs or microlp, as far as built [default: highs where built]."""
    time_limit: float | None
    """Stop after this long and return the best plan so far with its bound."""
    gap: float | None
    """Relative gap between cost and bound at which to stop."""
    threads: int | None
    """Threads of the solver."""
    unlimited: bool | None
    """Ignore how many cards exist."""
    transition: bool | None
    """Minimise the change's value (a move to another accelerator costs a tenth of old and new
    cost) instead of the cost."""
    max_moves: int | None
    """Let at most this many servers change their accelerator."""
    shortage: Literal["none", "whole", "partial", "priority-round-robin", "round-robin", "scenario"] | None
    """What to do when not every server can be served."""
    delayed_best_effort: bool | None
    """Under shortage, serve in full as many as can be before any best effort."""
    options: int | None
    """Options of each server whose cost is solved exactly; the others show a proven lower bound
    [default: 3, or 0 beyond 100 servers]."""
    each: float | None
    """Longest that one of the many solves may take; what it then knows are bounds."""
    stage: float | None
    """Longest that each of the questions may take, as what one card is worth; it then says what
    is proven so far."""


class StressOptions(TypedDict, total=False):
    """Of ``isocost stress``."""

    capacity_scale: float | None
    """Multiply every card count by this, rounded down."""
    share: Literal["stated", "model"] | None
    """Which servers may share replicas where that is cheaper."""
    disaggregate: bool | None
    """Let every server have its prompts computed on other replicas than those that write its
    answers, where that is cheaper."""
    budget: float | None
    """Spend at most so much, in cents per hour as plans state costs, and serve the most load
    for it, the highest priority first (`shortage partial`, where no other is given); holds with
    unlimited too."""
    margin: float | None
    """Plan for every load up by this factor."""
    service_margin: float | None
    """Plan for every service time up by this factor."""
    reading: Literal["engine", "reference"] | None
    """`engine`: what an engine does; `reference`: as the reference optimizer reads the input:
    no queue, any loss, the largest batch, and slo-tps in place of the arrival rate."""
    max_queue: int | None
    """Requests that may wait where a server sets no limit [default: unbounded]."""
    max_loss: float | None
    """Largest share of requests that a finite queue may turn away; 1 lifts the limit [default:
    0.001]."""
    batch: Literal["best", "max"] | None
    """`best`: the least batch size within batch_tolerance of the best rate; `max`: the largest
    [default: best]."""
    batch_tolerance: float | None
    """Share of the best rate that may be given up for a smaller batch [default: 0.02]."""
    energy_price: float | None
    """Price of energy, cents per kWh, added to the cost of a replica at its sized rate."""
    token_budget: int | None
    """Tokens that a pass works off at most, where a profile states no maxBatchedTokens
    [default: 8192]."""
    kv_tokens: int | None
    """Tokens that a replica's KV cache holds, where a profile states no kvTokens [default: 2 x
    maxBatchSize x atTokens; without a scenario never short]."""
    no_chunked_prefill: bool | None
    """Prompts are not cut into chunks, where a profile does not say: a pass holds whole
    prompts, which go first, or decoding."""
    formulation: Literal["auto", "single", "mixed", "compact", "greedy"] | None
    """How the problem is stated."""
    backend: str | None
    """Solver: highs or microlp, as far as built [default: highs where built]."""
    time_limit: float | None
    """Stop after this long and return the best plan so far with its bound."""
    gap: float | None
    """Relative gap between cost and bound at which to stop."""
    threads: int | None
    """Threads of the solver."""
    unlimited: bool | None
    """Ignore how many cards exist."""
    transition: bool | None
    """Minimise the change's value (a move to another accelerator costs a tenth of old and new
    cost) instead of the cost."""
    max_moves: int | None
    """Let at most this many servers change their accelerator."""
    shortage: Literal["none", "whole", "partial", "priority-round-robin", "round-robin", "scenario"] | None
    """What to do when not every server can be served."""
    delayed_best_effort: bool | None
    """Under shortage, serve in full as many as can be before any best effort."""
    factor: float | None
    """How far loads and service times may be off: what breaks within it is marked."""
    margins: float | Sequence[float] | None
    """Plan with each of these margins too (on loads, on service times, on both) and say what
    that costs, e.g. 1.1,1.2,1.5."""
    out: str | PathLike[str] | None
    """Directory for stress.json, stress.csv and, with margins, margins.csv."""


class VerifyOptions(TypedDict, total=False):
    """Of ``isocost verify``."""

    capacity_scale: float | None
    """Multiply every card count by this, rounded down."""
    share: Literal["stated", "model"] | None
    """Which servers may share replicas where that is cheaper."""
    disaggregate: bool | None
    """Let every server have its prompts computed on other replicas than those that write its
    answers, where that is cheaper."""
    budget: float | None
    """Spend at most so much, in cents per hour as plans state costs, and serve the most load
    for it, the highest priority first (`shortage partial`, where no other is given); holds with
    unlimited too."""
    margin: float | None
    """Plan for every load up by this factor."""
    service_margin: float | None
    """Plan for every service time up by this factor."""
    reading: Literal["engine", "reference"] | None
    """`engine`: what an engine does; `reference`: as the reference optimizer reads the input:
    no queue, any loss, the largest batch, and slo-tps in place of the arrival rate."""
    max_queue: int | None
    """Requests that may wait where a server sets no limit [default: unbounded]."""
    max_loss: float | None
    """Largest share of requests that a finite queue may turn away; 1 lifts the limit [default:
    0.001]."""
    batch: Literal["best", "max"] | None
    """`best`: the least batch size within batch_tolerance of the best rate; `max`: the largest
    [default: best]."""
    batch_tolerance: float | None
    """Share of the best rate that may be given up for a smaller batch [default: 0.02]."""
    energy_price: float | None
    """Price of energy, cents per kWh, added to the cost of a replica at its sized rate."""
    token_budget: int | None
    """Tokens that a pass works off at most, where a profile states no maxBatchedTokens
    [default: 8192]."""
    kv_tokens: int | None
    """Tokens that a replica's KV cache holds, where a profile states no kvTokens [default: 2 x
    maxBatchSize x atTokens; without a scenario never short]."""
    no_chunked_prefill: bool | None
    """Prompts are not cut into chunks, where a profile does not say: a pass holds whole
    prompts, which go first, or decoding."""
    formulation: Literal["auto", "single", "mixed", "compact", "greedy"] | None
    """How the problem is stated."""
    backend: str | None
    """Solver: highs or microlp, as far as built [default: highs where built]."""
    time_limit: float | None
    """Stop after this long and return the best plan so far with its bound."""
    gap: float | None
    """Relative gap between cost and bound at which to stop."""
    threads: int | None
    """Threads of the solver."""
    unlimited: bool | None
    """Ignore how many cards exist."""
    transition: bool | None
    """Minimise the change's value (a move to another accelerator costs a tenth of old and new
    cost) instead of the cost."""
    max_moves: int | None
    """Let at most this many servers change their accelerator."""
    shortage: Literal["none", "whole", "partial", "priority-round-robin", "round-robin", "scenario"] | None
    """What to do when not every server can be served."""
    delayed_best_effort: bool | None
    """Under shortage, serve in full as many as can be before any best effort."""


class CompareOptions(TypedDict, total=False):
    """Of ``isocost compare``."""

    growth: float | Sequence[float] | None
    """Compare each with every load times these factors, too, e.g. 1.5,2 for years of growth."""
    share: Literal["stated", "model"] | None
    """Which servers may share replicas where that is cheaper."""
    disaggregate: bool | None
    """Let every server have its prompts computed on other replicas than those that write its
    answers, where that is cheaper."""
    budget: float | None
    """Spend at most so much on each, in cents per hour as plans state costs."""
    margin: float | None
    """Plan for every load up by this factor."""
    service_margin: float | None
    """Plan for every service time up by this factor."""
    reading: Literal["engine", "reference"] | None
    """`engine`: what an engine does; `reference`: as the reference optimizer reads the input:
    no queue, any loss, the largest batch, and slo-tps in place of the arrival rate."""
    max_queue: int | None
    """Requests that may wait where a server sets no limit [default: unbounded]."""
    max_loss: float | None
    """Largest share of requests that a finite queue may turn away; 1 lifts the limit [default:
    0.001]."""
    batch: Literal["best", "max"] | None
    """`best`: the least batch size within batch_tolerance of the best rate; `max`: the largest
    [default: best]."""
    batch_tolerance: float | None
    """Share of the best rate that may be given up for a smaller batch [default: 0.02]."""
    energy_price: float | None
    """Price of energy, cents per kWh, added to the cost of a replica at its sized rate."""
    token_budget: int | None
    """Tokens that a pass works off at most, where a profile states no maxBatchedTokens
    [default: 8192]."""
    kv_tokens: int | None
    """Tokens that a replica's KV cache holds, where a profile states no kvTokens [default: 2 x
    maxBatchSize x atTokens; without a scenario never short]."""
    no_chunked_prefill: bool | None
    """Prompts are not cut into chunks, where a profile does not say: a pass holds whole
    prompts, which go first, or decoding."""
    formulation: Literal["auto", "single", "mixed", "compact", "greedy"] | None
    """How the problem is stated."""
    backend: str | None
    """Solver: highs or microlp, as far as built [default: highs where built]."""
    time_limit: float | None
    """Stop after this long and return the best plan so far with its bound."""
    gap: float | None
    """Relative gap between cost and bound at which to stop."""
    threads: int | None
    """Threads of the solver."""
    unlimited: bool | None
    """Ignore how many cards exist."""
    transition: bool | None
    """Minimise the change's value (a move to another accelerator costs a tenth of old and new
    cost) instead of the cost."""
    max_moves: int | None
    """Let at most this many servers change their accelerator."""
    shortage: Literal["none", "whole", "partial", "priority-round-robin", "round-robin", "scenario"] | None
    """What to do when not every server can be served."""
    delayed_best_effort: bool | None
    """Under shortage, serve in full as many as can be before any best effort."""
    report: str | PathLike[str] | None
    """Write the comparison as a report: one HTML file that needs no network."""


class SimulateOptions(TypedDict, total=False):
    """Of ``isocost simulate``."""

    capacity_scale: float | None
    """Multiply every card count by this, rounded down."""
    share: Literal["stated", "model"] | None
    """Which servers may share replicas where that is cheaper."""
    disaggregate: bool | None
    """Let every server have its prompts computed on other replicas than those that write its
    answers, where that is cheaper."""
    budget: float | None
    """Spend at most so much, in cents per hour as plans state costs, and serve the most load
    for it, the highest priority first (`shortage partial`, where no other is given); holds with
    unlimited too."""
    margin: float | None
    """Plan for every load up by this factor."""
    service_margin: float | None
    """Plan for every service time up by this factor."""
    reading: Literal["engine", "reference"] | None
    """`engine`: what an engine does; `reference`: as the reference optimizer reads the input:
    no queue, any loss, the largest batch, and slo-tps in place of the arrival rate."""
    max_queue: int | None
    """Requests that may wait where a server sets no limit [default: unbounded]."""
    max_loss: float | None
    """Largest share of requests that a finite queue may turn away; 1 lifts the limit [default:
    0.001]."""
    batch: Literal["best", "max"] | None
    """`best`: the least batch size within batch_tolerance of the best rate; `max`: the largest
    [default: best]."""
    batch_tolerance: float | None
    """Share of the best rate that may be given up for a smaller batch [default: 0.02]."""
    energy_price: float | None
    """Price of energy, cents per kWh, added to the cost of a replica at its sized rate."""
    token_budget: int | None
    """Tokens that a pass works off at most, where a profile states no maxBatchedTokens
    [default: 8192]."""
    kv_tokens: int | None
    """Tokens that a replica's KV cache holds, where a profile states no kvTokens [default: 2 x
    maxBatchSize x atTokens; without a scenario never short]."""
    no_chunked_prefill: bool | None
    """Prompts are not cut into chunks, where a profile does not say: a pass holds whole
    prompts, which go first, or decoding."""
    formulation: Literal["auto", "single", "mixed", "compact", "greedy"] | None
    """How the problem is stated."""
    backend: str | None
    """Solver: highs or microlp, as far as built [default: highs where built]."""
    time_limit: float | None
    """Stop after this long and return the best plan so far with its bound."""
    gap: float | None
    """Relative gap between cost and bound at which to stop."""
    threads: int | None
    """Threads of the solver."""
    unlimited: bool | None
    """Ignore how many cards exist."""
    transition: bool | None
    """Minimise the change's value (a move to another accelerator costs a tenth of old and new
    cost) instead of the cost."""
    max_moves: int | None
    """Let at most this many servers change their accelerator."""
    shortage: Literal["none", "whole", "partial", "priority-round-robin", "round-robin", "scenario"] | None
    """What to do when not every server can be served."""
    delayed_best_effort: bool | None
    """Under shortage, serve in full as many as can be before any best effort."""
    seed: int | None
    """Seed of the random numbers: the same seed gives the same result, on every machine."""
    requests: int | None
    """Requests counted in each replication."""
    replications: int | None
    """Independent replications of each replica; batches of a trace."""
    warmup: float | None
    """Requests, or time, before what is counted, as a share of it: the replica starts empty."""
    duration: float | str | None
    """Count what arrives in so much simulated time in each replication, in place of requests:
    15min, 1h."""
    prefix_hit_share: float | None
    """Share of the prompt tokens that the prefix cache holds, whatever the scenario says of it:
    they need no computing [default: 0]."""
    input_scv: float | None
    """Squared coefficient of variation of prompt tokens, whatever the scenario says of it
    [default: 0, all as long as their mean]."""
    token_scv: float | None
    """Squared coefficient of variation of output tokens, whatever the scenario says of it [0:
    all answers as long as their mean; 1: geometric]."""
    arrival_scv: float | None
    """Squared coefficient of variation of inter-arrival times, whatever the scenario says of
    it."""
    server: str | Sequence[str] | None
    """Simulate this server alone; may be given several times."""
    trace: str | PathLike[str] | None
    """Requests that arrive at the one server instead of drawn ones: a CSV
    (arrival_s,input_tokens,output_tokens), or a trace of Azure, BurstGPT or Mooncake."""


class HorizonOptions(TypedDict, total=False):
    """Of ``isocost horizon``."""

    capacity_scale: float | None
    """Multiply every card count by this, rounded down."""
    share: Literal["stated", "model"] | None
    """Which servers may share replicas where that is cheaper."""
    disaggregate: bool | None
    """Let every server have its prompts computed on other replicas than those that write its
    answers, where that is cheaper."""
    budget: float | None
    """Spend at most so much, in cents per hour as plans state costs, and serve the most load
    for it, the highest priority first (`shortage partial`, where no other is given); holds with
    unlimited too."""
    margin: float | None
    """Plan for every load up by this factor."""
    service_margin: float | None
    """Plan for every service time up by this factor."""
    reserved: float | None
    """Price of a reserved card, paid for all hours, as a ratio to the scenario's price, such as
    0.6."""
    spot: float | None
    """Price of a spot card, likewise."""
    spot_share: float | None
    """Most spot cards at a time, as a share of the cards of the type that exist."""
    spot_availability: float | None
    """Share of its time that a spot card is there: an hour of work takes as many more of it."""
    purchase: bool | None
    """Buy: nothing is rented, and what is reserved (at the scenario's price, unless reserved
    says otherwise) serves every period."""
    reading: Literal["engine", "reference"] | None
    """`engine`: what an engine does; `reference`: as the reference optimizer reads the input:
    no queue, any loss, the largest batch, and slo-tps in place of the arrival rate."""
    max_queue: int | None
    """Requests that may wait where a server sets no limit [default: unbounded]."""
    max_loss: float | None
    """Largest share of requests that a finite queue may turn away; 1 lifts the limit [default:
    0.001]."""
    batch: Literal["best", "max"] | None
    """`best`: the least batch size within batch_tolerance of the best rate; `max`: the largest
    [default: best]."""
    batch_tolerance: float | None
    """Share of the best rate that may be given up for a smaller batch [default: 0.02]."""
    energy_price: float | None
    """Price of energy, cents per kWh, added to the cost of a replica at its sized rate."""
    token_budget: int | None
    """Tokens that a pass works off at most, where a profile states no maxBatchedTokens
    [default: 8192]."""
    kv_tokens: int | None
    """Tokens that a replica's KV cache holds, where a profile states no kvTokens [default: 2 x
    maxBatchSize x atTokens; without a scenario never short]."""
    no_chunked_prefill: bool | None
    """Prompts are not cut into chunks, where a profile does not say: a pass holds whole
    prompts, which go first, or decoding."""
    formulation: Literal["auto", "single", "mixed", "compact", "greedy"] | None
    """How the problem is stated."""
    backend: str | None
    """Solver: highs or microlp, as far as built [default: highs where built]."""
    time_limit: float | None
    """Stop after this long and return the best plan so far with its bound."""
    gap: float | None
    """Relative gap between cost and bound at which to stop."""
    threads: int | None
    """Threads of the solver."""
    unlimited: bool | None
    """Ignore how many cards exist."""
    transition: bool | None
    """Minimise the change's value (a move to another accelerator costs a tenth of old and new
    cost) instead of the cost."""
    max_moves: int | None
    """Let at most this many servers change their accelerator."""
    shortage: Literal["none", "whole", "partial", "priority-round-robin", "round-robin", "scenario"] | None
    """What to do when not every server can be served."""
    delayed_best_effort: bool | None
    """Under shortage, serve in full as many as can be before any best effort."""
    no_compare: bool | None
    """Do not plan for the peak, and by the hour without reservations, to compare with."""
    out: str | PathLike[str] | None
    """Directory for horizon.json, pools.csv and placements.csv."""
    plots: str | PathLike[str] | None
    """Directory for the charts, each as SVG and as PNG."""


class SweepOptions(TypedDict, total=False):
    """Of ``isocost sweep``."""

    capacity_scale: float | None
    """Multiply every card count by this, rounded down."""
    share: Literal["stated", "model"] | None
    """Which servers may share replicas where that is cheaper."""
    disaggregate: bool | None
    """Let every server have its prompts computed on other replicas than those that write its
    answers, where that is cheaper."""
    budget: float | None
    """Spend at most so much, in cents per hour as plans state costs, and serve the most load
    for it, the highest priority first (`shortage partial`, where no other is given); holds with
    unlimited too."""
    margin: float | None
    """Plan for every load up by this factor."""
    service_margin: float | None
    """Plan for every service time up by this factor."""
    reading: Literal["engine", "reference"] | None
    """`engine`: what an engine does; `reference`: as the reference optimizer reads the input:
    no queue, any loss, the largest batch, and slo-tps in place of the arrival rate."""
    max_queue: int | None
    """Requests that may wait where a server sets no limit [default: unbounded]."""
    max_loss: float | None
    """Largest share of requests that a finite queue may turn away; 1 lifts the limit [default:
    0.001]."""
    batch: Literal["best", "max"] | None
    """`best`: the least batch size within batch_tolerance of the best rate; `max`: the largest
    [default: best]."""
    batch_tolerance: float | None
    """Share of the best rate that may be given up for a smaller batch [default: 0.02]."""
    energy_price: float | None
    """Price of energy, cents per kWh, added to the cost of a replica at its sized rate."""
    token_budget: int | None
    """Tokens that a pass works off at most, where a profile states no maxBatchedTokens
    [default: 8192]."""
    kv_tokens: int | None
    """Tokens that a replica's KV cache holds, where a profile states no kvTokens [default: 2 x
    maxBatchSize x atTokens; without a scenario never short]."""
    no_chunked_prefill: bool | None
    """Prompts are not cut into chunks, where a profile does not say: a pass holds whole
    prompts, which go first, or decoding."""
    formulation: Literal["auto", "single", "mixed", "compact", "greedy"] | None
    """How the problem is stated."""
    backend: str | None
    """Solver: highs or microlp, as far as built [default: highs where built]."""
    time_limit: float | None
    """Stop after this long and return the best plan so far with its bound."""
    gap: float | None
    """Relative gap between cost and bound at which to stop."""
    threads: int | None
    """Threads of the solver."""
    unlimited: bool | None
    """Ignore how many cards exist."""
    transition: bool | None
    """Minimise the change's value (a move to another accelerator costs a tenth of old and new
    cost) instead of the cost."""
    max_moves: int | None
    """Let at most this many servers change their accelerator."""
    shortage: Literal["none", "whole", "partial", "priority-round-robin", "round-robin", "scenario"] | None
    """What to do when not every server can be served."""
    delayed_best_effort: bool | None
    """Under shortage, serve in full as many as can be before any best effort."""
    jobs: int | None
    """Points side by side [default: one a core]."""


class SizeOptions(TypedDict, total=False):
    """Of ``isocost size``."""

    server: str | None
    """Server of the scenario."""
    accelerator: str | None
    """Accelerator of the scenario [default: every one]."""
    alpha: float | None
    """alpha: an iteration or step, whatever is in it; ms."""
    beta: float | None
    """beta: a token computed (linear and roofline: a step and request in the batch); ms."""
    gamma: float | None
    """gamma: a token and token of its context (linear: a prefill); ms."""
    delta: float | None
    """delta: a prefill, token and request (roofline: a token beyond hidden); ms."""
    delta2: float | None
    """Attention in a prompt, ms for each square of its tokens (roofline model)."""
    hidden: float | None
    """Tokens of a step whose computation hides behind memory traffic (roofline model)."""
    overhead: float | None
    """Time to first token spent outside the engine, ms (roofline model)."""
    lag: float | None
    """Steps until a request joins a busy replica (roofline model)."""
    linear: bool | None
    """Take the linear service model."""
    input: float | None
    """Mean input tokens."""
    output: float | None
    """Mean output tokens."""
    max_queue: int | None
    """Requests that may wait [default: unbounded]; with a scenario, where its server says
    nothing."""
    arrival_scv: float | None
    """Squared coefficient of variation of inter-arrival times."""
    token_scv: float | None
    """Squared coefficient of variation of output tokens."""
    prefix_hit_share: float | None
    """Share of the prompt tokens that the prefix cache holds, whatever the scenario says of it:
    they need no computing [default: 0]."""
    input_scv: float | None
    """Squared coefficient of variation of prompt tokens, whatever the scenario says of it
    [default: 0, all as long as their mean]."""
    token_budget: int | None
    """Tokens that a pass works off at most, where a profile states no maxBatchedTokens
    [default: 8192]."""
    kv_tokens: int | None
    """Tokens that a replica's KV cache holds, where a profile states no kvTokens [default: 2 x
    maxBatchSize x atTokens; without a scenario never short]."""
    no_chunked_prefill: bool | None
    """Prompts are not cut into chunks, where a profile does not say: a pass holds whole
    prompts, which go first, or decoding."""
    itl: float | None
    """Inter-token latency objective, ms."""
    ttft: float | None
    """Time-to-first-token objective, ms."""
    itl_percentile: float | None
    """Percentile that the ITL objective holds for, over requests, each by the mean of its own
    gaps (TPOT); over tokens under reading reference [default: mean]."""
    ttft_percentile: float | None
    """Percentile that the TTFT objective holds for [default: mean]."""
    ttw: float | None
    """Wait before service objective, ms."""
    ttw_percentile: float | None
    """Percentile that the wait's objective holds for [default: mean]."""
    e2e: float | None
    """Objective of the time from arrival to the last token, ms."""
    e2e_percentile: float | None
    """Percentile that it holds for [default: mean]."""
    tps: float | None
    """Tokens per second that each request gets at least while it decodes."""
    reading: Literal["engine", "reference"] | None
    """Whose tokens per second are meant: each request's (`engine`) or the server's
    (`reference`)."""
    max_loss: float | None
    """Largest share of requests that a finite queue may turn away."""
    batch_tolerance: float | None
    """Share of the best rate that may be given up for a smaller batch."""
    max_batch: int | None
    """Largest batch size [default with a scenario: the server's own]."""
    plot: str | PathLike[str] | None
    """Draw the largest rate against the batch size (.svg or .png)."""


class AnalyzeOptions(TypedDict, total=False):
    """Of ``isocost analyze``."""

    server: str | None
    """Server of the scenario."""
    accelerator: str | None
    """Accelerator of the scenario [default: every one]."""
    alpha: float | None
    """alpha: an iteration or step, whatever is in it; ms."""
    beta: float | None
    """beta: a token computed (linear and roofline: a step and request in the batch); ms."""
    gamma: float | None
    """gamma: a token and token of its context (linear: a prefill); ms."""
    delta: float | None
    """delta: a prefill, token and request (roofline: a token beyond hidden); ms."""
    delta2: float | None
    """Attention in a prompt, ms for each square of its tokens (roofline model)."""
    hidden: float | None
    """Tokens of a step whose computation hides behind memory traffic (roofline model)."""
    overhead: float | None
    """Time to first token spent outside the engine, ms (roofline model)."""
    lag: float | None
    """Steps until a request joins a busy replica (roofline model)."""
    linear: bool | None
    """Take the linear service model."""
    input: float | None
    """Mean input tokens."""
    output: float | None
    """Mean output tokens."""
    max_queue: int | None
    """Requests that may wait [default: unbounded]; with a scenario, where its server says
    nothing."""
    arrival_scv: float | None
    """Squared coefficient of variation of inter-arrival times."""
    token_scv: float | None
    """Squared coefficient of variation of output tokens."""
    prefix_hit_share: float | None
    """Share of the prompt tokens that the prefix cache holds, whatever the scenario says of it:
    they need no computing [default: 0]."""
    input_scv: float | None
    """Squared coefficient of variation of prompt tokens, whatever the scenario says of it
    [default: 0, all as long as their mean]."""
    token_budget: int | None
    """Tokens that a pass works off at most, where a profile states no maxBatchedTokens
    [default: 8192]."""
    kv_tokens: int | None
    """Tokens that a replica's KV cache holds, where a profile states no kvTokens [default: 2 x
    maxBatchSize x atTokens; without a scenario never short]."""
    no_chunked_prefill: bool | None
    """Prompts are not cut into chunks, where a profile does not say: a pass holds whole
    prompts, which go first, or decoding."""
    itl: float | None
    """Inter-token latency objective, ms."""
    ttft: float | None
    """Time-to-first-token objective, ms."""
    itl_percentile: float | None
    """Percentile that the ITL objective holds for, over requests, each by the mean of its own
    gaps (TPOT); over tokens under reading reference [default: mean]."""
    ttft_percentile: float | None
    """Percentile that the TTFT objective holds for [default: mean]."""
    ttw: float | None
    """Wait before service objective, ms."""
    ttw_percentile: float | None
    """Percentile that the wait's objective holds for [default: mean]."""
    e2e: float | None
    """Objective of the time from arrival to the last token, ms."""
    e2e_percentile: float | None
    """Percentile that it holds for [default: mean]."""
    tps: float | None
    """Tokens per second that each request gets at least while it decodes."""
    reading: Literal["engine", "reference"] | None
    """Whose tokens per second are meant: each request's (`engine`) or the server's
    (`reference`)."""
    max_loss: float | None
    """Largest share of requests that a finite queue may turn away."""
    batch_tolerance: float | None
    """Share of the best rate that may be given up for a smaller batch."""
    batch: int | None
    """Batch size [default with a scenario: the one that `size` finds]."""
    rate: float | None
    """Arrival rate, requests per minute [default with a scenario: the largest within the
    objectives]."""
    plot: str | PathLike[str] | None
    """Draw TTFT and ITL against the rate, with the objectives (.svg or .png)."""
    plot_occupancy: str | PathLike[str] | None
    """Draw the distribution of the number of requests in the system (.svg or .png)."""


class FitOptions(TypedDict, total=False):
    """Of ``isocost fit``."""

    service: Literal["best", "linear", "iteration", "roofline", "mixture"] | None
    """Service model to fit."""
    max_batch: int | None
    """Batch size that the server ran with (its most requests in service) [default: 256, or as
    many as the most clients of a closed loop]."""
    max_batched_tokens: int | None
    """Tokens that a pass of the server works off at most."""
    kv_tokens: int | None
    """Tokens that the server's KV cache holds [default: what closed loops show]."""
    no_chunked_prefill: bool | None
    """The server works off prompts whole, before anybody decodes [default: what closed loops
    show]."""
    system: str | None
    """Fit the points of the system whose name (model, card, engine, precision) holds this
    text."""
    predict: str | PathLike[str] | None
    """Predict the points of this file with the parameters fitted to the others, and state the
    errors."""
    open: bool | None
    """Take every point of a CSV as open loop: do not look for points that a sweep starts with,
    one request after the other."""
    starts: int | None
    """Starting points of the search."""
    seed: int | None
    """Seed of the starting points: the same seed gives the same fit."""
    model: str | None
    """Model that was measured, for the entry."""
    acc: str | None
    """Accelerator that it was measured on, for the entry."""
    acc_count: int | None
    """Accelerators that the measured replica took, for the entry."""
    out: str | PathLike[str] | None
    """Write the entry for model-data.json."""
    plots: str | PathLike[str] | None
    """Directory for the charts, each as SVG and as PNG."""


class ProfileOptions(TypedDict, total=False):
    """Of ``isocost profile``."""

    tp: int | None
    """Cards that share each layer (tensor parallelism) [default: the fewest that hold it]."""
    ep: int | None
    """Cards over which whole experts are spread: 1, or all of the replica."""
    dp: int | None
    """Groups of cards in a replica that attend to requests of their own and share experts."""
    precision: str | None
    """How weights are stored: bf16, fp8, int8, fp4 or int4 [default: as they are published]."""
    catalogue: str | PathLike[str] | None
    """Directory of a catalogue (cards.csv with prices.csv, models.json) in place of the built-
    in one."""
    kv_precision: str | None
    """Numbers of the KV cache: bf16, fp8, int8, fp4 or int4."""
    memory_share: float | None
    """Share of a card's memory that the engine takes."""
    max_batch: int | None
    """Requests in service at most."""
    max_batched_tokens: int | None
    """Tokens that a pass works off at most."""
    name: str | None
    """Name of the model in the entry [default: the catalogue's]."""


class InitOptions(TypedDict, total=False):
    """Of ``isocost init``."""

    tp: str | Sequence[str] | None
    """Cards that share each layer: `auto`, or numbers with commas between."""
    precision: str | Sequence[str] | None
    """How weights are stored: one or more of published, bf16, fp8, int8, fp4 and int4, each an
    option."""
    rate: float | None
    """Requests per minute of each model [default: 60]."""
    input_tokens: float | None
    """Mean tokens of a prompt [default: 1024]."""
    output_tokens: float | None
    """Mean tokens of an answer [default: 256]."""
    load: str | Sequence[str] | None
    """Load of one model: MODEL=PER_MIN, or MODEL=PER_MIN/INPUT/OUTPUT; may be given again."""
    trace: str | PathLike[str] | None
    """CSV of requests (arrival_s,input_tokens,output_tokens) whose rate, tokens and variation
    every model gets."""
    itl: float | None
    """Longest mean time between tokens, ms [default: 50]."""
    ttft: float | None
    """Longest mean time to the first token, ms [default: 2000]."""
    class_: str | None
    """Name of the service class."""
    count: str | Sequence[str] | None
    """How many cards of a type there are: CARD=N; may be given again [default: no limit]."""
    price: str | Sequence[str] | None
    """Price of a card, cents an hour: CARD=CENTS; may be given again [default: the
    catalogue's]."""
    prices: Literal["on-demand", "reserved", "spot"] | None
    """Which of the catalogue's prices."""
    heterogeneous: bool | None
    """Let several accelerators serve one model."""
    catalogue: str | PathLike[str] | None
    """Directory of a catalogue (cards.csv with prices.csv, models.json) in place of the built-
    in one."""
    kv_precision: str | None
    """Numbers of the KV cache: bf16, fp8, int8, fp4 or int4."""
    memory_share: float | None
    """Share of a card's memory that the engine takes."""
    max_batch: int | None
    """Requests in service at most."""
    max_batched_tokens: int | None
    """Tokens that a pass works off at most."""
    out: str | PathLike[str] | None
    """Write the scenario to a file in place of standard output."""


class DemandOptions(TypedDict, total=False):
    """Of ``isocost demand``."""

    period: float | str | None
    """Length of a period, such as 1h, 15min or 1d."""
    fold: Literal["day", "week"] | None
    """Make one period of those at the same time of day or week."""
    server: str | None
    """Server of the scenario whose load it is; `premium-*` stands for all that begin so."""
