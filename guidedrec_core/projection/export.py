"""Maps for other programs: TensorBoard's Embedding Projector and Embedding Atlas.

The projector (https://projector.tensorflow.org, or TensorBoard's tab) reads vectors as rows of tab-separated numbers,
and metadata as a table with a header, in the same order. Embedding Atlas (https://apple.github.io/embedding-atlas)
reads one Parquet table: the columns of a map are named by ``--x`` and ``--y``, and nearest neighbours lie in a column
of records with ``ids`` (row numbers) and ``distances``.
"""

import io
from typing import Literal

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.projection.item_map import ItemMap
from guidedrec_core.projection.spaces import FloatArray, ItemSpace
from guidedrec_core.spreadsheets import harmless


def vectors_tsv(space: ItemSpace) -> bytes:
    """Write a space's vectors, one item a row; their cosine is what the projector then measures."""
    return "".join("\t".join(f"{value:.6g}" for value in row) + "\n" for row in space.vectors.tolist()).encode()


def metadata_tsv(item_map: ItemMap) -> bytes:
    r"""Write what is known of each item, in the order of the vectors, with a header.

    Tabs and line breaks in texts become spaces; text that begins like a formula gets a ``'`` before it, because such
    files are opened in spreadsheets, too.
    """
    table = harmless(_items(item_map).map(lambda value: " ".join(value.split()) if isinstance(value, str) else value))
    rows = [[str(cell) for cell in row] for row in table.itertuples(index=False, name=None)]
    return "".join("\t".join(row) + "\n" for row in [list(table.columns), *rows]).encode()


def projector_config(spaces: tuple[str, ...] = ("base", "refined")) -> bytes:
    """Write the file by which TensorBoard finds both spaces in a log folder."""
    embeddings = "".join(
        f'embeddings {{\n  tensor_name: "{space}"\n  tensor_path: "{space}_vectors.tsv"\n'
        f'  metadata_path: "metadata.tsv"\n}}\n'
        for space in spaces
    )
    return embeddings.encode()


def atlas_table(item_map: ItemMap, base: ItemSpace, refined: ItemSpace) -> pd.DataFrame:
    """Return both maps as Embedding Atlas reads them.

    Parameters
    ----------
    item_map : ItemMap
        Positions, scores and neighbours.
    base, refined : ItemSpace
        The spaces that they stand for, in which distances are measured.

    Returns
    -------
    pandas.DataFrame
        One row an item: `ItemMap.items`, one raw score column an attribute (missing where not scored), and
        ``base_neighbors, refined_neighbors``: ``{"ids": row numbers, "distances": 1 - cosine}``, nearest first.
    """
    spaces = (("base", base, item_map.base_neighbours), ("refined", refined, item_map.refined_neighbours))
    near = {f"{name}_neighbors": _neighbours(space.vectors, ids) for name, space, ids in spaces}
    table = _items(item_map)
    for name, records in near.items():
        table[name] = pd.Series(records, index=table.index)
    return table


def map_files(
    item_map: ItemMap, base: ItemSpace, refined: ItemSpace, form: Literal["tensorboard", "embedding-atlas"]
) -> dict[str, bytes]:
    """Return the files of an export by name; see the functions above."""
    if form == "tensorboard":
        return {
            "base_vectors.tsv": vectors_tsv(base),
            "refined_vectors.tsv": vectors_tsv(refined),
            "metadata.tsv": metadata_tsv(item_map),
            "projector_config.pbtxt": projector_config(),
        }
    file = io.BytesIO()
    atlas_table(item_map, base, refined).to_parquet(file, compression="zstd", index=False)
    return {"items.parquet": file.getvalue()}


def _items(item_map: ItemMap) -> pd.DataFrame:
    """Return the items with their scores; ids and titles first."""
    scores = pd.DataFrame(item_map.raw, columns=[f"score_{name}" for name in item_map.schema.names])
    items = item_map.items.rename(columns={"kept": "neighbours_kept"})
    first = [c.TITLE, c.ITEM, c.CATEGORY]
    ordered = items[[*first, *(name for name in items if name not in first)]]
    return pd.concat([ordered.reset_index(drop=True), scores], axis=1)


def _neighbours(vectors: FloatArray, ids: IntArray) -> list[dict[str, list[float]]]:
    """Return each item's nearest items with their distances."""
    found = []
    for row, near in enumerate(ids):
        distances = 1.0 - vectors[near].astype(np.float64) @ vectors[row].astype(np.float64)
        found.append({"ids": near.tolist(), "distances": np.maximum(distances, 0.0).tolist()})
    return found
