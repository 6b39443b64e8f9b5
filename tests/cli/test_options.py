"""Options and configuration file against `BuildConfig`."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from guidedrec_core.cli.options import Chosen, config_options
from guidedrec_core.cli.session import Command
from guidedrec_core.config import BuildConfig

COMPONENTS = ("split", "encoder", "external", "training", "refinement", "evaluation", "projection", "seed")


@pytest.fixture
def chosen_by() -> Callable[..., Chosen]:
    """Return what options choose."""

    def parse(*arguments: str, components: tuple[str, ...] = COMPONENTS) -> Chosen:
        got = []

        @click.command(cls=Command)
        @config_options(*components)
        def command(chosen: Chosen) -> None:
            got.append(chosen)

        result = CliRunner().invoke(command, arguments)
        assert result.exit_code == 0, result.output
        return got[0]

    return parse


def test_without_options_nothing_is_chosen(chosen_by: Callable[..., Chosen]) -> None:
    assert chosen_by().values == {}
    assert chosen_by().over({}) == BuildConfig()


def test_options_set_the_fields_they_stand_for(chosen_by: Callable[..., Chosen]) -> None:
    config = chosen_by(
        *("--base=sasrec", "--width=32", "--max-epochs=3", "--split=temporal", "--normalisation=white", "--decay=1"),
        *("--no-user-scores", "--bootstrap-samples=100", "--map-neighbours=5", "--seed=7", "--neighbours=off"),
    ).over({})
    assert config.encoder.width == 32
    assert config.training.max_epochs == 3
    assert config.split.kind == "temporal"
    assert config.refinement.normalisation == "white"
    assert config.refinement.decay == 1.0
    assert not config.refinement.use_user_scores
    assert config.evaluation.bootstrap_samples == 100
    assert config.projection.neighbours == 5
    assert config.refinement.neighbours == "off"
    assert config.seed == 7


def test_every_option_reaches_the_configuration_with_its_default(chosen_by: Callable[..., Chosen]) -> None:
    """Saying every default aloud changes nothing: names, types and defaults in the help are those of the fields."""

    @click.command(cls=Command)
    @config_options(*COMPONENTS)
    def command(chosen: Chosen) -> None:
        """Do nothing."""

    arguments, unset = [], set()
    for option in command.params:
        assert isinstance(option, click.Option)
        if option.name in ("home", "quiet", "debug"):  # those of every command
            continue
        if "[default: " not in (option.help or ""):
            unset.add(option.name)
            continue
        default = (option.help or "").split("[default: ")[1].removesuffix("]")
        arguments.append(f"--{default}" if option.is_flag else f"{option.opts[0]}={default}")
    assert len(arguments) == 32
    assert unset == {"config_file", "item_vectors", "user_vectors", "item_bias", "similarity"}
    chosen = chosen_by(*arguments)
    assert chosen.values
    assert chosen.over({}) == BuildConfig()


def test_vectors_make_the_base_external(chosen_by: Callable[..., Chosen]) -> None:
    config = chosen_by("--base=external", "--item-vectors=a.npz", "--item-vectors=b.pt::e.weight").over({})
    assert config.external is not None
    assert config.external.item_vectors == ("a.npz", "b.pt::e.weight")
    assert config.external.similarity is None
    assert config.encoder == BuildConfig().encoder


def test_vectors_of_a_file_give_way_to_an_architecture(chosen_by: Callable[..., Chosen], tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"external": {"item_vectors": ["a.npz"], "decay": 0.5}}))
    kept = chosen_by("--config", str(file), "--similarity=dot").over({}).external
    assert kept is not None
    assert (kept.item_vectors, kept.decay, kept.similarity) == (("a.npz",), 0.5, "dot")
    assert chosen_by("--config", str(file), "--base=gru4rec").over({}).external is None


def test_options_go_before_the_file_and_the_file_before_what_is_stored(
    chosen_by: Callable[..., Chosen], tmp_path: Path
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"training": {"max_epochs": 9, "patience": 8}, "seed": 2}))
    chosen = chosen_by("--config", str(file), "--patience=7")
    config = chosen.over({"training": {"max_epochs": 1, "patience": 1, "batch_size": 5}, "seed": 1})
    assert (config.training.max_epochs, config.training.patience, config.training.batch_size) == (9, 7, 5)
    assert config.seed == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [("[1]", "expected a JSON object"), ("{", "expected JSON"), ('{"training": 3}', "training: Input should be")],
)
def test_a_wrong_file_is_named(content: str, said: str, refused: Callable[..., str], tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(content)
    assert said in refused("train", "fernway", "--config", file, "--patience", "3")


def test_a_stage_refuses_options_of_other_stages(refused: Callable[..., Any]) -> None:
    assert "--width" in refused("refine", "fernway", "--width", "8")


@pytest.mark.parametrize(
    ("content", "message"),
    [("[" * 100_000, "nested more than 64 levels deep"), (" " * (2 << 20), "it has more than"), ("{", "expected JSON")],
)
def test_a_configuration_of_any_size_or_depth_is_refused(
    refused: Callable[..., str], tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "c.json").write_text(content)
    assert message in refused("train", "tiny", "--config", tmp_path / "c.json")


def test_a_configuration_that_never_ends_or_begins_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        assert "expected a regular file, it is a" in refused("train", "tiny", "--config", path)
