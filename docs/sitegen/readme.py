"""`PYTHONPATH=docs python -m sitegen.readme`: writes the measured table into the README."""

import re

from sitegen.measured.gain import summary_table
from sitegen.render import ROOT
from sitegen.results import Results

_TABLE = re.compile(r"(?<=<!-- results -->\n).*?(?=\n<!-- /results -->)", re.DOTALL)


def with_table(text: str, table: str) -> str:
    r"""Return the README with another table between its two marks.

    Examples
    --------
    >>> with_table("a\n<!-- results -->\nold\n<!-- /results -->\nb", "new")
    'a\n<!-- results -->\nnew\n<!-- /results -->\nb'
    """
    changed, count = _TABLE.subn(lambda _: table, text)
    if count != 1:
        raise ValueError(f"expected one place between the marks `results` in the README, found {count}")
    return changed


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(with_table(path.read_text(encoding="utf-8"), summary_table(Results())), encoding="utf-8")
