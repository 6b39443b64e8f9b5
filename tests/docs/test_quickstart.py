"""The quickstart's notebook runs as it is written, and what it shows is right."""

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell
from sitegen.__main__ import PAGES
from sitegen.notebook import as_markdown

NOTEBOOK = PAGES / "quickstart.ipynb"
FACTS = """
import json
listed = model.recommend(users=["S0001"], k=5)
reopened = gr.open("runs/mine").recommend(users=["S0001"], k=5)
history = set(interactions.loc[interactions["user_id"] == "S0001", "item_id"])
print(json.dumps({
    "columns": list(listed.columns),
    "ranks": listed["rank"].tolist(),
    "seen": len(history & set(listed["item_id"])),
    "ledger": list(why.ledger.columns),
    "attributes": int(len(why.ledger)),
    "sum": float(why.ledger["value"].sum()),
    "score": float(why.score),
    "first": float(listed["score"].iloc[0]),
    "same": reopened.equals(listed),
}))
"""


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Run the whole notebook in a folder of its own, then ask its kernel for a few facts."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.append(new_code_cell(FACTS))
    folder = tmp_path_factory.mktemp("notebook")
    NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    printed = [output["text"] for output in notebook.cells[-1].outputs if output["output_type"] == "stream"]
    found: dict[str, object] = json.loads(printed[-1])
    return found


@pytest.mark.timeout(300)
def test_it_recommends_in_order_and_nothing_seen(facts: dict[str, object]) -> None:
    assert facts["columns"] == ["user_id", "item_id", "score", "rank", "model"]
    assert facts["ranks"] == [1, 2, 3, 4, 5]
    assert facts["seen"] == 0


def test_the_parts_add_up_to_the_score_and_the_score_is_that_of_the_list(facts: dict[str, object]) -> None:
    assert facts["ledger"] == ["part", "kind", "value"]
    assert facts["attributes"] > 12
    assert facts["sum"] == pytest.approx(facts["score"], abs=1e-4)
    assert facts["first"] == pytest.approx(facts["score"], abs=1e-4)


def test_a_saved_model_gives_the_same_list(facts: dict[str, object]) -> None:
    assert facts["same"] is True


def test_the_notebook_is_stored_without_outputs() -> None:
    code = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert len(code) > 8
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


def test_stored_outputs_become_part_of_the_page() -> None:
    outputs = [
        {"output_type": "execute_result", "data": {"text/html": ["<table>\n", "\n", "</table>"], "text/plain": "x"}},
        {"output_type": "stream", "text": "said\n"},
    ]
    cell = {"cell_type": "code", "source": ["a\n", "b"], "outputs": outputs}
    page = as_markdown(json.dumps({"nbformat": 4, "cells": [cell]}))
    assert page == "```python\na\nb\n```\n\n<table>\n</table>\n\n```text\nsaid\n```\n"


def test_the_page_has_every_cell() -> None:
    page = as_markdown(Path(NOTEBOOK).read_text(encoding="utf-8"))
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        assert cell.source in page
