"""What the answers to a test tell: shares and scores with intervals, and how many more answers are needed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core.judging.content import Arm
from guidedrec_core.judging.experiment import Experiment, Judge
from guidedrec_core.judging.intervals import FEWEST_JUDGES, Estimate, difference, mean, share
from guidedrec_core.judging.power import DIFFERENCE, answers_for_difference, answers_for_share
from guidedrec_core.language import percent

ARM_WORDS: dict[Arm, str] = {
    "none": "without explanation",
    "explanation": "with explanation",
    "placebo": "with placebo",
}
"""How results speak of what judges were told."""
ACCURACY, BRIER = "accuracy", "brier"
"""Measures of a prediction: the share of right answers, and the mean squared error of the probabilities."""
COMPARISONS: tuple[tuple[Arm, Arm], ...] = (("explanation", "none"), ("explanation", "placebo"), ("placebo", "none"))
_FEW = 20
"""With fewer answers it is not estimated how much judges and cases repeat each other."""
_NUMBERS = tuple(Estimate.__dataclass_fields__)


@dataclass(frozen=True)
class Results:
    """What a test has found so far.

    Attributes
    ----------
    sentence : str
        The answer, or that nobody can tell yet.
    further : tuple of str
        What else there is to say.
    power : str
        How many more answers are needed, or why no more are.
    more_answers : int
        So many; 0 where the question is decided, or a difference of the size asked for would have been seen.
    decided : bool
        The interval of what the test asks leaves no difference out.
    estimates : pandas.DataFrame
        One row a group of answers and measure: ``group, label, measure`` and the fields of `intervals.Estimate`.
    differences : pandas.DataFrame
        Of a prediction test, one row a pair of arms and measure: ``plus, minus, label, measure`` and the same fields;
        empty otherwise.
    judges : pandas.DataFrame
        ``judge, began, last, answered, skipped, cases, finished``; times in UTC.
    answers, skipped : int
        Answers that count, and those that skipped a case.
    method : str
        How the intervals were made.
    """

    sentence: str
    further: tuple[str, ...]
    power: str
    more_answers: int
    decided: bool
    estimates: pd.DataFrame
    differences: pd.DataFrame
    judges: pd.DataFrame
    answers: int
    skipped: int
    method: str

    def as_json(self) -> dict[str, Any]:
        """Return it in the stable form for other programs."""
        plain = {name: getattr(self, name) for name in ("sentence", "power", "more_answers", "decided", "method")}
        frames = {name: getattr(self, name).to_dict("records") for name in ("estimates", "differences", "judges")}
        return {**plain, "further": list(self.further), "answers": self.answers, "skipped": self.skipped, **frames}


def results(
    experiment: Experiment, answers: pd.DataFrame, judges: Sequence[Judge], smallest: float = DIFFERENCE
) -> Results:
    """Say what the answers to a test tell.

    Parameters
    ----------
    experiment : Experiment
        The test.
    answers : pandas.DataFrame
        See `ExperimentStore.answers`.
    judges : sequence of Judge
        Its judges.
    smallest : float
        The smallest difference of interest, e.g. 0.1 for 10 points: what the number of answers needed is for.

    Raises
    ------
    InputError
        `smallest` is out of range.
    """
    given = answers[~answers["skipped"]]
    who = judge_table(answers, judges)
    skipped = int(answers["skipped"].sum())
    if experiment.kind == "taste_test":
        return _taste(experiment, given, who, skipped, smallest)
    return _prediction(given, who, skipped, smallest)


def judge_table(answers: pd.DataFrame, judges: Sequence[Judge]) -> pd.DataFrame:
    """Say who answered, when and how much; see `Results.judges`."""
    by_judge = answers.groupby("judge")
    last, skipped = by_judge["at"].max(), by_judge["skipped"].sum()
    rows = [
        (
            one.name,
            one.written.created_at,
            last.get(one.name, pd.NaT),
            len(one.answered) - int(skipped.get(one.name, 0)),
            int(skipped.get(one.name, 0)),
            len(one.plan),
            one.finished,
        )
        for one in judges
    ]
    return pd.DataFrame(rows, columns=["judge", "began", "last", "answered", "skipped", "cases", "finished"])


def brier(correct: npt.NDArray[np.float64], probability: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the squared error of each probability; the Brier score (1950) is its mean.

    Parameters
    ----------
    correct : ndarray
        1 where the answer was right, else 0.
    probability : ndarray
        How sure people were of it, 0.5 to 1.

    Examples
    --------
    >>> brier(np.array([1.0, 0.0]), np.array([0.9, 0.9])).round(2).tolist()
    [0.01, 0.81]
    """
    return (correct - probability) ** 2


def _taste(experiment: Experiment, given: pd.DataFrame, who: pd.DataFrame, skipped: int, smallest: float) -> Results:
    first, second = experiment.content.compared
    prefers_second = np.asarray(given["answer"] == second.key, dtype=np.float64)
    everybody = np.ones(len(given), dtype=bool)
    at_left = (given["side"] == "right").to_numpy()  # `side` is where the first one's list stood
    groups = (
        ("all", "all answers", everybody),
        ("second_left", f"{second.name} as list A", at_left),
        ("second_right", f"{second.name} as list B", ~at_left),
    )
    judges, cases = _codes(given, "judge"), _codes(given, "case_id")
    found = {name: share(prefers_second[rows], judges[rows], cases[rows]) for name, _, rows in groups}
    whole = found["all"]
    table = _rows([(name, label, "preference", found[name]) for name, label, _ in groups], "group", "label", "measure")
    decided = bool(whole.n) and (whole.low > 0.5 or whole.high < 0.5)
    needed = answers_for_share(smallest, _repeats(whole))
    return Results(
        sentence=_taste_sentence(whole, first.name, second.name, decided),
        further=_left_out(experiment, skipped),
        power=_power_sentence(whole.n, needed, decided, f"{_points(smallest)} from an even split"),
        more_answers=0 if decided else max(0, needed - whole.n),
        decided=decided,
        estimates=table,
        differences=_rows([], "plus", "minus", "label", "measure"),
        judges=who,
        answers=whole.n,
        skipped=skipped,
        method=_method(whole, "of a share by Wilson"),
    )


def _taste_sentence(found: Estimate, first: str, second: str, decided: bool) -> str:
    if not found.n:
        return "Nobody has answered yet."
    winner, loser, value, low, high = second, first, found.value, found.low, found.high
    if value < 0.5:
        winner, loser, value, low, high = first, second, 1 - value, 1 - high, 1 - low
    numbers = (
        f"in {percent(value)} of {_answers(found.n)} the list of {winner} was preferred to that of {loser} "
        f"(95 % interval {round(100 * low)} to {round(100 * high)} %)"
    )
    return f"{_upper(numbers)}." if decided else f"Cannot tell yet which list is better: {numbers}."


def _prediction(given: pd.DataFrame, who: pd.DataFrame, skipped: int, smallest: float) -> Results:
    correct = given["correct"].to_numpy(dtype=np.float64)
    values = {ACCURACY: correct, BRIER: brier(correct, given["probability"].to_numpy(dtype=np.float64))}
    arm = given["arm"].to_numpy(dtype=object)
    judges, cases = _codes(given, "judge"), _codes(given, "case_id")
    estimates: dict[tuple[Arm, str], Estimate] = {}
    for name in ARM_WORDS:
        rows = arm == name
        estimates[name, ACCURACY] = share(correct[rows], judges[rows], cases[rows])
        estimates[name, BRIER] = _between_0_and_1(mean(values[BRIER][rows], judges[rows], cases[rows]))
    differences = {
        (plus, minus, measure): difference(values[measure], arm == minus, arm == plus, judges, cases)
        for plus, minus in COMPARISONS
        for measure in values
    }
    gain = differences["explanation", "none", ACCURACY]
    decided = bool(gain.low > 0 or gain.high < 0)
    without = estimates["none", ACCURACY].value
    needed = answers_for_difference(smallest, 0.5 if np.isnan(without) else without, _repeats(gain))
    total = needed * len(ARM_WORDS)
    return Results(
        sentence=_prediction_sentence(estimates, gain, decided),
        further=(*_against_placebo(estimates, differences, decided), *_skipped(skipped)),
        power=_power_sentence(len(given), total, decided, f"{_points(smallest)} between two arms"),
        more_answers=0 if decided else max(0, total - len(given)),
        decided=decided,
        estimates=_rows(
            [(name, ARM_WORDS[name], measure, found) for (name, measure), found in estimates.items()],
            "group", "label", "measure",
        ),
        differences=_rows(
            [
                (plus, minus, f"{ARM_WORDS[plus]}, less {ARM_WORDS[minus]}", measure, found)
                for (plus, minus, measure), found in differences.items()
            ],
            "plus", "minus", "label", "measure",
        ),
        judges=who,
        answers=len(given),
        skipped=skipped,
        method=_method(gain, "of a share by Wilson, of means and differences by Student's t"),
    )  # fmt: skip


def _prediction_sentence(found: dict[tuple[Arm, str], Estimate], gain: Estimate, decided: bool) -> str:
    told, untold = found["explanation", ACCURACY], found["none", ACCURACY]
    if not told.n or not untold.n:
        return "Too few answers to compare yet."
    numbers = (
        f"people were right in {percent(told.value)} of answers with the explanation and in {percent(untold.value)} "
        f"without"
    )
    if np.isnan(gain.low):
        return f"Cannot tell yet whether the explanation helps: {numbers}."
    interval = f"{_signed(gain.value)} points (95 % interval {_signed(gain.low)} to {_signed(gain.high)})"
    if not decided:
        return f"Cannot tell yet whether the explanation helps: {numbers}, {interval}."
    return f"The explanation {'helps' if gain.value > 0 else 'misleads'}: {numbers}, {interval}."


def _against_placebo(
    found: dict[tuple[Arm, str], Estimate], differences: dict[tuple[Arm, Arm, str], Estimate], decided: bool
) -> tuple[str, ...]:
    """Say how the placebo did, and what people's probabilities were worth."""
    said = []
    placebo, over = found["placebo", ACCURACY], differences["explanation", "placebo", ACCURACY]
    if placebo.n and not np.isnan(over.low):
        shown = (
            f"with a placebo, the same lines with shuffled values, they were right in {percent(placebo.value)}, "
            f"{_signed(-over.value)} points compared with the explanation (95 % interval {_signed(-over.high)} to "
            f"{_signed(-over.low)})"
        )
        if not decided or differences["explanation", "none", ACCURACY].value < 0:
            said.append(f"{_upper(shown)}.")
        elif over.low > 0:
            said.append(f"{_upper(shown)}: the gain comes from what the explanation says.")
        else:
            said.append(f"Whether the gain comes from what the explanation says cannot be told yet: {shown}.")
    scores = [f"{found[arm, BRIER].value:.3f} {words}" for arm, words in ARM_WORDS.items() if found[arm, BRIER].n]
    if scores:
        said.append(f"Brier score, lower is better, 0.25 for no knowledge: {', '.join(scores)}.")
    return tuple(said)


def _left_out(experiment: Experiment, skipped: int) -> tuple[str, ...]:
    content, words = experiment.content, experiment.content.words
    same, looked = content.drawn.get("same items", 0), content.drawn.get("users", 0)
    said = f"{words.count_users(same)} of {looked:,} got the same items from both and {'was' if same == 1 else 'were'}"
    return (*((f"{said} left out.",) if same else ()), *_skipped(skipped))


def _skipped(skipped: int) -> tuple[str, ...]:
    return (f"{skipped:,} skipped {'case does' if skipped == 1 else 'cases do'} not count.",) if skipped else ()


def _power_sentence(n: int, needed: int, decided: bool, what: str) -> str:
    if decided:
        return f"Decided with {_answers(n)}."
    if n >= needed:
        return (
            f"{_upper(_answers(n))} are enough for 80 % power at a difference of {what}: if there is one, it is likely "
            "smaller."
        )
    return f"{needed - n:,} more answers are needed for 80 % power at a difference of {what}."


def _method(found: Estimate, kind: str) -> str:
    """Say how intervals were made."""
    if found.judges >= FEWEST_JUDGES:
        return f"95 % intervals {kind}, for judges and cases like these: both vary (clustered by judge and by case)."
    many = "this judge" if found.judges == 1 else f"these {found.judges} judges"
    return (
        f"95 % intervals {kind}, for {many} and cases like these (clustered by case); {FEWEST_JUDGES} judges or more "
        "are needed to speak for others."
    )


def _repeats(found: Estimate) -> float:
    """Return how many times as many answers are needed because judges and cases repeat."""
    return max(1.0, found.n / found.independent) if found.n >= _FEW and found.independent else 1.0


def _between_0_and_1(found: Estimate) -> Estimate:
    low, high = (float(np.clip(bound, 0, 1)) for bound in (found.low, found.high))
    return Estimate(**{**asdict(found), "low": low, "high": high})


def _rows(rows: Sequence[tuple[Any, ...]], *names: str) -> pd.DataFrame:
    """Tabulate estimates, the last of each row, after their names."""
    return pd.DataFrame(
        [(*row[:-1], *(getattr(row[-1], name) for name in _NUMBERS)) for row in rows], columns=[*names, *_NUMBERS]
    )


def _codes(given: pd.DataFrame, column: str) -> npt.NDArray[np.int64]:
    return pd.factorize(given[column])[0].astype(np.int64)


def _answers(n: int) -> str:
    return "1 answer" if n == 1 else f"{n:,} answers"


def _points(size: float) -> str:
    return f"{100 * size:g} points"


def _signed(value: float) -> str:
    return f"{round(100 * value):+d}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
