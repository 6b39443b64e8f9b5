"""One more attribute for scores that are there: only it is asked about, and everything else stays."""

from pathlib import Path

import numpy as np
import pytest
import tiny
from chat_server import ChatServer, attributes_in, chat_server, failing, score_of, scorer, texts_in
from numpy.testing import assert_array_equal

from guidedrec_core import stages
from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.config import ScoringConfig
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.errors import InputError, ServiceError
from guidedrec_core.reliability.trust import build_trust
from guidedrec_core.runs.datasets import load_dataset
from guidedrec_core.runs.scores import load_aligned_scores, load_scores, repeated_scores
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.scoring.extend import add_attribute
from guidedrec_core.stages.scoring.passes import doubt_of
from guidedrec_core.stages.scoring.score import score_with_llm

__all__ = ["chat_server"]

PACE = Attribute(name="pace", low="slow", high="fast")


@pytest.fixture
def store(own_home: Path, tmp_path: Path) -> RunStore:
    files = tiny.write_shop(tmp_path)
    store = RunStore(own_home)
    stages.store_dataset(store, import_dataset("csv", files.interactions, "tiny", items_path=files.catalogue))
    stages.score_attributes(store, stages.find_data(store, "tiny"), files.scores)
    return store


@pytest.fixture
def data(store: RunStore) -> Run:
    return stages.find_data(store, "tiny")


@pytest.fixture
def config(chat_server: ChatServer) -> ScoringConfig:
    chat_server.model = scorer
    return ScoringConfig(model="m", base_url=chat_server.url, items_per_request=8, concurrency=3, price=(1.0, 2.0))


def test_scores_from_a_file_keep_their_columns_and_get_another(
    store: RunStore, data: Run, config: ScoringConfig, chat_server: ChatServer
) -> None:
    old = stages.given_scores(store, data)
    new = add_attribute(store, old, PACE, config, origin={"card": "a card"})
    assert {name for request in chat_server.asked for name in attributes_in(request)} == {"pace"}
    assert sum(len(texts_in(request)) for request in chat_server.asked) == 40
    values, before = load_scores(new), load_scores(old).values
    assert values.schema.names == (*tiny.ATTRIBUTES, "pace")
    assert_array_equal(values.values[:, :3], before)
    assert len(set(values.values[:, 3].tolist())) > 3
    assert new.summary["attributes"] == 4
    assert new.config["added"] == [
        {
            "attribute": "pace",
            "scored_by": "m",
            "columns": list(config.columns),
            "prompt_version": new.config["added"][0]["prompt_version"],
            "card": "a card",
        }
    ]
    assert new.config["item_scores"]["file"] == "scores.csv"
    assert new.inputs["extends"] == old.id
    assert stages.given_scores(store, data) == new
    assert add_attribute(store, new, PACE, config) == new
    assert add_attribute(store, old, PACE, config, origin={"card": "a card"}) == new
    with pytest.raises(InputError, match="'pace' is scored already, with other texts"):
        add_attribute(store, new, PACE.model_copy(update={"low": "other"}), config)
    other = add_attribute(store, new, Attribute(name="noise", low="quiet", high="loud"), config)
    assert [each["attribute"] for each in other.config["added"]] == ["pace", "noise"]


def test_users_and_passes_are_scored_as_the_others_were(
    store: RunStore, data: Run, config: ScoringConfig, chat_server: ChatServer
) -> None:
    twice = config.model_copy(update={"passes": 2})
    schema = AttributeSchema.parse(stages.given_scores(store, data).read_json("attributes"))
    old = score_with_llm(store, data, schema, twice, users=True)
    new = add_attribute(store, old, PACE, twice)
    users, before = load_aligned_scores(new).users, load_aligned_scores(old).users
    assert users is not None
    assert before is not None
    assert_array_equal(users.values[:, :3], before.values)
    assert not np.isnan(users.values[:, 3]).any()
    assert load_aligned_scores(new).scoring["model"] == "m"
    repeated = repeated_scores(store, new)
    assert repeated is not None
    assert repeated.values.shape == (2, 40, 4)
    assert not np.isnan(repeated.values[:, :, 3]).any()
    assert_array_equal(repeated.values[:, :, :3], repeated_scores(store, old).values)  # type: ignore[union-attr]
    trust = build_trust(load_scores(new), load_dataset(data).items, repeated)
    assert len(trust.facts) == 4
    # One pass of the new attribute next to two of the others: it counts in full.
    once = add_attribute(store, old, Attribute(name="noise", low="quiet", high="loud"), config)
    doubt, _ = doubt_of(store, once)
    assert doubt is not None
    assert doubt.one_pass[-1] == 1
    assert len(build_trust(load_scores(once), load_dataset(data).items, repeated_scores(store, once)).facts) == 4


def test_a_text_model_scores_items_alone(store: RunStore, data: Run, config: ScoringConfig) -> None:
    def embed(texts: list[str]) -> np.ndarray:
        rows = [[score_of(text, str(n)) for n in range(6)] for text in texts]
        return np.array(rows, dtype=np.float32)

    old = stages.given_scores(store, data)
    new = add_attribute(store, old, PACE, config.model_copy(update={"model": "t"}), embed=embed)
    assert new.config["added"][0]["scored_by"] == "t"
    column = load_scores(new).values[:, 3]
    assert not np.isnan(column).any()
    assert 0 <= column.min() < column.max() <= 10


def test_what_goes_wrong_stores_nothing(
    store: RunStore, data: Run, config: ScoringConfig, chat_server: ChatServer
) -> None:
    old = stages.given_scores(store, data)
    with pytest.raises(InputError, match="the budget of 1e-06 USD"):
        add_attribute(store, old, PACE, config.model_copy(update={"budget": 1e-6}))
    chat_server.model = lambda request: failing(400, "not this")
    with pytest.raises(ServiceError):
        add_attribute(store, old, PACE, config)
    assert stages.given_scores(store, data) == old
