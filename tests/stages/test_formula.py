"""The printed formula is the computed one: contributions from stored files alone, next to those that are shown."""

import ast
from pathlib import Path

import formula
import numpy as np
import pandas as pd
import pytest
import tiny

from guidedrec_core import stages
from guidedrec_core.config import RefinementConfig
from guidedrec_core.data.bundled import ScoreFiles
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.recommenders.explanation import explain_item
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs.store import Run, RunStore

ROOT = Path(__file__).parents[2]
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunStore, dict[str, Run]]:
    """Refine a tiny shop with users' scores, over SASRec, in both modes that have a profile."""
    folder = tmp_path_factory.mktemp("formula")
    files = tiny.write_shop(folder)
    store = RunStore(folder / "home")
    dataset = import_dataset("csv", files.interactions, "tiny", items_path=files.catalogue)
    data = stages.store_dataset(store, dataset)
    users = pd.DataFrame(
        np.random.default_rng(0).integers(0, 11, (len(dataset.users), 3)), columns=list(tiny.ATTRIBUTES)
    )
    users.insert(0, "user_id", dataset.users.ids)
    users.to_csv(folder / "users.csv", index=False)
    scores = stages.score_attributes(
        store, data, ScoreFiles(files.scores.attributes, files.scores.item_scores, folder / "users.csv")
    )
    base = stages.train_base(store, data, tiny.CONFIG)
    runs = {"data": data, "base": base}
    for mode in ("additive", "head"):
        config = tiny.CONFIG.model_copy(update={"refinement": RefinementConfig(mode=mode, cold="off")})
        runs[mode] = stages.refine(store, base, scores, config)
    return store, runs


@pytest.mark.parametrize("mode", ["additive", "head"])
def test_contributions_from_stored_files_are_those_shown(shop: tuple[RunStore, dict[str, Run]], mode: str) -> None:
    store, runs = shop
    stored = formula.read(runs[mode].path, runs["base"].path, runs["data"].path)
    assert bool(stored.refined) == (mode == "additive")
    assert len(stored.prior) == (len(stored.histories) if mode == "additive" else 0)
    system = open_refined(store, runs[mode].id).showing("train")
    names = system.named.columns
    B, bias_coefficients = formula.coefficients(
        stored, names.values.astype(float), names.penalty_factors, system.named.regression.penalty
    )
    shown: dict[str, list[np.ndarray]] = {}
    computed: dict[str, list[np.ndarray]] = {}
    for user in range(0, len(stored.histories), 3):
        given = UserHistory.shown(system.data, user)
        assert given.history.tolist() == stored.histories[user].tolist()
        z = system.refined.remainder_factors(given.users, given.histories)[0].astype(float)
        slopes = formula.sources(stored, user, z, B, bias_coefficients)
        slopes["contribution"] = sum(slopes.values())
        for item in (0, 1, 17, 39):
            parts = explain_item(system, given.ask(item)).parts
            for name, slope in slopes.items():
                shown.setdefault(name, []).append(parts[name].to_numpy())
                computed.setdefault(name, []).append(slope * stored.values[item])
    if not z.any():  # the head gave the base model no weight, so nothing was learned from interactions
        assert mode == "head"
        assert np.abs(shown.pop("interactions")).max() == 0
    for name, values in shown.items():
        np.testing.assert_allclose(computed[name], values, atol=TOLERANCE, err_msg=name)
        assert np.abs(values).max() > 100 * TOLERANCE, f"{name} is too small to tell"


def test_the_documentation_prints_what_is_computed() -> None:
    page = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    for line in formula.FORMULAS:
        assert line in page


def test_the_formula_is_computed_without_this_package() -> None:
    tree = ast.parse(Path(formula.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"json", "dataclasses", "pathlib", "numpy", "pandas", "safetensors.numpy"}
