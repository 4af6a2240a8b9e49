"""Executes examples/fleet.ipynb and takes its pictures.

python python/gallery.py          writes its outputs into it, and its pictures to docs/src/gallery
python python/gallery.py --check  executes it alone
"""

import os
import pathlib
import sys

# Pictures are the same bytes whenever they are drawn.
os.environ["SOURCE_DATE_EPOCH"] = "0"

import nbclient
import nbformat

ROOT = pathlib.Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "examples/fleet.ipynb"
GALLERY = ROOT / "docs/src/gallery"
# What is drawn, in the notebook's order.
PICTURES = ("plan", "sweep")
# The report is a page by itself: the notebook is kept without it.
LONGEST_OUTPUT = 100_000
SETUP = """\
import matplotlib_inline.backend_inline as inline
import matplotlib.pyplot as plt
inline.set_matplotlib_formats("svg")
plt.rcParams["svg.hashsalt"] = "isocost"
"""


def execute() -> nbformat.NotebookNode:
    """The notebook with its outputs; an exception where one of its cells raises one."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    setup = nbformat.v4.new_code_cell("%matplotlib inline\n" + SETUP)
    notebook.cells.insert(0, setup)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    del notebook.cells[0]
    return notebook


def pictures(notebook: nbformat.NotebookNode) -> list[str]:
    """Its pictures, as SVG."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    drawn = [output.get("data", {}).get("image/svg+xml") for output in outputs]
    return [picture for picture in drawn if picture]


def light(notebook: nbformat.NotebookNode) -> None:
    """Leaves out what a notebook in a repository need not carry."""
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = {}
        said = [output for output in cell.get("outputs", []) if output.get("name") != "stderr"]
        if "outputs" in cell:
            cell.outputs = said
        for output in said:
            data = output.get("data", {})
            if len(data.get("text/html", "")) > LONGEST_OUTPUT:
                del data["text/html"]
        if "execution_count" in cell:
            cell.execution_count = None
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = None


def main() -> int:
    notebook = execute()
    drawn = pictures(notebook)
    if len(drawn) != len(PICTURES):
        print(f"expected {len(PICTURES)} pictures, found {len(drawn)}", file=sys.stderr)
        return 1
    if "--check" in sys.argv:
        return 0
    light(notebook)
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"]}
    nbformat.write(notebook, NOTEBOOK)
    GALLERY.mkdir(exist_ok=True)
    for name, picture in zip(PICTURES, drawn, strict=True):
        (GALLERY / f"{name}.svg").write_text(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
