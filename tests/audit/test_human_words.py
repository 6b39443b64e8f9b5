"""What people's judgements say of scores, in words."""

import numpy as np
import pandas as pd

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.audit import human_words
from guidedrec_core.audit.human import human_agreement
from guidedrec_core.data.vocabulary import Vocabulary

LABELS = {"warmth": "Warmth", "style_focus": "Style focus", "weight": "Weight"}


def test_the_good_the_weak_and_the_unknown_are_named() -> None:
    rng = np.random.default_rng(0)
    schema = AttributeSchema(attributes=tuple(Attribute(name=n, low="a", high="b") for n in LABELS))
    values = rng.integers(0, 11, (80, 3)).astype(np.float32)
    ids = [f"i{n}" for n in range(80)]
    judged = {"warmth": values[:, 0], "style_focus": values[:, 0] + rng.normal(size=80), "weight": values[:5, 2]}
    frames = [
        pd.DataFrame({"item_id": ids[: len(v)], "attribute": a, "value": v, "rater": r})
        for a, v in judged.items()
        for r in ("x", "y")
    ]
    audit = human_agreement(pd.concat(frames), GuidedScores(values, schema), Vocabulary(ids, "item"))
    said = human_words.sentences(audit.summary, LABELS)
    assert said[0].startswith("Scores agree with people by 0.")
    assert said[1] == "For 1 of 2 attributes the column with the right name agrees best of all 3."
    assert said[2].startswith("Two people agree by 1.00 [1.00, 1.00]; scores and one of them by 0.")
    assert said[3:] == ["Weak: Style focus.", "Too few judgements: Weight."]
    rows = {row["attribute"]: row for row in audit.table.to_dict("records")}
    assert human_words.phrase(rows["warmth"], LABELS) == "strong"
    other = rows["style_focus"]["best_other_spearman"]
    assert (
        human_words.phrase(rows["style_focus"], LABELS) == f"weak: Warmth agrees better ({other:+.2f}), may be chance"
    )
    assert human_words.phrase(rows["weight"], LABELS) == "too few judged items (20 needed)"
    assert human_words.place(rows["warmth"], 3) == "1 of 3"


def test_too_few_judgements_say_so_alone() -> None:
    schema = AttributeSchema(attributes=(Attribute(name="warmth", low="a", high="b"),))
    scores = GuidedScores(np.arange(8, dtype=np.float32)[:, None], schema)
    ids = [f"i{n}" for n in range(8)]
    judged = pd.DataFrame({"item_id": ids, "attribute": "warmth", "value": range(8)})
    audit = human_agreement(judged, scores, Vocabulary(ids, "item"), samples=20)
    said = human_words.sentences(audit.summary, LABELS)
    assert said == ["Too few judgements to tell: an attribute needs 20 judged items that have scores."]
