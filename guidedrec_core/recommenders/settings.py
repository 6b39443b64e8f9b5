"""Keyword arguments as fields of configurations: one error class, unknown names named."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from guidedrec_core.config import Config
from guidedrec_core.errors import ConfigError


def by_part(owner: str, settings: Mapping[str, Any], parts: Mapping[str, type[Config]]) -> dict[str, dict[str, Any]]:
    """Sort keyword arguments by the configuration that has a field of this name.

    Parameters
    ----------
    owner : str
        Whose arguments they are, for messages.
    settings : mapping
        Field names and values.
    parts : mapping of str to type
        Name of each part of `BuildConfig`, and its configuration.

    Returns
    -------
    dict of str to dict
        The fields of each part; every part is there.

    Raises
    ------
    ConfigError
        A name is no field of any part.

    Examples
    --------
    >>> from guidedrec_core.config import EncoderConfig, TrainingConfig
    >>> by_part("SASRec", {"width": 32, "max_epochs": 3}, {"encoder": EncoderConfig, "training": TrainingConfig})
    {'encoder': {'width': 32}, 'training': {'max_epochs': 3}}
    """
    sorted_settings: dict[str, dict[str, Any]] = {part: {} for part in parts}
    fields = {name: part for part, config in parts.items() for name in config.model_fields}
    for name, value in settings.items():
        if name not in fields:
            near = get_close_matches(name, fields, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(f"{owner} has no setting {name!r}; {hint}it has {', '.join(sorted(fields))}")
        sorted_settings[fields[name]][name] = value
    return sorted_settings
