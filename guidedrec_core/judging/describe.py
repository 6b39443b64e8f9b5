"""What a test is about, in words."""

from guidedrec_core.judging.experiment import Experiment

KIND_WORDS = {"taste_test": "Taste test", "prediction": "Prediction test"}
"""Names of the kinds of test as people read them."""


def about(test: Experiment, dataset: str) -> str:
    """Say what a test compares, with how many cases.

    Parameters
    ----------
    test : Experiment
        The test.
    dataset : str
        Name of the data set as people read it.
    """
    content = test.content
    n = len(content.cases)
    cases = "1 case" if n == 1 else f"{n:,} cases"
    each = "" if content.per_judge == n else f", {content.per_judge:,} for each judge"
    if test.kind == "taste_test":
        first, second = (one.name for one in content.compared)
        what = f"lists of {content.length:,} from {first} and from {second}"
    else:
        what = (
            f"which of two items is among the {content.length:,} recommended first; no explanation, one, or a placebo"
        )
    return f"{KIND_WORDS[test.kind]} on {dataset}: {what}. {cases}{each}."


def progress(judges: int, answers: int) -> str:
    """Say how many people have answered how much.

    Examples
    --------
    >>> progress(0, 0), progress(1, 1), progress(3, 36)
    ('Nobody has begun', '1 judge, 1 answer', '3 judges, 36 answers')
    """
    if not judges:
        return "Nobody has begun"
    return f"{_count(judges, 'judge')}, {_count(answers, 'answer')}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
