Model status
Optimal

# Primal solution values
Feasible
Objective 3
# Columns 3
x0 1
x1 0
x2 1
