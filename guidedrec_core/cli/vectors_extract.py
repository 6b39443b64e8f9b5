"""``guidedrec vectors extract``: vectors out of a checkpoint of another program."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guidedrec_core.cli.output import json_option, write_facts, write_json, write_table
from guidedrec_core.cli.session import Command

if TYPE_CHECKING:
    from guidedrec_core.vectors.checkpoint import Checkpoint


@click.command(cls=Command)
@click.argument("checkpoint", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--tensor", metavar="NAME", help="Which array; without it, all that there are are listed.")
@click.option(
    "--ids",
    metavar="FILE|::NAME",
    help="Ids of the rows, in order: a JSON list (.json), a text file with one a line, or a list in the checkpoint.",
)
@click.option("--out", type=click.Path(path_type=Path), help="File to write (.npz): vectors and ids.")
@json_option
def extract(checkpoint: Path, tensor: str | None, ids: str | None, out: Path | None, as_json: bool) -> None:
    """Take vectors out of a checkpoint, without running any code in it.

    For what RecBole, RecTools, implicit or your own PyTorch code has saved: state dicts with any objects next to them,
    Lightning checkpoints, pickles, archives of NumPy. The file written is one for --item-vectors.
    """
    from guidedrec_core.vectors.checkpoint import read_checkpoint, write_vectors
    from guidedrec_core.vectors.text import check_place

    if tensor is None and (ids is not None or out is not None):
        raise click.UsageError("--ids and --out go with --tensor; without it, the arrays are listed")
    if tensor is not None and (ids is None or out is None):
        raise click.UsageError("--tensor needs --ids and --out")
    found = read_checkpoint(checkpoint)
    if tensor is None or ids is None or out is None:
        _list(found, as_json)
        return
    check_place(out)
    values, names = found.array(tensor), found.ids_of(ids)
    write_vectors(out, names, values)
    if as_json:
        write_json({"tensor": tensor, "vectors": len(values), "width": values.shape[1], "path": out})
        return
    write_facts(
        [
            ("tensor", tensor),
            ("vectors", f"{len(values):,}, {values.shape[1]:,} numbers each"),
            ("ids", f"{names.iloc[0]} to {names.iloc[-1]}"),
            ("written to", str(out)),
        ]
    )


def _list(found: "Checkpoint", as_json: bool) -> None:
    """List what a checkpoint holds."""
    arrays = [{"name": name, "shape": array.shape, "type": array.kind} for name, array in found.arrays.items()]
    if as_json:
        write_json({"arrays": arrays, "ids": [{"name": name, "count": len(ids)} for name, ids in found.ids.items()]})
        return
    rows = [[name, " x ".join(map(str, array.shape)) or "1", array.kind] for name, array in found.arrays.items()]
    lists = [[f"::{name}", f"{len(ids):,}", f"ids, {ids[0]} to {ids[-1]}"[:80]] for name, ids in found.ids.items()]
    write_table(("array", "shape", "type"), rows + lists)
