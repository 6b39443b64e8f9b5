"""Templates: attribute schemas to begin with, one for each kind of shop, in files as users write them."""

from pathlib import Path

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.errors import ConfigError

_FOLDER = Path(__file__).parent / "templates"


def template_names() -> tuple[str, ...]:
    """Return the names of all templates, sorted.

    Examples
    --------
    >>> template_names()
    ('beauty', 'books', 'clothing', 'electronics', 'games', 'grocery', 'movies')
    """
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def template(name: str) -> AttributeSchema:
    """Return a template.

    Examples
    --------
    >>> template("books").domain
    'books'

    Raises
    ------
    ConfigError
        There is none of this name.
    """
    if name not in template_names():
        raise ConfigError(f"expected a template out of {', '.join(template_names())}; got {name!r}")
    return AttributeSchema.read(_FOLDER / f"{name}.toml")
