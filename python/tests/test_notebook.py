"""The notebook runs, and what stands in it is what it says now."""

import importlib.util
import pathlib

import nbformat
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def gallery():
    pytest.importorskip("nbclient")
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "python/gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def said(notebook: nbformat.NotebookNode) -> list[str]:
    """Texts of the outputs, in order."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    outputs = [output for output in outputs if output.get("name") != "stderr"]
    return [output.get("text") or output.data.get("text/plain", "") for output in outputs]


def test_the_notebook_says_what_it_did(gallery):
    executed = gallery.execute()
    assert said(executed) == said(nbformat.read(gallery.NOTEBOOK, as_version=4))
    assert len(gallery.pictures(executed)) == len(gallery.PICTURES)
    report = [output.data.get("text/html", "") for output in executed.cells[-1].outputs]
    assert any("<iframe srcdoc=" in page for page in report)


def test_the_gallery_shows_its_pictures(gallery):
    page = (ROOT / "docs/src/python.md").read_text()
    for name in gallery.PICTURES:
        assert (gallery.GALLERY / f"{name}.svg").is_file()
        assert f"(gallery/{name}.svg)" in page
