Model status
Optimal

# Primal solution values
Feasible
Objective 3
# Columns 3
y_0_0 1
y_0_1 0
y_1_0 1
