"""MovieLens in its three layouts: the latest ones (CSV), 1M and 10M (``ratings.dat``), and 100K (``u.data``)."""

import contextlib
import re
from collections.abc import Iterator, Mapping

import pandas as pd
import pyarrow as pa

from guidedrec_core import columns as c
from guidedrec_core.data import tables
from guidedrec_core.data.files.delimited import read_delimited, read_double_colon, scan_delimited
from guidedrec_core.data.files.lines import line_of_row
from guidedrec_core.data.files.members import Member, find_members
from guidedrec_core.data.files.place import place_of
from guidedrec_core.data.files.plain import Plain
from guidedrec_core.data.formats.source import Files, Source, collected, refuse_options, renamed
from guidedrec_core.data.reading.rows import Rows
from guidedrec_core.errors import DataError, RowError

YEAR = "year"
"""Column of the MovieLens and MovieTweetings catalogues: the year in brackets at the end of a title, if any."""

_YEAR = re.compile(r"\((\d{4})(?:[-–]\d{0,4})?\)\s*$")
_NO_GENRES = "(no genres listed)"
_TAGS_SHOWN = 5
# Column n + 5 of u.item says whether a film is of genre n.
_GENRES_100K = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama"),
    *("Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)

_MOVIELENS_FACTS = {
    "licence": "GroupLens: free for research with acknowledgement; no commercial use without permission",
    "citation": "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
    "ACM Transactions on Interactive Intelligent Systems 5, 4: 19:1-19:19. https://doi.org/10.1145/2827872",
}
_MOVIETWEETINGS_FACTS = {
    "licence": "MIT",
    "citation": "Simon Dooms, Toon De Pessemier and Luc Martens. 2013. MovieTweetings: a Movie Rating Dataset "
    "Collected From Twitter. Workshop on Crowdsourcing and Human Computation for Recommender Systems at RecSys 2013.",
}
_ADVICE = "Use the files as GroupLens publishes them, or --format csv with --map"


def read_movielens(files: Files) -> Source:
    """Read a MovieLens folder or zip archive: ratings.csv, movies.csv and, when there, tags.csv.

    Rows are ordered by movie number, so that one user's ratings of the same second stay in that order. Genres stay
    ``"A|B"`` in `category`; the five most given tags make the `description`.
    """
    refuse_options("movielens", files)
    members = find_members(place_of(files.path), ("ratings.csv", "movies.csv"), optional=("tags.csv",))

    def table(name: str, wanted: Mapping[str, str]) -> pd.DataFrame:
        with members[name].open() as plain, _lines_of(members[name], ","):
            return tables.select(read_delimited(plain, ",", set(wanted.values())), wanted, name, _ADVICE)

    columns = {c.USER: "userId", c.ITEM: "movieId", c.DATETIME: "timestamp", c.WEIGHT: "rating"}
    rows = _ratings(members["ratings.csv"], columns)
    movies = _films(table("movies.csv", {c.ITEM: "movieId", c.TITLE: "title", c.CATEGORY: "genres"}))
    if "tags.csv" in members:
        movies[c.DESCRIPTION] = _top_tags(table("tags.csv", {c.ITEM: "movieId", "tag": "tag"}), movies[c.ITEM])
    return Source(rows, movies, facts=_MOVIELENS_FACTS)


def read_movielens_1m(files: Files) -> Source:
    """Read MovieLens 1M or 10M: ratings.dat and movies.dat, ``a::b::c`` lines, titles in Latin-1 or UTF-8."""
    refuse_options("movielens-1m", files)
    members = find_members(place_of(files.path), ("ratings.dat", "movies.dat"))
    ratings = _double_colon(members["ratings.dat"], c.USER, c.ITEM, c.WEIGHT, c.DATETIME)
    movies = _double_colon(members["movies.dat"], c.ITEM, c.TITLE, c.CATEGORY, latin=True)
    return Source(_by_number(ratings), _films(movies), facts=_MOVIELENS_FACTS)


def read_movielens_100k(files: Files) -> Source:
    """Read MovieLens 100K: u.data (tab-separated, no header) and u.item (``|``, Latin-1, a column a genre)."""
    refuse_options("movielens-100k", files)
    members = find_members(place_of(files.path), ("u.data", "u.item"))
    ratings = _without_header(members["u.data"], "\t", (c.USER, c.ITEM, c.WEIGHT, c.DATETIME), latin=False)
    flags = tuple(f"genre {number}" for number in range(len(_GENRES_100K)))
    films = _without_header(members["u.item"], "|", (c.ITEM, c.TITLE, "released", "video", "url", *flags), latin=True)
    genres = [
        "|".join(name for name, flag in zip(_GENRES_100K, row, strict=True) if flag == "1" and name != "unknown")
        for row in films[list(flags)].itertuples(index=False)
    ]
    films = films[[c.ITEM, c.TITLE]].assign(**{c.CATEGORY: pd.Series(genres, dtype="str")})
    return Source(_by_number(ratings), _films(films), facts=_MOVIELENS_FACTS)


def read_movietweetings(files: Files) -> Source:
    """Read a MovieTweetings folder or zip archive: ratings.dat and movies.dat.

    Movie ids are IMDb numbers and keep their leading zeros. Rows are ordered by movie number, as for MovieLens.
    """
    refuse_options("movietweetings", files)
    members = find_members(place_of(files.path), ("ratings.dat", "movies.dat"))
    ratings = _double_colon(members["ratings.dat"], c.USER, c.ITEM, c.WEIGHT, c.DATETIME)
    movies = _double_colon(members["movies.dat"], c.ITEM, c.TITLE, c.CATEGORY)
    return Source(_by_number(ratings), _films(movies), facts=_MOVIETWEETINGS_FACTS)


def _ratings(member: Member, columns: Mapping[str, str]) -> Rows:
    """Return the rows of ratings.csv, which has 32 million of them in the largest release."""
    with member.open() as plain:
        scan = scan_delimited(plain, ",", set(columns.values()))
        tables.refuse_missing(scan.names, columns, "ratings.csv", _ADVICE)

    @contextlib.contextmanager
    def pieces() -> Iterator[Iterator[pa.Table]]:
        with member.open() as plain, _lines_of(member, ","):
            yield renamed(scan_delimited(plain, ",", set(columns.values())), columns)

    def frame() -> pd.DataFrame:
        with pieces() as found:
            return _by_item_number(collected(found, columns))

    def where(row: int) -> str | None:
        with member.open() as plain:
            line = line_of_row(plain, row, ",")
        return None if line is None else f"line {line} of ratings.csv"

    return Rows(frame, pieces, where, by_item_number=True)


@contextlib.contextmanager
def _lines_of(member: Member, separator: str) -> Iterator[None]:
    """Let errors name the line of a file instead of the row."""
    try:
        yield
    except RowError as error:
        with member.open() as plain:
            line = line_of_row(plain, error.row, separator)
        raise error if line is None else error.at(f"line {line}") from error


def _double_colon(member: Member, *columns: str, latin: bool = False) -> pd.DataFrame:
    with member.open() as plain:
        return read_double_colon(_utf8(plain) if latin else plain, columns)


def _without_header(member: Member, separator: str, columns: tuple[str, ...], latin: bool) -> pd.DataFrame:
    with member.open() as plain:
        data = _utf8(plain).read() if latin else plain.read()
        lines = [line for line in data.decode("utf-8", errors="replace").splitlines() if line.strip()]
        rows = [line.split(separator) for line in lines]
        wrong = next((number for number, row in enumerate(rows, 1) if len(row) != len(columns)), None)
        if wrong is not None or not rows:
            found = f"{len(rows[wrong - 1])} in line {wrong}" if wrong else "no line"
            raise DataError(
                f"expected {len(columns)} fields in every line of {plain.where}, found {found}; use the files as "
                "GroupLens publishes them"
            )
    return pd.DataFrame(rows, columns=list(columns), dtype="str")


def _utf8(plain: Plain) -> Plain:
    """Return a small file as UTF-8; what is not UTF-8 is Latin-1, as GroupLens wrote it before 2009."""
    data = plain.read()
    try:
        data.decode()
    except UnicodeDecodeError:
        data = data.decode("latin-1").encode()
    return Plain.of_bytes(data, plain.name)


def _by_number(ratings: pd.DataFrame) -> Rows:
    ordered = _by_item_number(ratings)
    return Rows(lambda: ordered)


def _by_item_number(ratings: pd.DataFrame) -> pd.DataFrame:
    """Order rows by item number, when all items have one; users' rows are put in time order later, stably."""
    numbers = pd.to_numeric(ratings[c.ITEM], errors="coerce")
    if numbers.isna().any():
        return ratings
    return ratings.iloc[numbers.argsort(kind="stable")].reset_index(drop=True)


def _films(movies: pd.DataFrame) -> pd.DataFrame:
    """Blank absent genres and add the year."""
    movies[c.CATEGORY] = movies[c.CATEGORY].fillna("").replace(_NO_GENRES, "")
    movies[YEAR] = movies[c.TITLE].str.extract(_YEAR, expand=False).astype("Int64")
    return movies


def _top_tags(tags: pd.DataFrame, items: pd.Series) -> pd.Series:
    """Join each item's most given tags, most given first, equals by alphabet."""
    tags = tags.dropna().assign(tag=lambda frame: frame["tag"].str.strip().str.casefold())
    counts = tags.groupby([c.ITEM, "tag"], as_index=False).size()
    ordered = counts.sort_values([c.ITEM, "size", "tag"], ascending=[True, False, True])
    top = ordered.groupby(c.ITEM)["tag"].agg(lambda of_item: ", ".join(of_item.head(_TAGS_SHOWN)))
    return items.map(top).fillna("").astype("str")
