"""Writes the bundled shop's interactions, their truth and checksums of their content.

``python -m guidedrec_core.fernway.generate [FOLDER]`` simulates again from ``FOLDER/catalogue.csv`` and
``FOLDER/truth/design_truth.csv`` (``FOLDER`` is ``sample_data/fernway`` by default) and writes

- ``interactions.parquet``: what a recommender may learn from;
- ``truth/shopper_weights.parquet`` and ``truth/purchase_parts.parquet``: what only tests and the planted-truth
  evaluation may read;
- ``CHECKSUMS.json``: the configuration, row counts and a SHA-256 of each table's values.
"""

import hashlib
import json
import logging
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from guidedrec_core.columns import ITEM
from guidedrec_core.errors import DataError
from guidedrec_core.fernway.shop import ShopConfig
from guidedrec_core.fernway.simulator import SimulatedShop, simulate_shop

SIMULATOR_VERSION = 1
"""Raised with every change that makes other purchases from the same configuration."""

CATALOGUE = "catalogue.csv"
DESIGN_TRUTH = "truth/design_truth.csv"
INTERACTIONS_FILE = "interactions.parquet"
SHOPPER_WEIGHTS = "truth/shopper_weights.parquet"
PURCHASE_PARTS = "truth/purchase_parts.parquet"
CHECKSUMS = "CHECKSUMS.json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShopInputs:
    """The two tables a simulation starts from.

    Attributes
    ----------
    catalogue : DataFrame
        The product listings.
    design_truth : DataFrame
        `item_id` and twelve attributes, 0 to 10, as the listings' writers meant them.
    """

    catalogue: pd.DataFrame
    design_truth: pd.DataFrame


def read_inputs(folder: Path) -> ShopInputs:
    """Read the catalogue and the design truth of a shop's folder.

    Raises
    ------
    DataError
        One of the two files is missing.
    """
    for name in (CATALOGUE, DESIGN_TRUTH):
        if not (folder / name).is_file():
            raise DataError(f"expected {name} in {folder}, found none; give the folder of the bundled shop")
    text_ids = {ITEM: "str"}
    return ShopInputs(
        pd.read_csv(folder / CATALOGUE, dtype=text_ids), pd.read_csv(folder / DESIGN_TRUTH, dtype=text_ids)
    )


def write_shop(shop: SimulatedShop, folder: Path) -> None:
    """Write a simulated shop's tables and their checksums.

    Parameters
    ----------
    shop : SimulatedShop
        What :func:`simulate_shop` made.
    folder : Path
        The shop's folder; files of the same names are replaced.
    """
    tables = shop_tables(shop)
    for name, table in tables.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(path, index=False, compression="zstd", compression_level=19)
    text = json.dumps(describe_tables(tables, shop.config), indent=2)
    (folder / CHECKSUMS).write_text(text + "\n", encoding="utf-8")


def shop_tables(shop: SimulatedShop) -> dict[str, pd.DataFrame]:
    """Return each table of a shop under the name of its file."""
    return {INTERACTIONS_FILE: shop.interactions, SHOPPER_WEIGHTS: shop.shoppers, PURCHASE_PARTS: shop.purchase_parts}


def describe_tables(tables: dict[str, pd.DataFrame], config: ShopConfig) -> dict[str, object]:
    """Return what ``CHECKSUMS.json`` says of the tables."""
    return {
        "simulator_version": SIMULATOR_VERSION,
        "config": config.model_dump(mode="json"),
        "tables": {
            name: {"rows": len(table), "columns": list(table.columns), "sha256": content_checksum(table)}
            for name, table in tables.items()
        },
    }


def content_checksum(table: pd.DataFrame) -> str:
    """Return the SHA-256 of a table's values, which does not hang on how a file stores them.

    The values are written as CSV: numbers with a fraction to four decimals, times as ISO 8601 in UTC.

    Examples
    --------
    >>> import numpy as np
    >>> one = pd.DataFrame({"value": np.array([0.1, -0.0], dtype=np.float32)})
    >>> other = pd.DataFrame({"value": [0.1, 0.0]})
    >>> content_checksum(one) == content_checksum(other)
    True
    """
    canonical = table.copy()
    for column in canonical.select_dtypes(np.floating).columns:
        canonical[column] = np.round(canonical[column].astype("float64"), 4) + 0.0  # + 0.0 turns -0.0 into 0.0
    text = canonical.to_csv(index=False, float_format="%.4f", date_format="%Y-%m-%dT%H:%M:%SZ", lineterminator="\n")
    return hashlib.sha256(text.encode()).hexdigest()


def main(arguments: list[str]) -> None:
    """Simulate again and replace the files in the folder given, or in ``sample_data/fernway``."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    folder = Path(arguments[0] if arguments else "sample_data/fernway")
    inputs = read_inputs(folder)
    shop = simulate_shop(inputs.catalogue, inputs.design_truth)
    write_shop(shop, folder)
    _log.info("wrote %d purchases of %d shoppers to %s", len(shop.interactions), len(shop.shoppers), folder)


if __name__ == "__main__":
    main(sys.argv[1:])
