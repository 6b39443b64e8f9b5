"""Options of the commands that use a language model, made from the fields of `ScoringConfig`."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.options import field_option, option_name
from guidedrec_core.cli.session import SettingOption
from guidedrec_core.errors import NotFoundError

if TYPE_CHECKING:
    from guidedrec_core.attributes.schema import AttributeSchema
    from guidedrec_core.config import ScoringConfig, SplitConfig
    from guidedrec_core.runs.store import Run, RunStore

_OPTIONS = (
    *("--model", "--base-url", "--concurrency", "--items-per-request", "--max-request-tokens", "--passes"),
    *("--attempts", "--requests-per-minute", "--tokens-per-minute", "--budget", "--timeout", "--max-characters"),
    *("--history", "--reuse", "--temperature"),
)
_COLUMNS = "--columns"
_PRICE = "--price"
_SERVER = "--server"
_RECORDED = "recorded"
_TEMPLATE = "template:"
_TEXTS = {
    "--model": "The server's name of the model, e.g. gpt-5-mini.",
    "--base-url": "Server that speaks OpenAI's protocol; the key comes from $OPENAI_API_KEY.  "
    "[default: $OPENAI_BASE_URL, else OpenAI's]",
}
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class LlmChoice:
    """The options of scoring by a language model that the user has given.

    Attributes
    ----------
    values : dict
        A part of a `ScoringConfig`.
    recorded : bool
        Use the server of recorded scores.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    recorded: bool = False

    @property
    def wanted(self) -> bool:
        """Whether a language model is to be used."""
        return self.recorded or "model" in self.values

    def config(self, **defaults: Any) -> "ScoringConfig":
        """Return the full configuration.

        Raises
        ------
        click.UsageError
            There is no model, or two servers.
        ConfigError
            A value is unknown or out of range.
        """
        from guidedrec_core.config import ScoringConfig

        if self.recorded:
            if "base_url" in self.values:
                raise click.UsageError("--server recorded is a server of its own; leave out --base-url, or --server")
            from guidedrec_core.scoring.recorded import RECORDED

            defaults |= {"model": RECORDED, "price": (0.0, 0.0)}
        elif "model" not in self.values:
            raise click.UsageError("Missing option '--model': name the language model to use")
        return ScoringConfig.parse({**defaults, **self.values})

    @contextlib.contextmanager
    def serving(
        self,
        data: "Run",
        schema: "AttributeSchema",
        config: "ScoringConfig",
        users: bool = False,
        split: "SplitConfig | None" = None,
    ) -> "Iterator[ScoringConfig]":
        """Start the server of recorded scores if it is chosen; yield the configuration with the server to use."""
        if not self.recorded:
            yield config
            return
        from guidedrec_core.stages.scoring.recorded import recorded_server

        with recorded_server(data, schema, config, users, split) as server, _reached_directly():
            yield config.model_copy(update={"base_url": server.url})


def llm_options(
    *names: str, leave_out: tuple[str, ...] = (), recorded: bool = True
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add options of `ScoringConfig`; the command gets them as `llm`.

    Parameters
    ----------
    *names : str
        Fields; all by default.
    leave_out : tuple of str
        Fields that the command does not use.
    recorded : bool
        Add ``--server recorded``.
    """
    chosen = [
        option
        for option in (*_OPTIONS, _COLUMNS, _PRICE)
        if (not names or option_name(option) in names) and option_name(option) not in leave_out
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def with_choice(*args: Any, **kwargs: Any) -> None:
            given = {option_name(option): kwargs.pop(option_name(option)) for option in chosen}
            values = {name: value for name, value in given.items() if value is not None}
            command(*args, llm=LlmChoice(values, recorded and kwargs.pop("server") == _RECORDED), **kwargs)

        decorated: Callable[..., None] = with_choice
        if recorded:
            text = "recorded: a server on this machine that gives bundled scores, to try all of this for free."
            decorated = click.option(_SERVER, type=click.Choice([_RECORDED]), help=text)(decorated)
        for option in reversed(chosen):
            make = functools.partial(_option, option)
            decorated = click.option(option, option_name(option), cls=SettingOption, make=make)(decorated)
        return decorated

    return decorate


def _option(option: str) -> click.Option:
    """Make one option; --price takes two values, --columns a list with commas."""
    from guidedrec_core.config import ScoringConfig

    info = ScoringConfig.model_fields[option_name(option)]
    if option == _PRICE:
        text = "USD per million tokens, input and output.  [default: the model's list price, if it is known]"
        return click.Option([_PRICE], type=float, nargs=2, metavar="IN OUT", help=text)
    if option == _COLUMNS:
        text = (
            f"Columns of the catalogue that the model reads.  [default: {','.join(info.default)}, as far as there are]"
        )
        return click.Option([_COLUMNS], metavar="A,B,...", callback=_names, help=text)
    return field_option(option, info, text=_TEXTS.get(option, ""))


def _names(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Split names at commas."""
    return None if value is None else tuple(name.strip() for name in value.split(",") if name.strip())


def schema_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add ``--attributes`` for commands that use a language model."""
    return click.option(
        "--attributes",
        type=click.Path(path_type=Path),
        metavar="FILE|template:NAME",
        help="Attribute schema (TOML or JSON), or a template, e.g. template:movies.  "
        "[default: that of the stored or bundled scores]",
    )(command)


def read_schema(store: "RunStore", data: "Run", given: Path | None) -> "AttributeSchema":
    """Return the given schema, else that of the newest stored scores, else that of bundled ones.

    Raises
    ------
    ConfigError
        The file is not a schema, or there is no such template.
    NotFoundError
        None is given and there are no scores; the message says how to get one.
    """
    from guidedrec_core import stages
    from guidedrec_core.attributes.schema import AttributeSchema
    from guidedrec_core.data.bundled import bundled_scores

    if given is not None:
        if not str(given).startswith(_TEMPLATE):
            return AttributeSchema.read(given)
        from guidedrec_core.attributes.templates import template

        return template(str(given).removeprefix(_TEMPLATE))
    newest = stages.newest_scores(store, data)
    if newest is not None:
        return AttributeSchema.parse(newest.read_json("attributes"))
    name = str(data.config["name"])
    files = bundled_scores(name)
    if files is not None:
        return AttributeSchema.read(files.attributes)
    raise NotFoundError(
        f"expected attributes to score {name!r} on; name them with --attributes FILE or template:NAME "
        f"(`guidedrec score template`), or let a model propose some: `guidedrec score suggest {name}`"
    )


@contextlib.contextmanager
def _reached_directly() -> Iterator[None]:
    """Keep requests to this machine away from a proxy."""
    before = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    try:
        for name, hosts in before.items():
            os.environ[name] = f"{hosts},{_LOOPBACK}" if hosts else _LOOPBACK
        yield
    finally:
        for name, hosts in before.items():
            if hosts is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = hosts
