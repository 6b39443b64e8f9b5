"""The part of the Evaluation page that says whether explanations hold: the newest audit, or how to make one."""

import pandas as pd
import streamlit as st

from guidedrec_core.app import loaders, show
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.evaluation.charts import offer
from guidedrec_core.app.page import View
from guidedrec_core.audit import words
from guidedrec_core.figures.audit import fidelity_curves, planted_dots
from guidedrec_core.figures.theme import Palette

_NUMBER = st.column_config.NumberColumn
_PARTS = {"history": "Past items", "attributes": "Attributes"}
_DIRECTIONS = {"deletion": "Taken away", "insertion": "Put back"}


def explanations(view: View, colours: Palette) -> None:
    """Show the newest audit of the run, or offer to make one."""
    st.subheader("Do the explanations hold?", anchor=False)
    audit = view.entry.audit
    if audit is None:
        offer(
            view,
            "audit",
            "Test the explanations",
            "What explanations name is taken away and the model asked again; every attribute is held against its "
            "label; near-copies of users are explained. It takes a minute or two.",
        )
        return
    labels = {a.name: a.label for a in loaders.schema(view.entry.run.inputs["scores"]).attributes}
    facts = audit.summary
    fidelity, curves, meaning, stability = (
        loaders.table(audit.id, name) for name in ("fidelity", "curves", "meaning", "stability")
    )
    for part in _PARTS:
        st.write(escaped(words.fidelity_sentence(fidelity, part)))
    st.write(escaped(words.meaning_sentence(meaning, labels, facts["reference"], facts["judged"])))
    st.write(escaped(words.stability_sentence(stability)))
    show.note(
        f"Asked for {facts['users']:,} of {facts['of_users']:,} users, drawn at random; {facts['explained']:,} first "
        f"recommendations explained and tested. Audit {audit.id}."
    )
    direction = str(
        st.segmented_control(
            "Test",
            list(_DIRECTIONS),
            default="deletion",
            required=True,
            format_func=lambda name: _DIRECTIONS[name],
            key="audit_direction",
        )
    )
    for column, (part, title) in zip(show.pair(), _PARTS.items(), strict=True):
        with column:
            st.markdown(f"**{title} {_DIRECTIONS[direction].lower()}, most important first**")
            alt = words.fidelity_sentence(fidelity, part)
            show.chart(fidelity_curves(curves, part, direction, colours), alt, f"fidelity_{part}")
    with st.expander("All orders, with intervals", icon=":material/table:"):
        _orders(fidelity)
    st.markdown("**Does each attribute still mean its label?**")
    if facts["reference"] == "stored":
        show.note(words.BLIND_SPOT)
    _meanings(meaning, labels)
    _planted(view, colours)


def _orders(fidelity: pd.DataFrame) -> None:
    """Show the area under each curve, and by how much the explanation's is larger."""
    rows = fidelity[fidelity["measure"] == "score"].assign(
        part=lambda f: f["part"].map(_PARTS), direction=lambda f: f["direction"].map(_DIRECTIONS)
    )
    st.dataframe(
        rows[["part", "direction", "order", "area", "low", "high", "gap", "gap_low", "gap_high", "better"]],
        hide_index=True,
        column_config={
            "part": "Of",
            "direction": "Test",
            "order": "Order",
            "area": _NUMBER("Mean change of the score", format="%.3f"),
            "low": _NUMBER("95 % from", format="%.3f"),
            "high": _NUMBER("to", format="%.3f"),
            "gap": _NUMBER("The explanation's is larger by", format="%+.3f"),
            "gap_low": _NUMBER("95 % from ", format="%+.3f"),
            "gap_high": _NUMBER("to ", format="%+.3f"),
            "better": _NUMBER("For this share of users", format="percent"),
        },
    )


def _meanings(meaning: pd.DataFrame, labels: dict[str, str]) -> None:
    """Show what was found of each attribute, alarms first."""
    rows = meaning.sort_values("alarm", ascending=False, kind="stable")
    table = pd.DataFrame(
        {
            "attribute": [labels.get(name, name) for name in rows["attribute"]],
            "verdict": [
                ("Alarm: " if row["alarm"] else "") + words.meaning_phrase(row, labels)
                for row in rows.to_dict("records")
            ],
            "agreement": rows["column_agreement"],
            "rival": [labels.get(name, name) for name in rows["column_rival"]],
            "rival_agreement": rows["column_rival_agreement"],
            "users": rows["users_agreement"],
            "response": rows["response"],
            "weight": rows["weight"],
            "moves": [labels.get(name, name) for name in rows["response_moves"]],
            "cross_talk": rows["cross_talk"],
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        column_config={
            "attribute": "Attribute",
            "verdict": "Verdict",
            "agreement": _NUMBER("Agrees with its label", format="%.2f", help="Correlation over items"),
            "rival": st.column_config.TextColumn("Next nearest label", help="The other label it agrees with most"),
            "rival_agreement": _NUMBER("Agrees with that", format="%+.2f"),
            "users": _NUMBER(
                "Users' values agree", format="%.2f", help="Correlation with the scores of what they took"
            ),
            "response": _NUMBER(
                "Answer to a pull",
                format="%+.2f",
                help="How far a list rises on it, in standard deviations, from one step down to one step up",
            ),
            "weight": _NUMBER("Learned weight", format="%.2f"),
            "moves": st.column_config.TextColumn("Moves along", help="The other attribute that such a pull moves most"),
            "cross_talk": _NUMBER("by", format="%+.2f"),
        },
    )


def _planted(view: View, colours: Palette) -> None:
    """Show how near explanations come to what the bundled shop's shoppers really want; nothing for other data."""
    planted = None if view.entry.audit is None else loaders.optional_table(view.entry.audit.id, "planted")
    if planted is None:
        return
    st.markdown("**Do explanations find what shoppers really want?**")
    sentence = words.planted_sentence(planted)
    st.write(escaped(sentence))
    show.note("This shop's shoppers are simulated, so what they want is known. No model is ever shown it.")
    show.chart(planted_dots(planted, words.QUESTION_WORDS, words.EXPLANATION_WORDS, colours), sentence, "planted")
    table = planted.assign(
        question=planted["question"].map(words.QUESTION_WORDS),
        explanation=planted["explanation"].map(words.EXPLANATION_WORDS),
    )
    show.table_twin(table, "As a table", "planted_table")
