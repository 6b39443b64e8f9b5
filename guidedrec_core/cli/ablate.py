"""``guidedrec ablate``: what each attribute is worth, and what is left of the gain on sparser data."""

from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.output import json_option, write_json, write_table
from guidedrec_core.cli.session import Command, Session

if TYPE_CHECKING:
    from guidedrec_core.runs.store import Run


@click.command(cls=Command)
@click.argument("dataset")
@click.option("--run", "run_id", metavar="ID", help="A refined run.  [default: the data set's newest]")
@click.option(
    "--mode",
    type=click.Choice(["head", "additive", "literal"]),
    help="How the model is refitted for each choice of attributes: head takes seconds; the others train for each.  "
    "[default: head]",
)
@click.option(
    "--sparsity",
    is_flag=True,
    help="Instead of attributes, shorten the histories to their last 50 and 25 %: base, refined model and controls are "
    "trained for each, which takes two more builds.",
)
@json_option
@click.pass_obj
def ablate(session: Session, dataset: str, run_id: str | None, mode: str | None, sparsity: bool, as_json: bool) -> None:
    """Measure what each attribute is worth to a refined model.

    The model is refitted without each attribute, with each alone, and with the first few by weight, and compared on
    the test part with all attributes and with none. No model is chosen by it. A stored result is shown and not
    computed again.
    """
    if sparsity and mode is not None:
        raise click.UsageError("--sparsity trains the run's own mode; leave out --mode")
    from guidedrec_core import stages
    from guidedrec_core.config import AblationConfig, SparsityConfig
    from guidedrec_core.runs import library

    store = session.store()
    entry = library.find_entry(store, dataset, run_id)
    refined = store.open(entry.run.id, "refined")
    with session.progress() as listener:
        if sparsity:
            run = stages.measure_sparsity(store, refined, SparsityConfig(), listener)
        else:
            run = stages.ablate(store, refined, AblationConfig.parse({"mode": mode or "head"}), listener)
    if as_json:
        write_json(_document(run))
    elif sparsity:
        _write_sparsity(run)
    else:
        _write_ablation(run)


def _document(run: "Run") -> dict[str, Any]:
    """Return the result in the stable form for other programs."""
    about = {"run_id": run.inputs["refined"], f"{run.stage}_run_id": run.id}
    if run.stage == "ablation":
        return {**about, "mode": run.config["mode"], "ablation": run.read_table("ablation").to_dict("records")}
    tables = {name: run.read_table(name).to_dict("records") for name in ("metrics", "differences")}
    return {**about, "shares": run.config["shares"], **tables}


def _write_ablation(run: "Run") -> None:
    """Write one line per choice of attributes."""
    table = run.read_table("ablation")
    metrics = list(dict.fromkeys(table["metric"]))
    said = {"all": "all attributes", "none": "no attribute", "drop": "without {}", "keep": "{} alone"}
    rows: dict[str, list[str]] = {}
    for row in table.to_dict("records"):
        heaviest = f"the heaviest {row['n_attributes']}" if row["n_attributes"] > 1 else "the heaviest"
        name = said.get(row["kind"], heaviest).format(row["attribute"])
        change = f"{row['to_all']:+.4f} [{row['to_all_low']:+.4f}, {row['to_all_high']:+.4f}]"
        rows.setdefault(name, []).extend([f"{row['value']:.4f}", "" if row["kind"] == "all" else change])
    head = [cell for metric in metrics for cell in (metric, "against all attributes")]
    click.echo(
        f"Refined run {run.inputs['refined']}, mode {run.config['mode']}: {run.summary['n_cases']:,} test cases, "
        "95 % intervals over users"
    )
    click.echo()
    write_table(("attributes", *head), [[name, *cells] for name, cells in rows.items()])


def _write_sparsity(run: "Run") -> None:
    """Write one line per share and comparison."""
    from guidedrec_core.evaluation.verdict import MODEL_WORDS

    table = run.read_table("differences")
    table = table[(table["model"] == "refined") & table["against"].isin(["base", "second_training", "placebo"])]
    table = table[table["metric"].isin(["MRR", "NDCG@10"])]
    metrics = list(dict.fromkeys(table["metric"]))
    rows: dict[tuple[float, str], list[str]] = {}
    for row in table.to_dict("records"):
        cell = f"{row['absolute']:+.4f} [{row['ci_low']:+.4f}, {row['ci_high']:+.4f}]"
        rows.setdefault((row["share"], row["against"]), []).append(cell)
    write_table(
        ("history kept", "refined over", *metrics),
        [[f"{100 * share:g} %", MODEL_WORDS[against], *cells] for (share, against), cells in rows.items()],
    )
