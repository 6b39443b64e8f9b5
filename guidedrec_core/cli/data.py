"""``guidedrec data``: import, fetch and describe data sets."""

from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.output import json_option, write_facts, write_json, write_table
from guidedrec_core.cli.session import Group, Session
from guidedrec_core.data.judgements import SURVEY
from guidedrec_core.data.verbs import VERBS

if TYPE_CHECKING:
    from guidedrec_core.config import ReadingConfig, TiesConfig
    from guidedrec_core.data.dataset import Dataset

_FORMATS = (
    *("csv", "tsv", "parquet", "jsonl", "recbole", "lenskit", "amazon-2023"),
    *("movielens", "movielens-latest", "movielens-1m", "movielens-100k", "movietweetings"),
)
# As in the literature on these data sets: users and items with at least five interactions.
_FETCHED_CORE = 5


@click.group(cls=Group)
def data() -> None:
    """Import, fetch and describe data sets."""


@data.command("import")
@click.option(
    "--format",
    "format_",
    required=True,
    type=click.Choice(_FORMATS),
    help="What the files are. Your own tables: csv, tsv, parquet, jsonl. movielens and movielens-latest: ratings.csv; "
    "movielens-1m (also 10M): ratings.dat; movielens-100k: u.data; recbole: .inter and .item files; amazon-2023: "
    "reviews and meta files of Amazon Reviews 2023.",
)
@click.option(
    "--path",
    required=True,
    help="The file, folder or zip archive, or its address (s3://, gs://, https://, ...). A table may be packed by "
    "gzip, zstd or bzip2, or alone in a zip archive; Parquet may be a folder of parts.",
)
@click.option("--name", required=True, help="Data set name, e.g. my-shop.")
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="NAME=COLUMN",
    help="A column's name in the file, e.g. user_id=customer (csv, tsv, parquet and jsonl; may be given several "
    "times). NAME is user_id, item_id, datetime, weight or event; of the table of items title, category, price, "
    "description, image or currency.",
)
@click.option("--items", help="Table of items in any of these formats: item_id, title, category and more.")
@click.option(
    "--min-interactions",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="K-core: keep users and items with at least K interactions (5 is usual in research).",
)
@click.option(
    "--date-format",
    metavar="day-first|month-first|PATTERN",
    help="How dates are written where they are not like 2024-01-31: day-first (31/01/2024), month-first (01/31/2024), "
    "or a pattern of strptime such as '%d.%m.%Y %H:%M'. Without it 01/02/2024 is refused, because it has two readings.",
)
@click.option(
    "--event-weights",
    metavar="KIND=WEIGHT,...",
    help="A weight for each kind of interaction, e.g. view=0.2,cart=0.5,purchase=1; 0 leaves a kind out. The kind is "
    "in the column event (or event_type, behavior, ...), or the one named by --map event=COLUMN. A weight column "
    "multiplies it.",
)
@click.option(
    "--min-rating",
    type=float,
    metavar="RATING",
    help="Leave out interactions rated below this, e.g. 3.5: people do not want more of what they disliked.",
)
@click.option("--currency", metavar="CODE", help="Currency of the prices, e.g. EUR, where no column says so.")
@click.option(
    "--verb",
    "--interaction-verb",
    "verb",
    type=click.Choice(list(VERBS)),
    help="What users did with items, for the texts of the app.  [default: guessed from name and format]",
)
@click.option(
    "--ties",
    default="none",
    show_default=True,
    metavar="none|shuffle|column:NAME",
    help="Order of a user's interactions at the same moment, such as purchases of one day: as in the file, at random, "
    "or by a column of the file (csv, tsv, parquet and jsonl), smallest first.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of --ties shuffle.")
@json_option
@click.pass_obj
def import_(
    session: Session,
    format_: str,
    path: str,
    name: str,
    mapping: tuple[str, ...],
    items: str | None,
    min_interactions: int,
    ties: str,
    seed: int,
    verb: str | None,
    date_format: str | None,
    event_weights: str | None,
    min_rating: float | None,
    currency: str | None,
    as_json: bool,
) -> None:
    """Import interactions (and items) from files.

    Files may be larger than memory: rows pass through a temporary DuckDB file, and only what the filters leave is
    loaded. Set GUIDEDREC_IMPORT_MEMORY (1GiB by default) to limit its memory, TMPDIR to move its file.
    """
    from guidedrec_core.data.importing import import_dataset

    columns, order = _parse_mapping(mapping), _parse_ties(ties, seed)
    reading = _parse_reading(date_format, event_weights, min_rating)
    with session.progress() as listener:
        dataset = import_dataset(
            format_, path, name, columns, items, min_interactions, order, verb, reading, currency, listener
        )
    _store(session, dataset, as_json)


@data.command()
@click.argument("name")
@click.option(
    "--path",
    help="With tag-genome-survey: GroupLens' archive genome_2021.zip, or the unpacked folder raw, where it is at hand.",
)
@json_option
@click.pass_obj
def fetch(session: Session, name: str, path: str | None, as_json: bool) -> None:
    """Download a public data set and import it, ready for `build`.

    NAME is movielens-small or movietweetings-100k. Users and items with fewer than 5 interactions are left out. An
    interrupted download resumes where it stopped.

    NAME tag-genome-survey gets what people said of films, for `guidedrec audit movielens-small --human`: two small
    files of GroupLens' Tag Genome data set 2021, an archive of about 1.8 GB (licence: CC BY-NC 3.0). All of it is
    transferred only where the server does not send parts of files.
    """
    if name == SURVEY:
        _fetch_survey(session, path, as_json)
        return
    if path is not None:
        raise click.UsageError(f"--path goes with {SURVEY}; `guidedrec data import --path` reads files of other data")
    from guidedrec_core.data.fetch import SOURCES
    from guidedrec_core.data.fetch import fetch as download
    from guidedrec_core.data.importing import import_dataset

    with session.progress() as listener:
        folder = download(name, session.store().home, listener)
    dataset = import_dataset(SOURCES[name].format, folder, name, min_interactions=_FETCHED_CORE)
    _store(session, dataset, as_json)


@data.command()
@click.argument("name")
@json_option
@click.pass_obj
def describe(session: Session, name: str, as_json: bool) -> None:
    """Show the facts of a data set."""
    from guidedrec_core.runs.datasets import load_dataset
    from guidedrec_core.stages import find_data

    run = find_data(session.store(), name)
    _show(session, load_dataset(run), run.id, as_json)


@data.command("list")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List stored, bundled and fetchable data sets."""
    from guidedrec_core.data.bundled import BUNDLED
    from guidedrec_core.data.fetch import SOURCES
    from guidedrec_core.runs.library import dataset_names

    store = session.store()
    stored = {str(i.config.get("name")): i for i in reversed(store.list("data")) if i.problem is None}
    entries: list[dict[str, Any]] = []
    for name in dataset_names(store):
        facts = stored[name].summary if name in stored else {}
        entries.append(
            {
                "name": name,
                "run_id": stored[name].id if name in stored else None,
                "bundled": name in BUNDLED,
                **{key: facts.get(key) for key in ("users", "items", "interactions", "first", "last")},
            }
        )
    fetchable = [name for name in SOURCES if name not in stored]
    if as_json:
        write_json({"datasets": entries, "fetchable": fetchable})
        return
    rows = []
    for entry in entries:
        counts = [f"{entry[key]:,}" if entry[key] is not None else "" for key in ("users", "items", "interactions")]
        state = f"run {entry['run_id']}" if entry["run_id"] else "bundled, stored at first use"
        rows.append([str(entry["name"]), *counts, state])
    rows += [[name, "", "", "", f"`guidedrec data fetch {name}` gets it"] for name in fetchable]
    write_table(("data set", "users", "items", "interactions", "state"), rows)


def _fetch_survey(session: Session, path: str | None, as_json: bool) -> None:
    """Get the survey behind the Tag Genome and say what came."""
    from guidedrec_core.columns import ITEM
    from guidedrec_core.data.judgements.fetch import LICENCE, fetch_survey
    from guidedrec_core.data.judgements.survey import read_survey
    from guidedrec_core.data.judgements.table import RATER

    with session.progress() as listener:
        folder = fetch_survey(session.store().home, listener, path)
    answers = read_survey(folder)
    facts = {
        "name": SURVEY,
        "folder": str(folder),
        "answers": len(answers),
        "raters": answers[RATER].nunique(),
        "items": answers[ITEM].nunique(),
        "tags": answers["tag"].nunique(),
        "licence": LICENCE,
    }
    if as_json:
        write_json(facts)
        return
    write_facts([(key, f"{value:,}" if isinstance(value, int) else str(value)) for key, value in facts.items()])


def _parse_mapping(pairs: tuple[str, ...]) -> dict[str, str]:
    """Split NAME=COLUMN pairs."""
    mapping = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not (name and equals and column):
            raise click.UsageError(f"--map: expected NAME=COLUMN, e.g. user_id=customer; got {pair!r}")
        if name in mapping:
            raise click.UsageError(f"--map: {name} is given twice")
        mapping[name] = column
    return mapping


def _parse_ties(text: str, seed: int) -> "TiesConfig":
    """Parse none, shuffle or column:NAME."""
    from guidedrec_core.config import TiesConfig

    order, colon, column = text.partition(":")
    if order not in ("none", "shuffle", "column") or bool(colon) != (order == "column") or bool(colon) != bool(column):
        raise click.UsageError(f"--ties: expected none, shuffle or column:NAME, e.g. column:line; got {text!r}")
    return TiesConfig.parse({"order": order, "column": column or None, "seed": seed})


def _parse_reading(date_format: str | None, event_weights: str | None, min_rating: float | None) -> "ReadingConfig":
    """Parse KIND=WEIGHT pairs and check the rest."""
    from guidedrec_core.config import ReadingConfig
    from guidedrec_core.data.reading.dates import check_format

    weights: dict[str, str] = {}
    for pair in (event_weights or "").split(",") if event_weights is not None else []:
        kind, equals, weight = pair.rpartition("=")
        if not equals or not kind.strip():
            raise click.UsageError(
                f"--event-weights: expected KIND=WEIGHT pairs, e.g. view=0.2,cart=0.5,purchase=1; got {pair!r}"
            )
        if kind.strip() in weights:
            raise click.UsageError(f"--event-weights: {kind.strip()} is given twice")
        weights[kind.strip()] = weight
    if date_format is not None:
        check_format(date_format)
    return ReadingConfig.parse({"date_format": date_format, "event_weights": weights, "min_rating": min_rating})


def _store(session: Session, dataset: "Dataset", as_json: bool) -> None:
    """Store an imported data set and show it."""
    from guidedrec_core.stages import store_dataset

    run = store_dataset(session.store(), dataset)
    _show(session, dataset, run.id, as_json)


def _show(session: Session, dataset: "Dataset", run_id: str, as_json: bool) -> None:
    """Show the facts of a data set; in JSON the notices are part of them."""
    facts = {"run_id": run_id, **dataset.describe()}
    if as_json:
        write_json(facts)
        return
    session.notices(facts["notices"])
    history = facts["history"]
    source = facts["source"]
    rows = [
        ("data set", facts["name"]),
        ("run", run_id),
        ("users", f"{facts['users']:,}"),
        ("items", f"{facts['items']:,}"),
        ("interactions", f"{facts['interactions']:,} ({facts['density']:.2%} of all user and item pairs)"),
        ("period", f"{facts['first'][:10]} to {facts['last'][:10]}"),
        ("histories", f"{history['min']:,} to {history['max']:,} interactions, median {history['median']:,g}"),
        ("categories", f"{facts['categories']:,}"),
        ("verb", facts["interaction_verb"]),
        ("source", f"{source.get('format', '')} {source.get('path', '')}"),
    ]
    rows += [(key, source[key]) for key in ("ties", "licence", "citation") if key in source]
    write_facts(rows)
