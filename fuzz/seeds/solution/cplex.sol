<?xml version="1.0"?>
<CPLEXSolution><header objectiveValue="3"/><variables><variable name="x0" index="0" value="1"/></variables></CPLEXSolution>
