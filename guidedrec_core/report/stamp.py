"""The stamp of a report, from what listings know of a run."""

from datetime import UTC, datetime

from guidedrec_core import __version__
from guidedrec_core.report.document import Stamp
from guidedrec_core.runs.library import RefinedEntry

_DAY = "%d %b %Y, %H:%M UTC"


def stamp_of(entry: RefinedEntry, written: datetime, **more: str) -> Stamp:
    """Make the stamp of a refined run.

    Parameters
    ----------
    entry : RefinedEntry
        The run with its base and data.
    written : datetime
        When the report is written; with a time zone.
    **more : str
        Further facts; ``_`` in a name becomes a space.
    """
    doubt = ", doubtful scores count less" if entry.shrinks_doubtful else ""
    width, split = entry.base.config["encoder"]["width"], entry.base.config["split"]["kind"]
    return Stamp(
        dataset=str(entry.data.config["name"]),
        data_run=entry.data.id,
        run=entry.run.id,
        made=f"{entry.run.created:{_DAY}}",
        settings=f"{entry.base_kind}, width {width}, {entry.run.config['refinement']['mode']} refinement{doubt}, "
        f"split {split}",
        seed=int(entry.run.seed or 0),
        version=__version__,
        written=f"{written.astimezone(UTC):{_DAY}}",
        more={name.replace("_", " ").capitalize(): value for name, value in more.items()},
    )
