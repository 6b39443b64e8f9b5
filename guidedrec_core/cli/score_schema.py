"""``guidedrec score template`` and ``score suggest``: attribute schemas to start from."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guidedrec_core.cli.llm_options import LlmChoice, llm_options
from guidedrec_core.cli.output import json_option, write_facts, write_json
from guidedrec_core.cli.session import Command, Session
from guidedrec_core.errors import InputError

if TYPE_CHECKING:
    from guidedrec_core.attributes.schema import AttributeSchema

_out = click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="File to write: TOML, or JSON if its name ends in .json. An existing file is not replaced.",
)


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option("--out", type=click.Path(path_type=Path), help="File to write: TOML, or JSON if it ends in .json.")
@json_option
@click.pass_obj
def template(session: Session, name: str | None, out: Path | None, as_json: bool) -> None:
    """Write a ready attribute schema, to be edited; without a name, list the templates."""
    from guidedrec_core.attributes import templates

    if name is None:
        if out is not None:
            raise click.UsageError(f"expected the template to write, one of {', '.join(templates.template_names())}")
        if as_json:
            write_json({"templates": list(templates.template_names())})
            return
        for each in templates.template_names():
            click.echo(f"{each}: {', '.join(templates.template(each).names)}")
        return
    _show(templates.template(name), out, as_json)


@click.command(cls=Command)
@click.argument("dataset")
@llm_options("model", "base_url", "columns", "timeout", recorded=False)
@click.option(
    "--domain", default="", metavar="TEXT", help="What the items are, e.g. movies.  [default: the model says]"
)
@click.option("--count", type=click.IntRange(2, 30), default=8, show_default=True, help="Number of attributes.")
@click.option(
    "--sample", type=click.IntRange(5, 200), default=30, show_default=True, help="Items shown, from all categories."
)
@click.option(
    "--max-characters", type=click.IntRange(50), default=300, show_default=True, help="Longer texts of items are cut."
)
@_out
@json_option
@click.pass_obj
def suggest(
    session: Session,
    dataset: str,
    llm: LlmChoice,
    domain: str,
    count: int,
    sample: int,
    max_characters: int,
    out: Path,
    as_json: bool,
) -> None:
    """Let a language model propose attributes from a sample of the catalogue.

    It is a proposal: read it, change names, definitions and both ends to what your shop means, drop what does not
    matter, and score with it.
    """
    _check_free(out)
    from guidedrec_core import stages

    config = llm.config(max_characters=max_characters)
    data = stages.find_data(session.store(), dataset)
    with session.progress() as listener:
        schema = stages.suggest_attributes(data, config, domain, count, sample, listener)
    _show(schema, out, as_json)
    session.note(f"edit {out}, then estimate the cost: `guidedrec score {dataset} --attributes {out} --dry-run ...`")


def _show(schema: "AttributeSchema", out: Path | None, as_json: bool) -> None:
    """Write a schema into a file, and show what is in it."""
    if out is not None:
        _check_free(out)
        schema.write(out)
    if as_json:
        write_json({"schema": schema.model_dump(mode="json"), "hash": schema.hash(), "path": out})
        return
    write_facts(
        [
            ("domain", schema.domain or "none"),
            *((each.name, f"{each.low} ... {each.high}") for each in schema.attributes),
            *([("written to", str(out))] if out is not None else []),
        ]
    )


def _check_free(out: Path) -> None:
    """Refuse to replace a file, which may have been edited by hand.

    Raises
    ------
    InputError
        The file exists.
    """
    if out.exists():
        raise InputError(f"expected a new file, {out} is there already; name another, or move it away")
