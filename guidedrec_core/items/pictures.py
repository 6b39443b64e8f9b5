"""Pictures and prices of items: which picture may be shown, what stands for it, how a price is written."""

import os
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from guidedrec_core.language import words_of

HOSTS = "GUIDEDREC_IMAGE_HOSTS"
"""Environment variable with the hosts whose pictures may be shown, separated by commas; none by default."""

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
_MOST_BYTES = 5 << 20
_LONGEST_ADDRESS = 2_000
_SYMBOLS = {
    "checkroom": "clothing clothes apparel jacket jackets shirt shirts tops bottoms base layers fleece pants dress",
    "hiking": "shoes boots footwear socks",
    "backpack": "bag bags pack packs backpack backpacks luggage",
    "camping": "tent tents shelter shelters camping sleeping outdoor",
    "movie": "movie movies film films drama comedy action thriller horror romance documentary animation",
    "menu_book": "book books novel novels fiction comics",
    "music_note": "music song songs album albums",
    "sports_esports": "game games gaming",
    "devices": "electronics computer computers phone phones audio",
    "restaurant": "food grocery drink drinks cooking kitchen cookware",
    "spa": "beauty hair skin makeup fragrance",
    "toys": "toy toys",
    "chair": "furniture home decor",
}
_SIGN = {word: symbol for symbol, words in _SYMBOLS.items() for word in words.split()}
_CURRENCIES = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def allowed_hosts() -> frozenset[str]:
    """Return the hosts whose pictures may be shown, from the environment."""
    return frozenset(host.strip().casefold() for host in os.environ.get(HOSTS, "").split(",") if host.strip())


def picture(image: str, folder: Path, hosts: Collection[str]) -> str | Path | None:
    """Return the picture to show: an address on an allowed host, or a file under the data set's folder; else None.

    Parameters
    ----------
    image : str
        As the catalogue has it: an https address, or the name of a file.
    folder : pathlib.Path
        The data set's folder of pictures.
    hosts : collection of str
        Allowed hosts, in lower case; the name has to be the same, subdomains do not count.

    Examples
    --------
    >>> picture("https://cdn.example.com/a.jpg", Path("."), {"cdn.example.com"})
    'https://cdn.example.com/a.jpg'
    >>> picture("https://elsewhere.example/a.jpg", Path("."), {"cdn.example.com"}) is None
    True
    """
    text = image.strip()
    if not text or len(text) > _LONGEST_ADDRESS or not text.isprintable():
        return None
    if "://" in text:
        return _address(text, hosts)
    path = (folder / text).resolve()
    try:
        inside = path.is_relative_to(folder.resolve()) and path.suffix.lower() in _SUFFIXES and path.is_file()
        return path if inside and path.stat().st_size <= _MOST_BYTES else None
    except (OSError, ValueError):
        return None


def _address(text: str, hosts: Collection[str]) -> str | None:
    try:
        parts = urlsplit(text)
        plain = parts.scheme == "https" and parts.port is None and "@" not in parts.netloc and "\\" not in text
    except ValueError:
        return None
    return text if plain and parts.netloc.casefold() in hosts else None


def symbol(category: str) -> str:
    """Return the Material symbol that stands for a category where there is no picture.

    Examples
    --------
    >>> symbol("base_layers"), symbol("Drama|War"), symbol("")
    ('checkroom', 'movie', 'category')
    """
    return next((_SIGN[word] for word in words_of(category) if word in _SIGN), "category")


def price_words(price: float, currency: str = "") -> str:
    """Write a price with its currency.

    Examples
    --------
    >>> price_words(1234.5, "EUR"), price_words(9, "CHF"), price_words(9.99)
    ('€1,234.50', 'CHF 9.00', '9.99')
    """
    amount = f"{price:,.2f}"
    return f"{_CURRENCIES[currency]}{amount}" if currency in _CURRENCIES else f"{currency} {amount}".strip()
