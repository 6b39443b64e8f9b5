"""Which refined run a command reads, and the options that choose it."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guidedrec_core.cli.session import Session
from guidedrec_core.errors import InputError, NotFoundError, UnknownIdError

if TYPE_CHECKING:
    from guidedrec_core.data.dataset import Shown
    from guidedrec_core.recommenders.refined import RefinedRecommender
    from guidedrec_core.rules.rule import Rule
    from guidedrec_core.runs.library import RefinedEntry
    from guidedrec_core.runs.store import RunStore


def model_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the data set, ``--run``, ``--model`` and ``--k``."""
    for option in reversed(
        (
            click.argument("dataset", required=False),
            click.option("--run", "run_id", metavar="ID", help="A refined run.  [default: the newest]"),
            click.option(
                "--model",
                type=click.Choice(["base", "refined"]),
                default="refined",
                show_default=True,
                help="The refined run's model, or the base model it refines.",
            ),
            click.option(
                "--k", type=click.IntRange(min=1), default=10, show_default=True, help="Recommendations for each user."
            ),
        )
    ):
        command = option(command)
    return command


def rules_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add ``--rules``."""
    return click.option(
        "--rules",
        "rules_file",
        type=click.Path(path_type=Path),
        help="File of business rules (.toml or .json); those that are on are added to the refined scores.",
    )(command)


def applied_rules_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add ``--rules`` and ``--no-rules``: for what applies the rules of the data set unless told otherwise."""
    command = click.option(
        "--no-rules", is_flag=True, help="The model's own scores, without the rules of the data set that are on."
    )(command)
    return click.option(
        "--rules",
        "rules_file",
        type=click.Path(path_type=Path),
        help="File of business rules (.toml or .json).  [default: the rules of the data set that are on]",
    )(command)


def with_rules(system: "RefinedRecommender", rules_file: Path | None) -> "RefinedRecommender":
    """Return a recommender with the rules of a file that are on; as it is without a file."""
    if rules_file is None:
        return system
    from guidedrec_core.rules.rule import adjustments
    from guidedrec_core.rules.storage import read_rules

    return system.with_rules(adjustments(read_rules(rules_file).on, system))


def applied_rules(session: Session, dataset: str, rules_file: Path | None, no_rules: bool) -> "tuple[Rule, ...]":
    """Return the rules to apply: those of a file, else those of the data set, that are on; a note names the latter.

    Raises
    ------
    click.UsageError
        Both options were given.
    """
    if rules_file is not None and no_rules:
        raise click.UsageError("expected --rules or --no-rules, got both; leave one out")
    if no_rules:
        return ()
    if rules_file is not None:
        from guidedrec_core.rules.storage import read_rules

        return read_rules(rules_file).on
    on = rules_on(session, dataset)
    if on:
        from guidedrec_core.rules.words import on_sentence

        session.note(f"{on_sentence(tuple(rule.name for rule in on))} --no-rules leaves them out")
    return on


def with_applied_rules(
    session: Session, system: "RefinedRecommender", rules_file: Path | None, no_rules: bool
) -> "RefinedRecommender":
    """Return a recommender with the rules to apply; see `applied_rules`.

    Raises
    ------
    InputError
        A rule does not fit the run; the message says which, and how to do without.
    """
    on = applied_rules(session, system.data.dataset.name, rules_file, no_rules)
    return ruled(system, on)


def ruled(system: "RefinedRecommender", on: "tuple[Rule, ...]") -> "RefinedRecommender":
    """Return a recommender with some rules."""
    if not on:
        return system
    from guidedrec_core.rules.rule import adjustments

    try:
        return system.with_rules(adjustments(on, system))
    except InputError as error:
        raise InputError(f"{error}; change the rule, switch it off, or leave rules out with --no-rules") from error


def rules_on(session: Session, dataset: str) -> "tuple[Rule, ...]":
    """Return the rules of a data set that are on; a home without a database is not given one."""
    from guidedrec_core.database.place import anything_stored

    home = session.store().home
    if not anything_stored(home):
        return ()
    from guidedrec_core.rules.store import RuleStore

    return RuleStore(home, dataset).rule_set().on


def history_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add ``--history``."""
    return click.option(
        "--history",
        type=click.Choice(["full", "train+valid", "train"]),
        default="full",
        show_default=True,
        help="Which part of each user's history the model sees; its items are never recommended again. The held-out "
        "views train+valid and train are for audits.",
    )(command)


@contextlib.contextmanager
def opened(
    session: Session, dataset: str | None, run_id: str | None, history: "Shown" = "full"
) -> Iterator["RefinedRecommender"]:
    """Open a refined run; by default the newest of the data set, or of all.

    `history` is the part of each history that its models are shown. A note after the work names the run, as does the
    message about an unknown id.

    Raises
    ------
    NotFoundError
        There is no such run; the message says what to do.
    """
    entry = choose(session.store(), dataset, run_id)
    name = entry.data.config["name"]
    from guidedrec_core.recommenders.reading import open_refined

    try:
        yield open_refined(session.store(), entry.run.id).showing(history)
    except UnknownIdError as error:
        raise UnknownIdError(f"{error} (in data set {name}, run {entry.run.id})") from error
    if run_id is None:
        session.note(f"from the newest refined run, {entry.run.id} of data set {name}")


def choose(store: "RunStore", dataset: str | None, run_id: str | None) -> "RefinedEntry":
    """Find a refined run, by its id (also in place of the data set) or the newest of a data set or of all.

    Raises
    ------
    NotFoundError
        There is no such run; the message says what to do.
    """
    from guidedrec_core.runs.library import find_entry, refined_entries
    from guidedrec_core.runs.manifest import ID

    if dataset is not None and run_id is None and ID.fullmatch(dataset):
        dataset, run_id = None, dataset
    if dataset is not None:
        return find_entry(store, dataset, run_id)
    entries = refined_entries(store)
    if not entries:
        raise NotFoundError(
            f"there is no refined run in {store.home} yet; `guidedrec build fernway` makes one of the bundled shop"
        )
    for entry in entries:
        if run_id in (None, entry.run.id):
            return entry
    raise NotFoundError(f"run {run_id!r} is not a refined run (any more); `guidedrec runs list` shows all")
