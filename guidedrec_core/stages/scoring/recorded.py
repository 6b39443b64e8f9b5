"""Recorded scores of the data sets that have bundled ones, as a server gives them."""

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import read_scores
from guidedrec_core.config import ScoringConfig, SplitConfig
from guidedrec_core.data.bundled import SCORED, bundled_scores
from guidedrec_core.errors import ConfigError, NotFoundError
from guidedrec_core.runs.datasets import load_dataset
from guidedrec_core.runs.store import Run
from guidedrec_core.scoring.recorded import Answers, RecordedServer, recorded_answers
from guidedrec_core.stages.scoring.score import listings_of


def recorded_server(
    data: Run, schema: AttributeSchema, config: ScoringConfig, users: bool = False, split: SplitConfig | None = None
) -> RecordedServer:
    """Return a server that gives a data set's bundled scores; a context manager.

    Parameters
    ----------
    data : Run
        Of stage ``data``.
    schema : AttributeSchema
        What it will be asked for; all of it must be recorded.
    config : ScoringConfig
        The same as it will be asked with: it knows items by their texts.
    users : bool
        Whether it will be asked about users, too.
    split : SplitConfig, optional
        Of users' histories.

    Raises
    ------
    NotFoundError
        There are no recorded scores of the data set, or none of its users.
    ConfigError
        There are none of an attribute, or users are to be judged by other histories than the recorded ones were.
    """
    name = str(data.config["name"])
    files = bundled_scores(name)
    if files is None:
        raise NotFoundError(f"expected a data set with recorded scores ({', '.join(SCORED)}), got {name!r}")
    recorded = AttributeSchema.read(files.attributes)
    if strange := set(schema.names) - set(recorded.names):
        raise ConfigError(
            f"expected attributes that are recorded ({', '.join(recorded.names)}), got {', '.join(sorted(strange))}; "
            "leave out --attributes, or ask a language model"
        )
    dataset = load_dataset(data)
    scores, _ = read_scores(files.item_scores, recorded, dataset.items)
    answers: Answers = recorded_answers(listings_of(data, config)[0], scores, dataset.items)
    if users:
        if files.user_scores is None:
            raise NotFoundError(f"expected recorded scores of users, {name!r} has none; leave out --users")
        if split is not None and split.kind != "leave-one-out":
            raise ConfigError(f"users' scores are recorded for the leave-one-out split, got {split.kind}")
        given, _ = read_scores(files.user_scores, recorded, dataset.users)
        listings, _ = listings_of(data, config, "user", split)
        answers = {**answers, **recorded_answers(listings, given, dataset.users)}
    return RecordedServer(answers)
