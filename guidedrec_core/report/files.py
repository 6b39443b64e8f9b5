"""The tables and charts of a report as files: CSV, Parquet, PNG, SVG."""

import asyncio
import io
import secrets
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pandas as pd

from guidedrec_core.errors import InputError
from guidedrec_core.figures.theme import LIGHT
from guidedrec_core.files import named_storage_errors
from guidedrec_core.report.document import Chart
from guidedrec_core.report.html import plain_figure
from guidedrec_core.spreadsheets import harmless

TableFormat = Literal["csv", "parquet"]
IMAGE_FORMATS = ("png", "svg")
_WIDTH = 760
_SECONDS = 60
"""That a chart may take."""
_SCALE = 2
"""Of PNG files: pixels a point, so that they are sharp in slides."""


def table_bytes(frame: pd.DataFrame, kind: TableFormat) -> bytes:
    r"""Write a table with all its digits.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any; its index is left out.
    kind : {"csv", "parquet"}
        In CSV, text that begins like a formula gets a ``'`` before it; see `spreadsheets.harmless`.

    Examples
    --------
    >>> table_bytes(pd.DataFrame({"title": ["=1+1"], "score": [0.1]}), "csv")
    b"title,score\n'=1+1,0.1\n"
    """
    if kind == "csv":
        return harmless(frame).to_csv(index=False, lineterminator="\n").encode()
    file = io.BytesIO()
    # Parquet knows one type a column and only texts as names.
    mended = frame.rename(columns=str).reset_index(drop=True)
    for name in [name for name in mended if mended[name].dtype == object]:
        mended[name] = mended[name].map(str, na_action="ignore")
    mended.to_parquet(file, compression="zstd", index=False)
    return file.getvalue()


def zipped_tables(tables: Mapping[str, pd.DataFrame], kind: TableFormat) -> bytes:
    """Write tables into one ZIP file, each as ``<name>.csv`` or ``<name>.parquet``."""
    return zipped({f"{name}.{kind}": table_bytes(frame, kind) for name, frame in tables.items()})


def zipped(contents: Mapping[str, bytes]) -> bytes:
    """Put files into one ZIP file, by name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file.getvalue()


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write tables into a folder, each as CSV and as Parquet; existing files are replaced.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    kinds: tuple[TableFormat, ...] = ("csv", "parquet")
    contents = {f"{name}.{kind}": table_bytes(frame, kind) for name, frame in tables.items() for kind in kinds}
    return write_files(contents, folder)


def write_charts(charts: Mapping[str, Chart], folder: Path) -> list[Path]:
    """Write charts into a folder, each as PNG and as SVG in light colours; existing files are replaced.

    Needs kaleido, and Chrome or Chromium on this machine; nothing is fetched.

    Raises
    ------
    InputError
        Either is missing; the message says how to get it.
    StorageError
        The folder cannot be written.
    """
    return write_files(_images(charts), folder)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file whole: it appears, or replaces an older one, when everything is written.

    Raises
    ------
    InputError
        There is no such folder, or the path is a folder.
    StorageError
        It cannot be written.
    """
    check_place(path)
    with named_storage_errors(path.absolute().parent):
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def check_place(path: Path) -> None:
    """Refuse a path where no file can be, before any work is done.

    Raises
    ------
    InputError
        There is no such folder, or the path is a folder.
    """
    if path.is_dir():
        raise InputError(f"expected an output file, but {path} is a folder; name a file in it")
    if not path.absolute().parent.is_dir():
        raise InputError(f"expected an existing folder for {path}; make {path.absolute().parent} first")


def write_files(contents: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write files into a folder, which is made; existing ones are replaced.

    Parameters
    ----------
    contents : mapping of str to bytes
        By name.
    folder : Path
        Where to.

    Returns
    -------
    list of Path
        What was written, in order.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"expected a folder, but {folder} is a file; name another one")
    with named_storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        replace_file(folder / name, content)
    return [folder / name for name in contents]


def _images(charts: Mapping[str, Chart]) -> dict[str, bytes]:
    """Draw charts as images, by file name; one browser draws them all."""
    try:
        import kaleido
    except ImportError as error:
        raise InputError(
            "images of charts need kaleido; `pip install 'guidedrec[images]'`, or save them from the HTML report"
        ) from error

    async def draw() -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        # Left alone, kaleido's page asks a public server for MathJax, which no chart here needs.
        async with kaleido.Kaleido(n=1, mathjax=False, timeout=_SECONDS) as browser:
            for name, chart in charts.items():
                figure = plain_figure(chart, LIGHT)
                size = {"width": _WIDTH, "height": figure.layout.height, "scale": _SCALE}
                for kind in IMAGE_FORMATS:
                    found[f"{name}.{kind}"] = await browser.calc_fig(figure, opts={"format": kind, **size})
        return found

    try:
        return asyncio.run(draw())
    except (OSError, RuntimeError, TimeoutError) as error:  # there is no browser, or it does not start
        reason = str(error).strip().partition("\n")[0].partition(". ")[0] or type(error).__name__
        raise InputError(
            f"charts cannot be drawn as images ({reason}); install Chrome or Chromium, or name it in BROWSER_PATH"
        ) from error
