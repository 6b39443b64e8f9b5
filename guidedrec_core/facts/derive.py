"""Which facts a data set has, and which of them are used."""

from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.errors import ConfigError
from guidedrec_core.facts.catalogue import catalogue_facts
from guidedrec_core.facts.fact import Fact, Facts
from guidedrec_core.facts.interactions import POPULARITY, SEASON, TREND, popularity, season, trend


def derive_facts(
    data: SplitDataset,
    chosen: tuple[str, ...] | None = None,
    half_lives: tuple[float, ...] = (),
    newest: SplitDataset | None = None,
) -> Facts:
    """Make the facts of a data set from its catalogue and the training part of its interactions.

    Parameters
    ----------
    data : SplitDataset
        Held-out interactions are not read.
    chosen : tuple of str, optional
        Names of the facts wanted, in any order; all that the data set has by default.
    half_lives : tuple of float
        See `interactions.popularity`.
    newest : SplitDataset, optional
        Whose training part season, trend and popularity are taken from, on the scales of `data`; `data` by default.
        With a temporal split they are brought up to date by `SplitDataset.refreshed`.

    Returns
    -------
    Facts
        In the order of the catalogue's columns, then season, trend and popularity; a column of the catalogue with one
        of these three names gives way.

    Raises
    ------
    ConfigError
        The data set has no fact of a name that was chosen.
    """
    found: list[Fact] = list(catalogue_facts(data.dataset.catalogue.frame))
    now = data if newest is None else newest
    found = [fact for fact in found if fact.name not in (SEASON, TREND, POPULARITY)]
    found += [
        fact for fact in (season(data, now), trend(data, now), popularity(data, now, half_lives)) if fact is not None
    ]
    if chosen is not None:
        names = [fact.name for fact in found]
        unknown = [name for name in chosen if name not in names]
        if unknown:
            raise ConfigError(f"expected facts out of {', '.join(names)}; got {', '.join(unknown)}")
        found = [fact for fact in found if fact.name in chosen]
    return Facts(tuple(found), data.sequences.n_items)
