"""Solves an MPS file by a solver from PyPI and prints what it says as JSON.

    python3 -c "$(cat peer.py)" highs|scip FILE SECONDS

One thread, gap 0. The limit is processor time where the solver takes such a limit (SCIP), else its own clock
(HiGHS, on one thread the same).
"""
import json
import sys
import time


def highs(path, seconds):
    import highspy

    solver = highspy.Highs()
    solver.silent()
    for name, value in [("threads", 1), ("time_limit", seconds), ("mip_rel_gap", 0.0), ("mip_abs_gap", 1e-6)]:
        solver.setOptionValue(name, value)
    solver.readModel(path)
    start = time.process_time()
    solver.run()
    took = time.process_time() - start
    status, info = solver.getModelStatus(), solver.getInfo()
    closed = {
        highspy.HighsModelStatus.kOptimal: "optimal",
        highspy.HighsModelStatus.kInfeasible: "infeasible",
    }
    found = info.primal_solution_status == 2
    return {
        "status": closed.get(status, "feasible" if found else "unknown"),
        "objective": info.objective_function_value if found else None,
        "bound": info.mip_dual_bound,
        "cpu_s": took,
    }


def scip(path, seconds):
    import pyscipopt

    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(path)
    for name, value in [("timing/clocktype", 1), ("limits/time", seconds), ("limits/gap", 0.0)]:
        model.setParam(name, value)
    start = time.process_time()
    model.optimize()
    took = time.process_time() - start
    found = model.getNSols() > 0
    status = {"optimal": "optimal", "infeasible": "infeasible"}.get(model.getStatus())
    return {
        "status": status or ("feasible" if found else "unknown"),
        "objective": model.getObjVal() if found else None,
        "bound": model.getDualbound(),
        "cpu_s": took,
    }


solver, path, seconds = sys.argv[1:]
said = {"highs": highs, "scip": scip}[solver](path, float(seconds))
finite = {key: value if not isinstance(value, float) or abs(value) < 1e20 else None for key, value in said.items()}
print(json.dumps(finite))
