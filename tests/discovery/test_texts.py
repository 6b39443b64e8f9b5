"""Text features: a few numbers from what listings say, or none."""

import numpy as np
import pandas as pd

from guidedrec_core.data.catalogue import Catalogue
from guidedrec_core.discovery.texts import text_features
from guidedrec_core.discovery.trial import part, readable_loadings


def catalogue(titles: list[str]) -> Catalogue:
    frame = pd.DataFrame({"item_id": [str(n) for n in range(len(titles))], "title": titles, "category": ""})
    return Catalogue(frame)


def test_items_of_like_texts_are_alike() -> None:
    features = text_features(catalogue(["warm wool hat", "warm wool socks", "steel camp stove", "steel gas stove"] * 3))
    assert features is not None
    near = features @ features.T
    assert near[0, 1] > near[0, 2]


def test_texts_without_common_words_have_no_features() -> None:
    assert text_features(catalogue([f"unlike{'abcdefgh'[n]}" for n in range(8)])) is None


def test_items_shown_by_texts_are_never_held_out() -> None:
    rng = np.random.default_rng(0)
    loadings, predicted = rng.normal(size=(2, 300))
    order = np.argsort(-loadings)
    readable = readable_loadings(loadings, predicted)
    parting = part(order[:30], order[::-1][:30], loadings, np.ones(300), readable=readable)
    plain = part(order[:30], order[::-1][:30], loadings, np.ones(300))
    np.testing.assert_array_equal(parting.held_high, plain.held_high)
    np.testing.assert_array_equal(parting.held_low, plain.held_low)
    shown = np.concatenate([parting.high, parting.low, parting.middle])
    assert len(set(shown.tolist())) == len(shown) == 30
    assert not set(shown.tolist()) & {*parting.held_high.tolist(), *parting.held_low.tolist()}


def test_where_texts_say_nothing_behaviour_alone_decides() -> None:
    assert readable_loadings(np.arange(5.0), np.zeros(5)) is None
