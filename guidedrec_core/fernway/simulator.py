"""Simulates Fernway's purchases: each one is the product with the highest utility, a sum of named parts.

For shopper u, product i and the moment of a purchase, the parts are, in logits:

====================  ==============================================================================
``preference``        the shopper's twelve weights times the product's z-scored *design truth*
``price``             minus what the price lies over (or, more weakly, under) the shopper's budget
``habit``             the shopper's liking of the product's category
``outing_step``       the category that the present outing calls for now
``season``            the category's season, and giftability before Christmas
``popularity``        the product's own appeal, the same for everybody
``repeat``            minus what owning it, or something alike if it is durable, takes away
``noise``             a standard Gumbel draw, which makes the choice a multinomial logit
====================  ==============================================================================

The choice is made once, over all products on sale, not first over categories. Preferences come from what the
writers of the listings meant (the design truth); scores given by a language model are no input.

The draws use nothing but uniform doubles of NumPy's PCG64 and elementary functions, and every part is rounded to
1e-4 before the choice, so that another NumPy build makes the same shop.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from guidedrec_core.columns import CATEGORY, DATETIME, ITEM, PRICE, USER, WEIGHT
from guidedrec_core.errors import DataError
from guidedrec_core.fernway.shop import CONSUMABLES, OUTINGS, PERSONAS, SEASONS, ShopConfig
from guidedrec_core.randomness import generator

PARTS = ("preference", "price", "habit", "outing_step", "season", "popularity", "repeat", "noise")
"""The parts of a purchase's utility, in the order of `SimulatedShop.purchase_parts`."""
TOTAL = "total"
OUTING_KIND = "outing_kind"
OUTING_NUMBER = "outing_number"
ERRAND = "errand"
"""`outing_kind` of a single purchase that serves no outing."""

_DECIMALS = 4
_GIFTABILITY = "giftability"
_GIFT_MONTHS = (11, 12)
_OPENING_HOUR, _OPEN_HOURS = 8, 13
_LONGEST_PAUSE = 600  # seconds between two purchases of one visit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SimulatedShop:
    """What a simulation made, and the truth behind it.

    Attributes
    ----------
    config : ShopConfig
        What it was made with.
    interactions : DataFrame
        `user_id, item_id, datetime` (UTC, whole seconds), `weight` (1.0), by user and time.
    shoppers : DataFrame
        One row a user: `user_id`, one column ``persona_<name>`` a persona (shares, sum 1), one column an attribute
        (weight in logits per standard deviation), `budget` (multiple of a category's median price).
    purchase_parts : DataFrame
        One row an interaction, in the same order: `user_id, item_id, datetime, outing_kind, outing_number` (counts
        a user's shopping occasions from 0), the `PARTS` and their sum `total`, in logits.
    """

    config: ShopConfig
    interactions: pd.DataFrame
    shoppers: pd.DataFrame
    purchase_parts: pd.DataFrame


@dataclass(frozen=True)
class _Shelf:
    """The products, as arrays over items in the catalogue's order, and the calendar."""

    item_ids: NDArray[np.object_]
    attributes: list[str]
    design: Floats  # [n_items, n_attributes], z-scores
    categories: list[str]
    category: Ints  # [n_items], index into categories
    durable: NDArray[np.bool_]  # [n_items]
    log_price: Floats  # [n_items], log of price over the category's median price
    popularity: Floats  # [n_items]
    season: Floats  # [12, n_items]
    launch_day: Ints  # [n_items], 0 = on sale from the first day
    month: Ints  # [n_days], 1 to 12


@dataclass(frozen=True)
class _Population:
    """The shoppers, as arrays over users."""

    shares: Floats  # [n_users, n_personas]
    weights: Floats  # [n_users, n_attributes]
    budget: Floats  # [n_users]
    habits: Floats  # [n_users, n_categories]
    outings: Floats  # [n_users, n_outings]
    purchases: Ints  # [n_users]


@dataclass(frozen=True)
class _Occasion:
    """One errand or outing before anything is chosen: when each purchase happens and which category it is for."""

    kind: str
    day: Ints  # [n_steps], days since the first day
    second: Ints  # [n_steps], seconds since midnight
    step: Ints  # [n_steps], category called for, -1 = none


def simulate_shop(
    catalogue: pd.DataFrame, design_truth: pd.DataFrame, config: ShopConfig | None = None
) -> SimulatedShop:
    """Simulate the purchases of every shopper.

    Parameters
    ----------
    catalogue : DataFrame
        `item_id, category, price` (any positive currency), one row a product.
    design_truth : DataFrame
        `item_id` and one numeric column an attribute; the same products, in any order.
    config : ShopConfig, optional
        Sizes, strengths and seed; default: the bundled shop's.

    Returns
    -------
    SimulatedShop
        The same for the same arguments, on every machine.

    Raises
    ------
    DataError
        The two tables do not describe the same products, or lack a category, attribute or price that is needed.
    """
    config = config or ShopConfig()
    shelf = _stock(catalogue, design_truth, config)
    population = _draw_population(shelf, config)
    user_ids = [f"S{number:04d}" for number in range(1, config.shoppers + 1)]
    purchases = pd.concat(
        [_shop(user, user_id, shelf, population, config) for user, user_id in enumerate(user_ids)], ignore_index=True
    )
    interactions = purchases[[USER, ITEM, DATETIME]].assign(**{WEIGHT: np.float32(1)})
    shoppers = pd.DataFrame({USER: user_ids})
    shoppers[[f"persona_{name}" for name in PERSONAS]] = population.shares
    shoppers[shelf.attributes] = population.weights
    shoppers["budget"] = population.budget
    return SimulatedShop(config, interactions, _small_floats(shoppers), _small_floats(purchases))


def _stock(catalogue: pd.DataFrame, design_truth: pd.DataFrame, config: ShopConfig) -> _Shelf:
    """Check the two tables and derive what does not depend on a shopper."""
    _require(catalogue, (ITEM, CATEGORY, PRICE), "the catalogue")
    wanted = {attribute for persona in PERSONAS.values() for attribute in persona.wants} | {_GIFTABILITY}
    _require(design_truth, (ITEM, *sorted(wanted)), "the design truth")
    if catalogue[ITEM].duplicated().any() or set(catalogue[ITEM]) != set(design_truth[ITEM]):
        raise DataError(
            "the catalogue and the design truth must hold the same products, each once; "
            f"got {len(catalogue)} and {len(design_truth)} rows. Use the two files of one shop"
        )
    categories = sorted(set(catalogue[CATEGORY]))
    unknown = set(categories) ^ set(SEASONS)
    if unknown:
        raise DataError(f"the catalogue must have exactly the categories of SEASONS; differing: {sorted(unknown)}")

    truth = design_truth.set_index(ITEM).loc[catalogue[ITEM]].astype("float64")
    design = ((truth - truth.mean()) / truth.std(ddof=0)).to_numpy()
    category = catalogue[CATEGORY].map(categories.index).to_numpy(dtype=np.int64)
    median_price = catalogue.groupby(CATEGORY)[PRICE].transform("median")

    months = np.arange(1, 13)[:, None]
    peak = np.array([SEASONS[name][0] for name in categories])[category]
    swing = np.array([SEASONS[name][1] for name in categories])[category]
    season = config.season_strength * swing * np.cos(2 * np.pi * (months - peak) / 12)  # [12, n_items]
    gift = config.gift_season * design[:, list(truth.columns).index(_GIFTABILITY)]
    season = season + np.isin(months, _GIFT_MONTHS) * gift

    random = generator(config.seed, "fernway", "items")
    n_items = len(catalogue)
    late = random.random(n_items) < config.late_launches
    launch_day = np.where(late, random.random(n_items) * config.last_launch * config.days, 0).astype(np.int64)
    return _Shelf(
        item_ids=catalogue[ITEM].to_numpy(dtype=object),
        attributes=list(truth.columns),
        design=design,
        categories=categories,
        category=category,
        durable=~catalogue[CATEGORY].isin(CONSUMABLES).to_numpy(dtype=bool),
        log_price=np.log(catalogue[PRICE].to_numpy(dtype=np.float64) / median_price.to_numpy(dtype=np.float64)),
        popularity=_rounded(config.popularity_spread * _normal(random, n_items)),
        season=_rounded(season),
        launch_day=launch_day,
        month=_months(config),
    )


def _require(table: pd.DataFrame, columns: tuple[str, ...], what: str) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise DataError(f"{what} lacks {missing}; it has {list(table.columns)}. Use the bundled files' columns")


def _draw_population(shelf: _Shelf, config: ShopConfig) -> _Population:
    """Draw who the shoppers are."""
    random = generator(config.seed, "fernway", "shoppers")
    personas = list(PERSONAS.values())
    n_users = config.shoppers

    logits = np.log([p.share for p in personas]) + config.mixture_sharpness * _normal(random, n_users, len(personas))
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)  # [n_users, n_personas]

    def mixed(tables: list[dict[str, float]], names: list[str]) -> Floats:
        by_persona: Floats = np.array([[table.get(name, 0.0) for name in names] for table in tables])
        mixture: Floats = shares @ by_persona
        return mixture

    def own(spread: float, *shape: int) -> Floats:
        return spread * _normal(random, n_users, *shape)

    wants = mixed([p.wants for p in personas], shelf.attributes)
    weights = config.preference_strength * (wants + own(config.individual_spread, len(shelf.attributes)))
    budget = np.exp(shares @ np.array([p.spending for p in personas]) + own(config.budget_spread))
    habits = mixed([p.favourites for p in personas], shelf.categories)
    outings = mixed([p.outings for p in personas], list(OUTINGS))
    purchases = np.rint(config.median_purchases * np.exp(own(config.spread_purchases)))
    return _Population(
        shares=_rounded(shares),
        weights=_rounded(weights),
        budget=_rounded(budget),
        habits=_rounded(habits + own(config.habit_spread, len(shelf.categories))),
        outings=_rounded(outings + own(config.outing_taste_spread, len(OUTINGS))),
        purchases=np.clip(purchases, config.fewest_purchases, config.most_purchases).astype(np.int64),
    )


def _shop(user: int, user_id: str, shelf: _Shelf, population: _Population, config: ShopConfig) -> pd.DataFrame:
    """Let one shopper go through all occasions and choose a product at each step."""
    random = generator(config.seed, "fernway", "shopper", user)
    preference = _rounded(shelf.design @ population.weights[user])
    gap = shelf.log_price - np.log(population.budget[user])
    price = _rounded(-config.over_budget * np.maximum(gap, 0) - config.under_budget * np.maximum(-gap, 0))
    habit = population.habits[user][shelf.category]
    repeat = np.zeros(len(shelf.item_ids))
    owned = np.zeros(len(shelf.categories), dtype=np.int64)

    chosen: list[int] = []
    rows: list[list[float]] = []
    labels: list[tuple[str, int, int]] = []
    for number, occasion in enumerate(_plan(random, shelf, population, user, config)):
        for day, second, step in zip(occasion.day, occasion.second, occasion.step, strict=True):
            parts = np.stack(
                [
                    preference,
                    price,
                    habit,
                    np.where(shelf.category == step, config.outing_step, 0.0),
                    shelf.season[shelf.month[day] - 1],
                    shelf.popularity,
                    repeat,
                    _rounded(_gumbel(random, len(shelf.item_ids))),
                ]
            )  # [n_parts, n_items]
            total = _rounded(parts.sum(axis=0))
            item = int(np.argmax(np.where(shelf.launch_day <= day, total, -np.inf)))
            chosen.append(item)
            rows.append([*parts[:, item], total[item]])
            labels.append((occasion.kind, number, int(day) * 86_400 + int(second)))

            alike = shelf.category == shelf.category[item]
            if shelf.durable[item] and owned[shelf.category[item]] < 2:
                repeat[alike] -= config.same_durable_category
            owned[shelf.category[item]] += 1
            if item not in chosen[:-1]:
                repeat[item] -= config.same_item

    kinds, numbers, seconds = zip(*labels, strict=True)
    moments = np.datetime64(config.first_day, "s") + np.array(seconds, dtype="timedelta64[s]")
    table = pd.DataFrame({USER: user_id, ITEM: shelf.item_ids[chosen]})
    table[DATETIME] = pd.DatetimeIndex(moments).tz_localize("UTC")
    table[OUTING_KIND] = kinds
    table[OUTING_NUMBER] = np.array(numbers, dtype=np.int16)
    table[[*PARTS, TOTAL]] = np.array(rows)
    return table


def _plan(
    random: np.random.Generator, shelf: _Shelf, population: _Population, user: int, config: ShopConfig
) -> Iterator[_Occasion]:
    """Lay a shopper's occasions, one after the other without overlap, into the time as a customer."""
    purchases = int(population.purchases[user])
    sizes: list[int] = []
    while sum(sizes) < purchases:
        errand = random.random() < config.errand_share
        size = 1 if errand else config.outing_sizes[int(random.random() * len(config.outing_sizes))]
        sizes.append(min(size, purchases - sum(sizes)))
    waits = [_draw_waits(random, size, config) for size in sizes]  # days from each purchase to the one before
    lengths = np.array([int(wait.sum()) + 1 for wait in waits])

    founder = random.random() < config.founding_share
    join = 0 if founder else int(random.random() * (config.days - config.membership_days(purchases)))
    slack = config.days - join - int(lengths.sum())
    free_days = np.sort((random.random(len(sizes)) * slack).astype(np.int64))
    starts = join + free_days + np.concatenate([[0], np.cumsum(lengths)[:-1]])

    for size, wait, start in zip(sizes, waits, starts, strict=True):
        day = start + np.cumsum(wait)
        second = _draw_seconds(random, wait)
        if size == 1:
            yield _Occasion(ERRAND, day, second, np.array([-1]))
            continue
        out_of_season = [shelf.month[start] not in outing.months for outing in OUTINGS.values()]
        appeal = population.outings[user] - config.out_of_season * np.array(out_of_season, dtype=np.float64)
        kind = list(OUTINGS)[int(np.argmax(_rounded(appeal + _gumbel(random, len(OUTINGS)))))]
        script = [shelf.categories.index(name) for name in OUTINGS[kind].steps]
        first = int(random.random() * (len(script) - size + 1))
        detour = random.random(size) < config.detour_share
        yield _Occasion(kind, day, second, np.where(detour, -1, script[first : first + size]))


def _draw_waits(random: np.random.Generator, size: int, config: ShopConfig) -> Ints:
    """Draw the days between an occasion's purchases; 0 = the same visit."""
    other_visit = random.random(size) >= config.same_visit_share
    days = 1 + (random.random(size) * config.longest_wait_days).astype(np.int64)
    waits: Ints = np.where(other_visit, days, 0)
    waits[0] = 0
    return waits


def _draw_seconds(random: np.random.Generator, wait: Ints) -> Ints:
    """Draw the time of day of each purchase, later ones of a visit after earlier ones."""
    opening = _OPENING_HOUR * 3600 + (random.random(len(wait)) * _OPEN_HOURS * 3600).astype(np.int64)
    pause = 1 + (random.random(len(wait)) * _LONGEST_PAUSE).astype(np.int64)
    second = opening.copy()
    for step in range(1, len(wait)):
        if wait[step] == 0:
            second[step] = second[step - 1] + pause[step]
    return second


def _months(config: ShopConfig) -> Ints:
    """Return the month, 1 to 12, of every day of trade."""
    days = np.datetime64(config.first_day, "D") + np.arange(config.days)
    return days.astype("datetime64[M]").astype(np.int64) % 12 + 1


def _normal(random: np.random.Generator, *shape: int) -> Floats:
    """Draw standard normals by Box and Muller's transform: NumPy may change its own between versions."""
    radius = np.sqrt(-2 * np.log(1 - random.random(shape)))
    draws: Floats = radius * np.cos(2 * np.pi * random.random(shape))
    return draws


def _gumbel(random: np.random.Generator, size: int) -> Floats:
    """Draw standard Gumbel noise by inversion."""
    uniform = np.clip(random.random(size), 1e-12, 1 - 1e-12)
    return -np.log(-np.log(uniform))


def _rounded(values: Floats) -> Floats:
    """Round to the digits kept, so that choices do not hang on the last bits of a logarithm or a matrix product."""
    return np.round(values, _DECIMALS)


def _small_floats(table: pd.DataFrame) -> pd.DataFrame:
    floats = table.select_dtypes("float64").columns
    return table.astype(dict.fromkeys(floats, np.float32))
