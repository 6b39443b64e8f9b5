"""The part of the Evaluation page that says whether explanations hold up: the newest audit, or how to make one."""

import pandas as pd
import streamlit as st

from guidedrec_core.app import loaders, show
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.evaluation.charts import offer
from guidedrec_core.app.page import View
from guidedrec_core.audit import words
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.figures.audit import ORDER_WORDS, fidelity_curves, planted_dots
from guidedrec_core.figures.theme import Palette

_NUMBER = st.column_config.NumberColumn
_DIRECTIONS = {"deletion": "Removed", "insertion": "Put back"}


def explanations(view: View, colours: Palette) -> None:
    """Show the newest audit of the run, or offer to make one."""
    st.subheader("Do the explanations hold up?", anchor=False)
    audit, verb = view.entry.audit, view.verb
    if audit is None:
        offer(
            view,
            "audit",
            "Test the explanations",
            "We remove the stated reasons and re-score; every attribute is compared with its name; near-identical "
            f"{verb.users} are explained. This takes a minute or two.",
        )
        return
    parts = _parts(verb)
    labels = {a.name: a.label for a in loaders.schema(view.entry.run.inputs["scores"]).attributes}
    facts = audit.summary
    fidelity, curves, meaning, stability = (
        loaders.table(audit.id, name) for name in ("fidelity", "curves", "meaning", "stability")
    )
    for part in parts:
        st.write(escaped(words.fidelity_sentence(fidelity, part, verb)))
    st.write(escaped(words.meaning_sentence(meaning, labels, facts["reference"], facts["judged"])))
    st.write(escaped(words.stability_sentence(stability, verb)))
    show.note(
        f"Tested on {facts['users']:,} of {verb.count_users(facts['of_users'])}, drawn at random, with "
        f"{facts['explained']:,} top recommendations. Audit {audit.id}."
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
    for column, (part, title) in zip(show.pair(), parts.items(), strict=True):
        with column:
            st.markdown(f"**{title} {_DIRECTIONS[direction].lower()}, most important first**")
            alt = words.fidelity_sentence(fidelity, part, verb)
            show.chart(fidelity_curves(curves, part, direction, colours, verb), alt, f"fidelity_{part}")
    with st.expander("Show as table, with intervals", icon=":material/table:"):
        _orders(fidelity, verb)
    st.markdown("**Does each attribute still mean what its name says?**")
    if facts["reference"] == "stored":
        show.note(words.BLIND_SPOT.replace("`", ""))
    _meanings(meaning, labels, verb)
    _planted(view, colours)


def _parts(verb: InteractionVerb) -> dict[str, str]:
    """Name what is removed and added."""
    return {"history": f"Past {verb.nouns}", "attributes": "Attributes"}


def _orders(fidelity: pd.DataFrame, verb: InteractionVerb) -> None:
    """Show the area under each curve, and by how much the explanation's is larger."""
    rows = fidelity[fidelity["measure"] == "score"].assign(
        part=lambda f: f["part"].map(_parts(verb)),
        direction=lambda f: f["direction"].map(_DIRECTIONS),
        order=lambda f: f["order"].map(ORDER_WORDS),
    )
    show.table(
        rows[["part", "direction", "order", "area", "low", "high", "gap", "gap_low", "gap_high", "better"]],
        hide_index=True,
        key="explanation_orders",
        column_config={
            "part": "What",
            "direction": "Test",
            "order": "Order",
            "area": _NUMBER("Average score change", format="%.3f"),
            "low": _NUMBER("95 % from", format="%.3f"),
            "high": _NUMBER("to", format="%.3f"),
            "gap": _NUMBER("Explanation changes more by", format="%+.3f"),
            "gap_low": _NUMBER("95 % from ", format="%+.3f"),
            "gap_high": _NUMBER("to ", format="%+.3f"),
            "better": _NUMBER(f"Share of {verb.users}", format="percent", help="For whom it changes more"),
        },
    )


def _meanings(meaning: pd.DataFrame, labels: dict[str, str], verb: InteractionVerb) -> None:
    """Show the results for each attribute, alarms first."""
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
    show.table(
        table,
        hide_index=True,
        key="attribute_meanings",
        height="content",
        column_config={
            "attribute": "Attribute",
            "verdict": "Verdict",
            "agreement": _NUMBER("Agrees with its name", format="%.2f", help="Correlation over items"),
            "rival": st.column_config.TextColumn("Next closest", help="The other attribute it agrees with most"),
            "rival_agreement": _NUMBER("Agrees with that", format="%+.2f"),
            "users": _NUMBER(
                f"{verb.users.capitalize()} agree",
                format="%.2f",
                help=f"Correlation of what the model learned about {verb.users} with the scores of their {verb.nouns}",
            ),
            "response": _NUMBER(
                "Response to steering",
                format="%+.2f",
                help="How far a list rises on it, in standard deviations, from one typical difference down to one up",
            ),
            "weight": _NUMBER("Learned weight", format="%.2f"),
            "moves": st.column_config.TextColumn(
                "Also moves", help="The other attribute that such steering moves most"
            ),
            "cross_talk": _NUMBER("by", format="%+.2f"),
        },
    )


def _planted(view: View, colours: Palette) -> None:
    """Show how close explanations come to what the bundled shop's shoppers really want; nothing for other data."""
    planted = None if view.entry.audit is None else loaders.optional_table(view.entry.audit.id, "planted")
    if planted is None:
        return
    st.markdown("**Do explanations find what shoppers really want?**")
    sentence = words.planted_sentence(planted)
    st.write(escaped(sentence))
    show.note("This shop's shoppers are simulated, so what they want is known. No model ever sees it.")
    show.chart(planted_dots(planted, words.QUESTION_WORDS, words.EXPLANATION_WORDS, colours), sentence, "planted")
    table = planted.assign(
        question=planted["question"].map(words.QUESTION_WORDS),
        explanation=planted["explanation"].map(words.EXPLANATION_WORDS),
    )
    show.table_twin(
        table,
        "Show as table",
        "planted_table",
        column_config={
            "question": "Question",
            "explanation": "Source",
            "users": "Shoppers",
            "value": _NUMBER("Agreement", format="%.2f", help="Rank correlation with the truth"),
            "low": _NUMBER("95 % from", format="%.2f"),
            "high": _NUMBER("to", format="%.2f"),
            "behind": _NUMBER("Behind explanations by", format="%+.2f"),
            "behind_low": _NUMBER("95 % from ", format="%+.2f"),
            "behind_high": _NUMBER("to ", format="%+.2f"),
        },
    )
