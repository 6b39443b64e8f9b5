"""Do people see in films what the bundled scores of MovieLens say? Against the survey behind the Tag Genome.

`python benchmarks/human.py --survey PATH --films FOLDER`. The survey is GroupLens' (CC BY-NC 3.0, see
`guidedrec data fetch tag-genome-survey`); only figures over many films are stored, none of its answers. Which tags
stand for which attribute is fixed in `sample_data/movielens_scores/survey_questions.json`, chosen by name before any
score was compared with an answer. All scored films with usable answers count. `NAMED` are the fourteen attributes that
were to be tested whatever came out; of the other two, pace is asked of few films and mainstream appeal by its low end
only. The model that scored the films was shown up to 80 characters of user tags, so the films without any tag in
MovieLens are also looked at alone.
"""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import machine
import numpy as np
import pandas as pd

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import read_scores
from guidedrec_core.audit.human import human_agreement, rank_correlations
from guidedrec_core.data.bundled import bundled_questions, bundled_scores
from guidedrec_core.data.judgements.survey import read_questions, read_survey, survey_judgements
from guidedrec_core.data.vocabulary import Vocabulary

DATA = "movielens-small"
NAMED = (
    *("humor", "romance", "visual_spectacle", "story_complexity", "action_intensity", "family_friendly", "speculative"),
    *("suspense", "period_classic", "emotional_depth", "darkness", "thought_provoking", "quirkiness"),
    "dialogue_driven",
)
SAMPLES = 2_000


def people_on_any_tag(answers: pd.DataFrame, films: set[str]) -> dict[str, Any]:
    """Correlate two people who judge the same film and tag, over all tags, by the answers as given.

    Higher than within one tag, because some tags fit more films than others and people know it.
    """
    known = answers[answers["item_id"].isin(films)]
    both = known.merge(known, on=["item_id", "tag"])
    both = both[both["rater_x"] != both["rater_y"]]
    found = rank_correlations(both[["value_x"]].to_numpy(), both["value_y"].to_numpy())[0, 0]
    return {"spearman": round(float(found), 4), "pairs": len(both) // 2}


def rounded(value: Any) -> Any:
    """Round the numbers of a document; what is unknown becomes null."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return None if np.isnan(value) else round(value, 4)
    return value


def report(result: dict[str, Any]) -> str:
    """Write the result as text."""
    text = []
    for name in ("summary_named", "summary", "summary_named_untagged"):
        s = result[name]
        text.append(
            f"{s['attributes']} attributes: mean {s['mean_spearman']:.3f} [{s['mean_spearman_low']:.3f}, "
            f"{s['mean_spearman_high']:.3f}], best of {s['columns']} columns in {s['best_of_columns']} "
            f"[{s['best_of_columns_low']:.0f}, {s['best_of_columns_high']:.0f}], two people {s['people_pairs']:.3f}, "
            f"categories {s['mean_categories']:.3f}, shuffled {s['mean_shuffled']:.3f}"
        )
    for row in result["attributes"]:
        text.append(
            f"{row['attribute']:18} {row['n_items']:4} {row['spearman']:.3f} place {row['rank']} {row['verdict']}"
        )
    return "\n".join(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--survey", type=Path, required=True, help="GroupLens' archive or folder, or its table")
    parser.add_argument("--films", type=Path, required=True, help="ml-latest-small: movies.csv and tags.csv")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "human.json")
    options = parser.parse_args()
    facts = machine.facts("numpy", "pandas")
    files, chosen = bundled_scores(DATA), bundled_questions(DATA)
    schema = AttributeSchema.read(files.attributes)
    films = Vocabulary(pd.read_csv(files.item_scores, dtype=str)["item_id"], "item")
    scores, _ = read_scores(files.item_scores, schema, films)
    tagged = set(pd.read_csv(options.films / "tags.csv", dtype=str)["movieId"])
    genres = (
        pd.read_csv(options.films / "movies.csv", dtype=str)
        .set_index("movieId")["genres"]
        .reindex(films.ids)
        .fillna("")
    )
    answers = read_survey(options.survey)
    judgements = survey_judgements(answers, read_questions(chosen))
    named = judgements[judgements["attribute"].isin(NAMED)]
    audits = {
        name: human_agreement(part, scores, films, genres.tolist(), options.seed, SAMPLES)
        for name, part in (
            ("summary", judgements),
            ("summary_named", named),
            ("summary_named_untagged", named[~named["item_id"].isin(tagged)]),
        )
    }
    result = {
        "benchmark": "human",
        "machine": facts,
        "data": DATA,
        "seed": options.seed,
        "bootstrap_samples": SAMPLES,
        "survey": {
            "source": "GroupLens, Tag Genome data set 2021, survey answers; CC BY-NC 3.0",
            "answers": len(answers),
            "raters": int(answers["rater"].nunique()),
            "people_on_any_tag": people_on_any_tag(answers, set(films.ids)),
        },
        "questions_sha256": hashlib.sha256(chosen.read_bytes()).hexdigest(),
        "scores_sha256": hashlib.sha256(files.item_scores.read_bytes()).hexdigest(),
        **{name: rounded(audit.summary) for name, audit in audits.items()},
        "attributes": rounded(audits["summary"].table.to_dict("records")),
    }
    print(report(result))
    options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
