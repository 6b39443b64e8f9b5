"""Experiments, judges and answers in the database. Every answer is written at once, for good."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from guidedrec_core.database import tables
from guidedrec_core.database.database import Database, one_line, plain
from guidedrec_core.errors import ConflictError, InputError, NotFoundError
from guidedrec_core.judging.content import SIDES, Content, Side, TasteCase, read_content
from guidedrec_core.judging.design import Slot, deal
from guidedrec_core.judging.experiment import Experiment, Judge
from guidedrec_core.studies.study import LONGEST_NAME, Written

LONGEST_PERSON = 80
ANSWERS = (
    "judge", "case_id", "user_id", "position", "arm", "side", "chosen_side", "answer", "skipped", "probability",
    "correct", "at",
)  # fmt: skip
"""Columns of `ExperimentStore.answers`."""


class ExperimentStore:
    """The experiments of a home. Any number of judges may answer at once.

    Parameters
    ----------
    home : pathlib.Path
        The run store's folder.

    Examples
    --------
    >>> import tempfile
    >>> from guidedrec_core.judging.content import Compared, Customer, ShownItem, TasteCase
    >>> from guidedrec_core.judging.experiment import next_turn
    >>> tent, stove = ShownItem("tent", "Tent"), ShownItem("stove", "Stove")
    >>> case = TasteCase("case-001", Customer("S0001", (), 0), (tent,), (stove,))
    >>> both = Compared("base", "the base model"), Compared("refined", "the refined model")
    >>> experiments = ExperimentStore(Path(tempfile.mkdtemp()))
    >>> content = Content(length=1, per_judge=1, seed=0, taste=(case,), compared=both)
    >>> experiment = experiments.create("Winter", "fernway", {}, content, "Ann")
    >>> judge = experiments.begin(experiment.id, "Bob")
    >>> next_turn(experiment, judge).case.customer.user_id
    'S0001'
    >>> experiments.answer(judge.id, "case-001", judge.plan[0].side).finished
    True
    >>> experiments.answers(experiment)["answer"].tolist()  # the first recommender's list stood on that side
    ['base']
    """

    def __init__(self, home: Path) -> None:
        self.database = Database(home)

    def list(self) -> tuple[Experiment, ...]:
        """Return all experiments, the newest first."""
        query = select(tables.Experiment).order_by(tables.Experiment.created_at.desc(), tables.Experiment.id)
        with self.database.read() as session:
            return tuple(_experiment(row) for row in session.scalars(query))

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return for each experiment that has judges how many there are, and how many answers."""
        judges = select(tables.Judge.experiment_id, func.count()).group_by(tables.Judge.experiment_id)
        answers = select(tables.Judgement.experiment, func.count()).group_by(tables.Judgement.experiment)
        with self.database.read() as session:
            given = {str(name): int(count) for name, count in session.execute(answers)}
            return {str(name): (int(count), given.get(str(name), 0)) for name, count in session.execute(judges)}

    def find(self, name_or_id: str) -> Experiment:
        """Return an experiment by its name or id.

        Raises
        ------
        NotFoundError
            There is none.
        """
        wanted = plain(name_or_id)
        with self.database.read() as session:
            row = session.get(tables.Experiment, wanted)
            if row is None:
                named = select(tables.Experiment).where(tables.Experiment.name == one_line(wanted))
                row = session.scalars(named).first()
            if row is None:
                raise NotFoundError(f"there is no test {name_or_id!r}; `guidedrec studies tests` shows what there is")
            return _experiment(row)

    def create(self, name: str, dataset: str, runs: Mapping[str, str], content: Content, who: str) -> Experiment:
        """Store a test; from then on people can judge.

        Parameters
        ----------
        name : str
            Unique. Judges do not see it.
        dataset : str
            Name of the data set.
        runs : mapping of str to str
            Role to run id.
        content : Content
            See `guidedrec_core.judging.taste.new_taste_test` and `prediction.new_prediction_test`.
        who : str
            The author.

        Raises
        ------
        InputError
            The name is blank, too long or taken, or the author is blank.
        """
        line = one_line(name)
        if not 0 < len(line) <= LONGEST_NAME:
            raise InputError(f"expected a name of 1 to {LONGEST_NAME} characters, got {len(line)}")
        row = tables.Experiment(
            name=line, kind=content.kind, dataset=dataset, runs=dict(runs), content=content.as_json(), is_open=True
        )
        with self.database.write(who) as write:
            return _experiment(write.add(row))

    def set_open(self, experiment: Experiment, is_open: bool, who: str) -> Experiment:
        """Take answers again, or no more.

        Raises
        ------
        ConflictError
            Somebody has changed or deleted it since `experiment` was read.
        """
        with self.database.write(who) as write:
            values = {"is_open": is_open}
            return _experiment(write.change(tables.Experiment, experiment.id, values, experiment.written.version))

    def delete(self, experiment: Experiment, who: str) -> None:
        """Delete a test that nobody has answered yet.

        Raises
        ------
        InputError
            There are answers; they are never deleted.
        ConflictError
            As `set_open`.
        """
        with self.database.write(who) as write:
            answered = select(func.count()).where(tables.Judgement.experiment == experiment.id)
            if write.session.scalar(answered):
                raise InputError("people have answered this test, so it stays; close it to take no more answers")
            for row in write.session.scalars(_judges(experiment.id)).all():
                write.remove(tables.Judge, row.id, None)
            write.remove(tables.Experiment, experiment.id, experiment.written.version)

    def known(self, experiment_id: str, name: str) -> Judge | None:
        """Return the judge who has begun an experiment under a name, whatever its capitals; None if nobody has."""
        with self.database.read() as session:
            row = session.scalars(_judges(experiment_id).where(tables.Judge.key == _key(name))).first()
            return None if row is None else _judge(session, row)

    def begin(self, experiment_id: str, name: str) -> Judge:
        """Let a person judge: deal their cases, or, when they come back, return what they have.

        Raises
        ------
        InputError
            The name is blank or too long.
        NotFoundError
            There is no such experiment.
        ConflictError
            It is closed, and the person has not begun.
        """
        if len(one_line(name)) > LONGEST_PERSON:
            raise InputError(f"expected a name of at most {LONGEST_PERSON} characters, got {len(one_line(name))}")
        known = self.known(experiment_id, name)
        if known is not None:
            return known
        with self.database.write(name) as write:
            experiment = _experiment(write.seen(tables.Experiment, experiment_id, None))
            rows = write.session.scalars(_judges(experiment_id)).all()
            mine = next((row for row in rows if row.key == _key(name)), None)
            if mine is None:
                _refuse_closed(experiment)
                plan = _deal(experiment, rows)
                mine = write.add(
                    tables.Judge(
                        experiment_id=experiment.id,
                        key=_key(name),
                        number=max((row.number for row in rows), default=-1) + 1,
                        plan=[asdict(slot) for slot in plan],
                    )
                )
            return _judge(write.session, mine)

    def judge(self, judge_id: str) -> Judge:
        """Return a judge by id.

        Raises
        ------
        NotFoundError
            There is none.
        """
        with self.database.read() as session:
            row = session.get(tables.Judge, plain(judge_id))
            if row is None:
                raise NotFoundError("this judge is not known here; enter your name to begin, or to go on")
            return _judge(session, row)

    def judges(self, experiment_id: str) -> tuple[Judge, ...]:
        """Return all judges of an experiment, in the order in which they began."""
        with self.database.read() as session:
            return tuple(_judge(session, row) for row in session.scalars(_judges(experiment_id)))

    def answer(self, judge_id: str, case_id: str, side: Side | None, probability: float | None = None) -> Judge:
        """Write one answer. The same answer to the same case a second time changes nothing.

        Parameters
        ----------
        judge_id : str
            Whose.
        case_id : str
            To which of their cases.
        side : {"left", "right"} or None
            What they chose, by where it stood; None skips the case.
        probability : float, optional
            How sure they are of it, 0.5 to 1; needed in a prediction test.

        Returns
        -------
        Judge
            With what is answered now.

        Raises
        ------
        NotFoundError
            There is no such judge.
        InputError
            The case is not among theirs, the side is another word, or the probability is missing or out of range.
        ConflictError
            They have answered it otherwise before, or the experiment is closed; nothing is written.
        """
        if side is not None and side not in SIDES:
            raise InputError(f"expected left, right or nothing, got {side!r}")
        judge = self.judge(judge_id)
        with self.database.write(judge.name) as write:
            experiment = _experiment(write.seen(tables.Experiment, judge.experiment_id, None))
            position = next((n for n, slot in enumerate(judge.plan) if slot.case_id == case_id), None)
            if position is None:
                raise InputError(f"expected one of the judge's cases, got {case_id!r}")
            row = _judgement(experiment, judge, position, side, probability)
            before = write.find(tables.Judgement, {"judge_id": judge.id, "case_id": case_id})
            if before is not None:
                if (before.answer, before.probability) != (row.answer, row.probability):
                    raise ConflictError("you have answered this case before; that answer stays")
            else:
                _refuse_closed(experiment)
                write.add(row)
            return _judge(write.session, write.seen(tables.Judge, judge.id, None))

    def answers(self, experiment: Experiment) -> pd.DataFrame:
        """Return all answers, in the order in which they were given.

        Returns
        -------
        pandas.DataFrame
            See `ANSWERS`: who (``judge``), to what (``case_id, user_id``), in which order (``position``, from 0), under
            which ``arm``; ``side`` is where the first list or the recommended item stood, ``chosen_side`` what was
            chosen (empty when skipped), ``answer`` the same as recommender or item id; ``probability`` 0.5..1 or NaN,
            ``correct`` 1, 0 or NaN, ``at`` in UTC.
        """
        query = select(tables.Judgement).where(tables.Judgement.experiment == experiment.id)
        ordered = query.order_by(tables.Judgement.created_at, tables.Judgement.id)
        with self.database.read() as session:
            found = [_facts(row) for row in session.scalars(ordered)]
        return pd.DataFrame(found, columns=list(ANSWERS)).astype(
            {"position": "int64", "skipped": bool, "probability": "float64", "correct": "float64"}
        )


def _judgement(
    experiment: Experiment, judge: Judge, position: int, side: Side | None, probability: float | None
) -> tables.Judgement:
    """Make the row of an answer."""
    slot = judge.plan[position]
    case = experiment.content.case(slot.case_id)
    is_first = side == slot.side
    correct: bool | None = None
    if isinstance(case, TasteCase):
        if probability is not None:
            raise InputError("a taste test asks for no probability; leave it out")
        answer = experiment.content.compared[0 if is_first else 1].key
        shown = {name: [item.item_id for item in getattr(case, name)] for name in ("first", "second")}
        shown |= {"compared": [one.key for one in experiment.content.compared]}
    else:
        if side is not None and (probability is None or not 0.5 <= probability <= 1):
            raise InputError(f"expected how sure you are, from 0.5 to 1, got {probability}")
        answer = (case.recommended if is_first else case.other).item.item_id
        correct = None if side is None else is_first
        shown = {"recommended": [case.recommended.item.item_id], "other": [case.other.item.item_id]}
    return tables.Judgement(
        kind=experiment.kind,
        experiment=experiment.id,
        dataset=experiment.dataset,
        runs=dict(experiment.runs),
        case={"user_id": case.customer.user_id, "chosen_side": side or "", **shown},
        arm=slot.arm,
        answer="" if side is None else answer,
        probability=None if side is None else probability,
        correct=correct,
        judge_id=judge.id,
        case_id=slot.case_id,
        position=position,
        side=slot.side,
    )


def _facts(row: tables.Judgement) -> tuple[Any, ...]:
    return (
        row.created_by, row.case_id, row.case.get("user_id", ""), row.position, row.arm, row.side,
        row.case.get("chosen_side", ""), row.answer, not row.answer, row.probability, row.correct, row.created_at,
    )  # fmt: skip


def _deal(experiment: Experiment, rows: Sequence[tables.Judge]) -> tuple[Slot, ...]:
    content = experiment.content
    earlier = [_plan(row) for row in rows]
    return deal([case.id for case in content.cases], content.arms, content.per_judge, content.seed, earlier)


def _refuse_closed(experiment: Experiment) -> None:
    if not experiment.is_open:
        raise ConflictError("this test is closed; it takes no more answers")


def _judges(experiment_id: str) -> Any:
    query = select(tables.Judge).where(tables.Judge.experiment_id == plain(experiment_id))
    return query.order_by(tables.Judge.number)


def _key(name: str) -> str:
    return one_line(name).casefold()


def _plan(row: tables.Judge) -> tuple[Slot, ...]:
    return tuple(Slot(**slot) for slot in row.plan)


def _judge(session: Session, row: tables.Judge) -> Judge:
    answered = session.scalars(select(tables.Judgement.case_id).where(tables.Judgement.judge_id == row.id))
    done = frozenset(str(case_id) for case_id in answered)
    return Judge(row.id, row.experiment_id, row.created_by, row.number, _plan(row), done, Written.of(row))


def _experiment(row: tables.Experiment) -> Experiment:
    content = read_content(row.content)
    return Experiment(row.id, row.name, row.dataset, row.runs, content, row.is_open, Written.of(row))
