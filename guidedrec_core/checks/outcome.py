"""`run_checks`: every check with its outcome; `junit_xml`: the same for continuous integration."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from guidedrec_core.checks.check import AGAINST, Check, CheckSet
from guidedrec_core.checks.measures import Measurable, measure
from guidedrec_core.recommenders.refined import RefinedRecommender

Status = Literal["passed", "failed", "skipped"]
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Outcome:
    """What came of one check.

    Attributes
    ----------
    check : Check
        The check.
    status : {"passed", "failed", "skipped"}
        Skipped is a check that compares with another run where none is given.
    value : float or None
        What was measured; None if skipped.
    about : str
        What was worst, for people.
    seconds : float
        How long it took.
    """

    check: Check
    status: Status
    value: float | None
    about: str
    seconds: float

    @property
    def sentence(self) -> str:
        """The outcome in one line."""
        if self.value is None:
            return "compares with another run, and none was given"
        about = f" ({self.about})" if self.about else ""
        return f"{self.check.kind} {self.value:.4g}, expected {self.check.bounds}{about}"


def run_checks(
    checks: CheckSet, model: RefinedRecommender, reference: RefinedRecommender | None = None
) -> list[Outcome]:
    """Run all checks.

    Parameters
    ----------
    checks : CheckSet
        What to check.
    model : RefinedRecommender
        Whose lists.
    reference : RefinedRecommender, optional
        What checks that compare compare with; without it these are skipped.

    Raises
    ------
    InputError
        A condition is not understood, or nobody fulfils it.
    """
    run, other = Measurable(model), None if reference is None else Measurable(reference)
    return [_outcome(check, run, other) for check in checks.checks]


def _outcome(check: Check, run: Measurable, reference: Measurable | None) -> Outcome:
    if check.kind in AGAINST and reference is None:
        return Outcome(check, "skipped", None, "", 0.0)
    start = time.perf_counter()
    found = measure(check, run, reference)
    status: Status = "passed" if check.passes(found.value) else "failed"
    return Outcome(check, status, found.value, found.about, time.perf_counter() - start)


def junit_xml(outcomes: Sequence[Outcome], suite: str) -> str:
    """Return outcomes as JUnit XML, one test case for each check.

    Parameters
    ----------
    outcomes : sequence of Outcome
        From `run_checks`.
    suite : str
        Name of the test suite, e.g. the data set and the run.
    """
    counts = {status: sum(one.status == status for one in outcomes) for status in ("failed", "skipped")}
    seconds = f"{sum(one.seconds for one in outcomes):.3f}"
    numbers = {
        "tests": str(len(outcomes)),
        "failures": str(counts["failed"]),
        "errors": "0",
        "skipped": str(counts["skipped"]),
        "time": seconds,
    }
    root = ElementTree.Element("testsuites", {"name": "guidedrec check", **numbers})
    group = ElementTree.SubElement(root, "testsuite", {"name": _xml_text(suite), **numbers})
    for one in outcomes:
        about = {"classname": f"guidedrec.checks.{one.check.kind}", "name": _xml_text(one.check.name)}
        case = ElementTree.SubElement(group, "testcase", {**about, "time": f"{one.seconds:.3f}"})
        if one.status == "failed":
            failure = ElementTree.SubElement(
                case, "failure", {"message": _xml_text(one.sentence), "type": one.check.kind}
            )
            failure.text = _xml_text(one.check.note or one.sentence)
        elif one.status == "skipped":
            ElementTree.SubElement(case, "skipped", {"message": one.sentence})
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _xml_text(text: str) -> str:
    """Return text without the characters that XML cannot hold."""
    return _NOT_XML.sub("�", text)
