"""Options made from the fields of `BuildConfig`, which give their types, choices, help and defaults."""

import functools
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from guidedrec_core.cli.session import SettingOption
from guidedrec_core.errors import ConfigError
from guidedrec_core.files import read_json

if TYPE_CHECKING:  # configurations need pydantic, which `--help` must not wait for
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from guidedrec_core.config import BuildConfig

_MOST_BYTES = 1 << 20  # of a --config file

# Option to the path of its field. All other fields can be set in a --config file.
_OPTIONS = {
    "--split": "split.kind",
    "--valid-fraction": "split.valid_fraction",
    "--test-fraction": "split.test_fraction",
    "--base": "encoder.kind",
    "--item-vectors": "external.item_vectors",
    "--user-vectors": "external.user_vectors",
    "--item-bias": "external.item_bias",
    "--similarity": "external.similarity",
    "--width": "encoder.width",
    "--blocks": "encoder.blocks",
    "--heads": "encoder.heads",
    "--dropout": "encoder.dropout",
    "--max-length": "encoder.max_length",
    "--learning-rate": "training.learning_rate",
    "--batch-size": "training.batch_size",
    "--max-epochs": "training.max_epochs",
    "--patience": "training.patience",
    "--loss": "training.loss",
    "--negatives": "training.negatives",
    "--device": "training.device",
    "--precision": "training.precision",
    "--threads": "training.threads",
    "--mode": "refinement.mode",
    "--normalisation": "refinement.normalisation",
    "--doubt": "refinement.doubt",
    "--decay": "refinement.decay",
    "--shrinkage": "refinement.shrinkage",
    "--use-user-scores/--no-user-scores": "refinement.use_user_scores",
    "--cold": "refinement.cold",
    "--neighbours": "refinement.neighbours",
    "--controls": "evaluation.controls",
    "--bootstrap-samples": "evaluation.bootstrap_samples",
    "--list-length": "evaluation.list_length",
    "--map-neighbours": "projection.neighbours",
    "--map-min-dist": "projection.min_dist",
    "--seed": "seed",
}

_EXTERNAL = "external"
_BROUGHT = ("item_vectors", "user_vectors", "item_bias", "similarity")


@dataclass(frozen=True)
class Chosen:
    """The settings that the user has given.

    Attributes
    ----------
    values : dict
        A part of a `BuildConfig` as JSON.
    """

    values: Mapping[str, Any] = field(default_factory=dict)

    def over(self, stored: Mapping[str, Any]) -> "BuildConfig":
        """Return the configuration: these settings, else those of the runs that a stage starts from, else defaults.

        Raises
        ------
        ConfigError
            A value is unknown or out of range.
        """
        from guidedrec_core.config import BuildConfig

        merged = {**stored, **self.values}
        for name, part in stored.items():
            if isinstance(part, Mapping) and isinstance(self.values.get(name), Mapping):
                merged[name] = {**part, **self.values[name]}
        return BuildConfig.parse(merged)


def config_options(*components: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options of some components of `BuildConfig`, and ``--config``; the command gets them as `chosen`.

    Parameters
    ----------
    *components : str
        Fields of `BuildConfig`, e.g. ``"encoder"``.
    """
    paths = {
        option_name(option): path.split(".") for option, path in _OPTIONS.items() if path.split(".")[0] in components
    }

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def with_chosen(*args: Any, config_file: Path | None, **kwargs: Any) -> None:
            values = {} if config_file is None else _read(config_file)
            given = {name: kwargs.pop(name) for name in paths}
            given = {name: value for name, value in given.items() if value is not None and value != ()}
            if _EXTERNAL in components:
                _choose_base(values, given)
            for name, value in given.items():
                _set(values, paths[name], value)
            command(*args, chosen=Chosen(values), **kwargs)

        decorated: Callable[..., None] = with_chosen
        for option, path in reversed(_OPTIONS.items()):
            if path.split(".")[0] in components:
                make = functools.partial(_option, option, path)
                decorated = click.option(option, option_name(option), cls=SettingOption, make=make)(decorated)
        return click.option(
            "--config",
            "config_file",
            type=click.Path(path_type=Path),
            help="JSON file with settings as in a run's manifest; options go before it, and parts that concern "
            "other stages are not used.",
        )(decorated)

    return decorate


def _choose_base(values: dict[str, Any], given: dict[str, Any]) -> None:
    """Let ``--base`` decide between an architecture and external vectors; remove it if it is no architecture.

    Raises
    ------
    ConfigError
        There is no such base, or vectors and base do not go together.
    """
    base = given.get("base")
    if base is not None and base not in _bases():
        raise ConfigError(f"--base: expected one of {', '.join(_bases())}; got {base!r}")
    brought = [f"--{name.replace('_', '-')}" for name in given if name in _BROUGHT]
    if base == _EXTERNAL or (base is None and values.get(_EXTERNAL)):
        given.pop("base", None)
        stored = values[_EXTERNAL] = values.get(_EXTERNAL) or {}
        if "item_vectors" not in given and isinstance(stored, dict) and not stored.get("item_vectors"):
            raise ConfigError("--base external needs item vectors; name a file with --item-vectors FILE[::TENSOR]")
    elif brought:
        raise ConfigError(f"{', '.join(brought)}: these belong to --base external; add it, or leave them out")
    else:
        values.pop(_EXTERNAL, None)


def _bases() -> tuple[str, ...]:
    """Return the choices of a base model: an architecture, or external vectors."""
    from guidedrec_core.config import EncoderConfig

    return (*typing.get_args(EncoderConfig.model_fields["kind"].annotation), _EXTERNAL)


def _option(option: str, path: str) -> click.Option:
    """Make one option of a build from its field."""
    if option == "--base":
        text = "Architecture of the base model, or external: vectors that you bring."
        return field_option(option, _field(path), _bases(), text)
    return field_option(option, _field(path), metavar="FILE[::TENSOR]" if path.startswith(_EXTERNAL) else None)


def field_option(
    option: str, info: "FieldInfo", words: tuple[str, ...] | None = None, text: str = "", metavar: str | None = None
) -> click.Option:
    """Make an option from a field of a configuration: its type, choices, help and default; not given, it is None.

    Parameters
    ----------
    option : str
        As it is written, e.g. ``"--width"``; with ``/`` and a second one for no.
    info : FieldInfo
        The field.
    words : tuple of str, optional
        The choices, where they differ from the field's.
    text : str
        The help, where it differs from the field's docstring.
    metavar : str, optional
        Shown for the value.
    """
    text = text or " ".join((info.description or "").replace("`", "").split())
    kind, several = _plain_type(info.annotation)
    # Validation of the full configuration refuses a wrong word and names the valid ones.
    if words is None:
        words = typing.get_args(kind) if typing.get_origin(kind) is Literal else ()
    declarations = [option, option_name(option)]
    if kind is bool:
        default = option.split("/")[0 if info.default else 1].removeprefix("--")
        return click.Option(declarations, default=None, help=f"{text}  [default: {default}]")
    unset = info.is_required() or info.default in (None, ())
    return click.Option(
        declarations,
        type=str if words else kind,
        multiple=several,
        metavar=f"[{'|'.join(words)}]" if words else metavar,
        help=text if unset else f"{text}  [default: {info.default}]",
    )


def _plain_type(annotation: Any) -> tuple[Any, bool]:
    """Return the type of one value, and whether there may be several."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        annotation = next(kind for kind in typing.get_args(annotation) if kind is not type(None))
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) is tuple:
        return typing.get_args(annotation)[0], True
    return annotation, False


def option_name(option: str) -> str:
    """Return the name under which a command gets an option's value."""
    return option.split("/")[0].removeprefix("--").replace("-", "_")


def _field(path: str) -> "FieldInfo":
    """Look a field up."""
    from guidedrec_core.config import BuildConfig

    model: type[BaseModel] = BuildConfig
    *parents, name = path.split(".")
    for parent in parents:
        model = typing.cast("type[BaseModel]", _plain_type(model.model_fields[parent].annotation)[0])
    return model.model_fields[name]


def _set(values: dict[str, Any], path: list[str], value: Any) -> None:
    """Set a value deep inside."""
    *parents, name = path
    for parent in parents:
        inner = values.setdefault(parent, {})
        if not isinstance(inner, dict):
            return  # an invalid part of the file; validation will name it
        values = inner
    values[name] = value


def _read(path: Path) -> dict[str, Any]:
    """Read a configuration file."""
    try:
        content = read_json(path, _MOST_BYTES)
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigError(f"expected JSON in the configuration {path}: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"expected a JSON object in the configuration {path}, got a {type(content).__name__}")
    return content
