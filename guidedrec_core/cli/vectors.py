"""``guidedrec vectors``: item vectors from the texts of a catalogue, or out of a checkpoint."""

from pathlib import Path

import click

from guidedrec_core.cli.output import json_option, write_facts, write_json
from guidedrec_core.cli.session import DefaultGroup, Session
from guidedrec_core.cli.vectors_extract import extract


@click.group(cls=DefaultGroup, default="dataset", subcommand_metavar="DATASET|COMMAND [ARGS]...")
def vectors() -> None:
    """Make item vectors for a base model of your own.

    `guidedrec vectors DATASET` is short for `guidedrec vectors dataset DATASET`, whose --help shows the options.
    """


@vectors.command("dataset")
@click.argument("dataset")
@click.option("--columns", required=True, help="Columns of the catalogue to read, e.g. title,description.")
@click.option("--model", required=True, help="Embedding model: the server's name of it, or with --local its own.")
@click.option(
    "--base-url",
    help="Server that speaks OpenAI's protocol; the key comes from $OPENAI_API_KEY.  "
    "[default: $OPENAI_BASE_URL, else OpenAI's]",
)
@click.option("--local", is_flag=True, help="Use a sentence-transformers model on this machine (extra `local`).")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write (.npz): vectors and ids.")
@click.option(
    "--max-characters", type=click.IntRange(min=1), default=2000, show_default=True, help="Longer texts are cut."
)
@click.option(
    "--batch-size", type=click.IntRange(1, 2048), default=64, show_default=True, help="Texts sent in one request."
)
@json_option
@click.pass_obj
def of_texts(
    session: Session,
    dataset: str,
    columns: str,
    model: str,
    base_url: str | None,
    local: bool,
    out: Path,
    max_characters: int,
    batch_size: int,
    as_json: bool,
) -> None:
    """Make item vectors from the texts of a data set's catalogue.

    An interrupted call resumes when the same command is run again.
    """
    if local and base_url:
        raise click.UsageError("--local needs no server; leave out --base-url, or --local")
    from guidedrec_core import stages
    from guidedrec_core.llm.client import LlmClient
    from guidedrec_core.runs.datasets import load_dataset
    from guidedrec_core.vectors.text import check_place, item_texts, local_model, write_text_vectors

    check_place(out)
    names = [name.strip() for name in columns.split(",") if name.strip()]
    catalogue = load_dataset(stages.find_data(session.store(), dataset)).catalogue
    texts = item_texts(catalogue, names, max_characters)
    session.notices([notice.as_dict() for notice in texts.notices])
    if local:
        embed, source = local_model(model), f"{model} (local)"
    else:
        client = LlmClient(base_url)
        embed, source = (lambda batch: client.embed(batch, model)), f"{model} at {client.base_url}"
    with session.progress() as listener:
        width, embedded = write_text_vectors(out, texts, embed, source, batch_size, listener)
    if as_json:
        facts = {"items": len(catalogue), "vectors": len(texts.ids), "width": width, "embedded": embedded}
        write_json({"dataset": dataset, "model": model, **facts, "path": out})
        return
    write_facts(
        [
            ("data set", dataset),
            ("model", source),
            ("vectors", f"{len(texts.ids):,} of {len(catalogue):,} items, {width:,} numbers each"),
            ("written to", str(out)),
        ]
    )


vectors.add_command(extract)
