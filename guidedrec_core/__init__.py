"""guidedrec: audit why a recommender recommends, with scores that are explained exactly.

The package root offers everything a data scientist needs, and loads each name when it is first used: importing the
package loads nothing heavy. Two names are shorter here than in their modules: `Attributes` is
`attributes.schema.AttributeSchema`, and `open` is `recommenders.reading.open_recommender`.

Examples
--------
On the bundled shop, with one epoch to be quick:

>>> import pandas as pd
>>> import guidedrec_core as gr
>>> from guidedrec_core.data.bundled import sample_data
>>> shop = sample_data() / "fernway"
>>> interactions, items = pd.read_parquet(shop / "interactions.parquet"), pd.read_csv(shop / "catalogue.csv")
>>> item_scores = pd.read_csv(shop / "llm_item_scores.csv")

>>> data = gr.Dataset.from_frames(interactions, items).split("leave-one-out")
>>> base = gr.SASRec(width=64, max_epochs=1, threads=1).fit(data)
>>> scores = gr.Scores.from_frame(item_scores, gr.Attributes.read(shop / "attributes.json"))
>>> model = gr.Refiner(mode="additive").fit(data, base, scores)
>>> table = gr.evaluate({"base": base, "refined": model}, data)
>>> table.columns.tolist()
['model', 'metric', 'value', 'ci_low', 'ci_high', 'gain', 'gain_low', 'gain_high']
>>> model.recommend(users=["S0001"], k=10).columns.tolist()
['user_id', 'item_id', 'score', 'rank', 'model']
>>> len(model.recommend(history=["TVB-007", "KNI-020"], k=10))
10
>>> why = model.explain("S0001", "TVB-007")
>>> bool(abs(why.ledger["value"].sum() - why.score) < 1e-9)
True
"""

from typing import TYPE_CHECKING

from guidedrec_core.lazy import lazy_names

if TYPE_CHECKING:
    from guidedrec_core.attributes.schema import AttributeSchema as Attributes
    from guidedrec_core.attributes.scores import Scores
    from guidedrec_core.audience.audience import Audience
    from guidedrec_core.audience.saved import SegmentStore
    from guidedrec_core.comparison.compare import Comparison, compare
    from guidedrec_core.data.dataset import Dataset, SplitDataset
    from guidedrec_core.evaluation.evaluate import evaluate
    from guidedrec_core.recommenders.explanation import Explanation
    from guidedrec_core.recommenders.external import External
    from guidedrec_core.recommenders.reading import open_recommender as open
    from guidedrec_core.recommenders.recommender import Recommender
    from guidedrec_core.recommenders.refined import RefinedRecommender
    from guidedrec_core.recommenders.refiner import Refiner
    from guidedrec_core.recommenders.sequence import BERT4Rec, GRU4Rec, SASRec
    from guidedrec_core.recommenders.simple import EASE, ItemKNN, Popularity

__version__ = "0.2.0"

__all__ = [
    "EASE",
    "Attributes",
    "Audience",
    "BERT4Rec",
    "Comparison",
    "Dataset",
    "Explanation",
    "External",
    "GRU4Rec",
    "ItemKNN",
    "Popularity",
    "Recommender",
    "RefinedRecommender",
    "Refiner",
    "SASRec",
    "Scores",
    "SegmentStore",
    "SplitDataset",
    "compare",
    "evaluate",
    "open",
]

_HOME_OF = {
    "Attributes": ("attributes.schema", "AttributeSchema"),
    "Audience": ("audience.audience", "Audience"),
    "BERT4Rec": ("recommenders.sequence", "BERT4Rec"),
    "Comparison": ("comparison.compare", "Comparison"),
    "Dataset": ("data.dataset", "Dataset"),
    "EASE": ("recommenders.simple", "EASE"),
    "Explanation": ("recommenders.explanation", "Explanation"),
    "External": ("recommenders.external", "External"),
    "GRU4Rec": ("recommenders.sequence", "GRU4Rec"),
    "ItemKNN": ("recommenders.simple", "ItemKNN"),
    "Popularity": ("recommenders.simple", "Popularity"),
    "Recommender": ("recommenders.recommender", "Recommender"),
    "RefinedRecommender": ("recommenders.refined", "RefinedRecommender"),
    "Refiner": ("recommenders.refiner", "Refiner"),
    "SASRec": ("recommenders.sequence", "SASRec"),
    "SegmentStore": ("audience.saved", "SegmentStore"),
    "Scores": ("attributes.scores", "Scores"),
    "SplitDataset": ("data.dataset", "SplitDataset"),
    "compare": ("comparison.compare", "compare"),
    "evaluate": ("evaluation.evaluate", "evaluate"),
    "open": ("recommenders.reading", "open_recommender"),
}
"""Offered name to its module and its name there."""


__getattr__, __dir__ = lazy_names(__name__, _HOME_OF)
