"""``guidedrec score DATASET --model M``: score by a language model, or estimate the cost."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from guidedrec_core.cli.llm_options import LlmChoice, read_schema
from guidedrec_core.cli.output import write_facts, write_json
from guidedrec_core.cli.progress_line import duration
from guidedrec_core.cli.session import Session
from guidedrec_core.scoring.prices import failed_words, usd

if TYPE_CHECKING:
    from guidedrec_core.config import SplitConfig
    from guidedrec_core.runs.store import Run
    from guidedrec_core.scoring.scorer import ScoringPlan

_COUNTED = ("listings", "cached", "asked", "requests", "prompt_tokens", "completion_tokens", "cost", "seconds")


def plan_scoring(
    session: Session,
    dataset: str,
    attributes: Path | None,
    llm: LlmChoice,
    users: bool,
    split: "SplitConfig",
    batch: bool,
) -> "dict[str, ScoringPlan]":
    """Estimate the scoring of items and, if wanted, of users; nothing is sent."""
    from guidedrec_core import stages

    config = llm.config()
    store = session.store()
    data = stages.find_data(store, dataset)
    schema = read_schema(store, data, attributes)
    plans = {"items": stages.scoring_plan(store, data, schema, config, batch=batch)}
    if users:
        plans["users"] = stages.scoring_plan(store, data, schema, config, "user", split, batch)
    return plans


def write_plan(dataset: str, model: str, plans: "dict[str, ScoringPlan]", as_json: bool, at_once: bool = False) -> None:
    """Write the estimates of the parts of a scoring, and their total, one after the other or at once."""
    whole = {name: [getattr(plan, name) for plan in plans.values()] for name in _COUNTED}
    requests, seconds = sum(whole["requests"]), (max if at_once else sum)(whole["seconds"])
    tokens = sum(whole["prompt_tokens"]), sum(whole["completion_tokens"])
    cost = None if None in whole["cost"] else sum(whole["cost"])
    if as_json:
        parts = {name: {count: getattr(plan, count) for count in _COUNTED} for name, plan in plans.items()}
        together = {"requests": requests, "tokens": sum(tokens), "cost": cost, "seconds": seconds}
        write_json({"dataset": dataset, "model": model, **parts, **together})
        return
    write_facts(
        [
            ("data set", dataset),
            ("model", model),
            *(
                (name, f"{plan.listings:,}: {plan.cached:,} answered, {plan.asked:,} to request")
                for name, plan in plans.items()
            ),
            ("requests", f"{requests:,}"),
            ("tokens", f"about {tokens[0]:,} in and {tokens[1]:,} out"),
            ("cost", f"about {usd(cost)}" if cost is not None else f"not known for {model}; set it with --price"),
            ("time", f"about {duration(seconds)}"),
        ]
    )


def score_with_model(
    session: Session,
    dataset: str,
    attributes: Path | None,
    llm: LlmChoice,
    users: bool,
    split: "SplitConfig",
    batch: bool,
) -> "Run":
    """Score by a language model and store the scores; with a budget, as far as it allows."""
    from guidedrec_core import stages

    config = llm.config()
    store = session.store()
    data = stages.find_data(store, dataset)
    schema = read_schema(store, data, attributes)
    with llm.serving(data, schema, config, users, split) as served, session.progress() as listener:
        return stages.score_with_llm(
            store, data, schema, served, listener, users=users, split=split, keep_partial=True, batch=batch
        )


def paid_for(facts: dict[str, Any]) -> str:
    """Say what scores cost: requests, model, tokens and money."""
    cost = facts["cost"]
    money = "cost not known" if cost is None else usd(cost)
    failed = failed_words(facts.get("failed_attempts", 0), facts.get("failed_cost", 0.0))
    said = f"{facts['requests']:,} requests to {facts['model']}, {facts['tokens']:,} tokens, {money}"
    return f"{said}; {failed}" if failed else said
