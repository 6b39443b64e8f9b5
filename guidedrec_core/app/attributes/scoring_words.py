"""Sentences about scoring with a language model."""

from typing import Any

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.llm.address import KEY_VARIABLE
from guidedrec_core.scoring.scorer import ScoringPlan


def key_sentence(has_key: bool, server: str, recorded: bool) -> str:
    """Say whether a key was found, and what is used without one.

    Parameters
    ----------
    has_key : bool
        A key is in the environment or in Streamlit's secrets.
    server : str
        Where requests would go, e.g. ``"api.openai.com"``.
    recorded : bool
        The scores in use were recorded, not made here.
    """
    if has_key:
        return f"API key found in {KEY_VARIABLE}. It is sent only to {server}, and neither shown nor stored."
    meanwhile = " Until you score here, the recorded scores are used." if recorded else ""
    return (
        "No API key found. Your own server, such as Ollama or vLLM, may not need one; for others set "
        f"{KEY_VARIABLE} in the environment or in Streamlit's secrets, and restart the app.{meanwhile}"
    )


def plan_sentence(plans: dict[str, ScoringPlan], verb: InteractionVerb) -> str:
    """Say what scoring would take.

    Parameters
    ----------
    plans : dict of str to ScoringPlan
        By kind: ``"item"``, and ``"user"`` if users are scored.
    verb : InteractionVerb
        What users do.
    """
    names = {"item": "items", "user": verb.users}
    to_send = " and ".join(f"{plan.asked:,} {names[kind]}" for kind, plan in plans.items() if plan.asked)
    kept = " and ".join(f"{plan.cached:,} {names[kind]}" for kind, plan in plans.items() if plan.cached)
    free = f" Answers for {kept} already exist and cost nothing." if kept else ""
    if not to_send:
        return f"Nothing needs to be sent.{free}"
    tokens = sum(plan.prompt_tokens + plan.completion_tokens for plan in plans.values())
    requests = sum(plan.requests for plan in plans.values())
    seconds = sum(plan.seconds for plan in plans.values())
    return (
        f"Scoring {to_send} takes {requests:,} requests with about {rough(tokens)} tokens: "
        f"{_money(plan_cost(plans))}, about {_time(seconds)}.{free}"
    )


def plan_cost(plans: dict[str, ScoringPlan]) -> float | None:
    """Add up the cost; None when the price is not known."""
    costs = [plan.cost for plan in plans.values()]
    return None if None in costs else sum(cost for cost in costs if cost is not None)


def result_sentence(summary: dict[str, Any], verb: InteractionVerb) -> str:
    """Say what a language model has scored, and what it cost; see `stages.score_with_llm` for the summary."""
    failed = f", {summary['failed']:,} failed" if summary["failed"] else ""
    users = f" and {summary['users_scored']:,} {verb.users}" if summary.get("users_scored") else ""
    stopped = " It stopped at the budget; scoring again will continue." if summary["stopped"] == "budget" else ""
    cost = f"{summary['requests']:,} requests, {rough(summary['tokens'])} tokens, {_money(summary['cost'])}"
    cost += _failures(summary.get("failed_attempts", 0), summary.get("failed_cost", 0.0))
    return (
        f"{summary['model']} scored {summary['scored']:,} of {summary['items']:,} items{users}{failed} "
        f"({cost}).{stopped}"
    )


def _failures(attempts: int, cost: float | None) -> str:
    """Say how many attempts failed and what they may have cost; empty when none did.

    Examples
    --------
    >>> _failures(1, 0.0), _failures(3, 1.234)
    ('; 1 failed attempt, free', '; 3 failed attempts, which may cost up to 1.23 USD')
    """
    if not attempts:
        return ""
    failed = f"; {attempts:,} failed attempt{'s' if attempts > 1 else ''}"
    if not cost:
        return f"{failed}, {'cost unknown' if cost is None else 'free'}"
    return f"{failed}, which may cost {'' if cost < 0.01 else 'up to '}{_money(cost)}"


def rough(count: float) -> str:
    """Write a large number as people say it.

    Examples
    --------
    >>> rough(950), rough(81_234), rough(1_240_000)
    ('950', '81,000', '1.2 million')
    """
    if count < 1000:
        return f"{count:.0f}"
    return f"{round(count, -3):,.0f}" if count < 1e6 else f"{count / 1e6:.1f} million"


def _money(cost: float | None) -> str:
    """Write a cost.

    Examples
    --------
    >>> _money(None), _money(0.0), _money(0.004), _money(1.234)
    ('cost unknown', 'free', 'less than 0.01 USD', '1.23 USD')
    """
    if cost is None:
        return "cost unknown"
    if cost == 0:
        return "free"
    return "less than 0.01 USD" if cost < 0.01 else f"{cost:,.2f} USD"


def _time(seconds: float) -> str:
    """Write a time.

    Examples
    --------
    >>> _time(0.3), _time(45), _time(400), _time(9000)
    ('1 second', '45 seconds', '7 minutes', '2.5 hours')
    """
    if seconds < 1.5:
        return "1 second"
    if seconds < 90:
        return f"{max(5 * round(seconds / 5), 5)} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
