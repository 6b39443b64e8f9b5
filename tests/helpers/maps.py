"""Made-up maps for tests."""

from typing import Any

import numpy as np
import pandas as pd

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.projection.item_map import ItemMap


def made_map(n: int, n_categories: int = 10, attributes: tuple[str, ...] = ("warmth",), **changes: Any) -> ItemMap:
    """Draw positions and scores of n items ``i0, i1, …`` in categories ``c0, c1, …``, one neighbour each."""
    rng = np.random.default_rng(0)
    at = rng.normal(size=(n, 4))
    raw = rng.integers(0, 11, (n, len(attributes))).astype(np.float32)
    raw[0] = np.nan
    items = pd.DataFrame(
        {
            "item_id": [f"i{k}" for k in range(n)],
            "title": ["<b>x</b>"] * n,
            "category": [f"c{k % n_categories}" for k in range(n)],
            "interactions": np.arange(n),
            "kept": rng.random(n),
            **dict(zip(("base_x", "base_y", "refined_x", "refined_y"), at.T, strict=True)),
        }
    )
    schema = AttributeSchema(
        attributes=[Attribute(name=name, low="cooling", high="made for deep cold") for name in attributes]
    )
    none = np.zeros((n, 1), dtype=np.int64)
    parts = {"items": items, "z": np.nan_to_num(raw), "base_neighbours": none, "refined_neighbours": none} | changes
    return ItemMap("p", schema=schema, raw=raw, data=None, verb=BOUGHT, **parts)  # type: ignore[arg-type]
