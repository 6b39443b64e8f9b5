"""Fernway Outfitters' shoppers in plain words and numbers: personas, outings, seasons and every strength.

The simulator (`fernway_simulator`) holds no number of its own; what a shopper may want is written here.
Utilities are in logits: with everything else equal, one unit more makes a product 2.7 times as likely to be bought.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from guidedrec_core.config import Config
from guidedrec_core.errors import ConfigError


class ShopConfig(Config):
    """Size of the simulated shop and the strength of each part of a purchase's utility."""

    seed: NonNegativeInt = 2026
    """The seed from which every draw descends."""
    shoppers: PositiveInt = 3000
    """Number of shoppers."""
    first_day: date = date(2024, 1, 1)
    """First day of trade (UTC)."""
    days: int = Field(731, ge=365)
    """Days of trade; 731 from 2024-01-01 ends on 2025-12-31."""

    fewest_purchases: int = Field(5, ge=1)
    """Purchases every shopper makes at least."""
    most_purchases: int = Field(60, ge=1)
    """Purchases a shopper makes at most."""
    median_purchases: PositiveFloat = 12.5
    """Median of the log-normal number of purchases, before it is cut to the two bounds."""
    spread_purchases: NonNegativeFloat = 0.62
    """Standard deviation of the logarithm of the number of purchases."""

    founding_share: float = Field(0.45, ge=0, le=1)
    """Share of shoppers who are customers from the first day; the others join evenly over time."""

    mixture_sharpness: NonNegativeFloat = 2.2
    """Spread of the persona mixture in logits: 0 mixes all personas alike, large values give one persona each."""
    preference_strength: NonNegativeFloat = 0.85
    """Logits that a preference of weight 1 gives a product one standard deviation above the catalogue's mean."""
    individual_spread: NonNegativeFloat = 0.45
    """Standard deviation of what a shopper's weights have beyond the personas (before `preference_strength`)."""

    budget_spread: NonNegativeFloat = 0.35
    """Standard deviation of the log budget around the personas' level."""
    over_budget: NonNegativeFloat = 2.0
    """Logits lost per unit of log price above the budget."""
    under_budget: NonNegativeFloat = 0.6
    """Logits lost per unit of log price below the budget."""

    habit_spread: NonNegativeFloat = 0.6
    """Standard deviation of a shopper's own liking of a category, in logits, on top of the personas' favourites."""

    errand_share: float = Field(0.2, ge=0, le=1)
    """Share of shopping occasions that serve no outing: one product, no script."""
    outing_sizes: tuple[PositiveInt, ...] = (2, 3, 4, 5)
    """Number of script steps an outing may have, all equally likely."""
    outing_taste_spread: NonNegativeFloat = 1.0
    """Standard deviation of a shopper's own liking of an outing, in logits."""
    outing_step: NonNegativeFloat = 6.0
    """Logits that the outing's present step gives every product of its category."""
    detour_share: float = Field(0.08, ge=0, le=1)
    """Share of purchases within an outing that ignore the script."""
    out_of_season: NonNegativeFloat = 2.5
    """Logits an outing loses in a month outside its season."""

    season_strength: NonNegativeFloat = 1.0
    """Factor on the seasonal swing of each category (`SEASONS`)."""
    gift_season: NonNegativeFloat = 0.4
    """Logits per standard deviation of giftability in November and December."""

    popularity_spread: NonNegativeFloat = 0.7
    """Standard deviation of a product's own appeal: its exponential, the demand, is log-normal."""
    late_launches: float = Field(0.08, ge=0, lt=1)
    """Share of products that come into the shop only after the first day."""
    last_launch: float = Field(0.9, ge=0, le=1)
    """Part of the period within which late products are launched."""

    same_item: NonNegativeFloat = 9.0
    """Logits a product loses once the shopper owns it."""
    same_durable_category: NonNegativeFloat = 2.0
    """Logits a product of a durable category loses per product the shopper owns there, counted up to 2."""

    same_visit_share: float = Field(0.5, ge=0, le=1)
    """Chance that the next purchase of an outing is made in the same visit, minutes later."""
    longest_wait_days: PositiveInt = 5
    """Days between two visits of one outing at most."""

    def model_post_init(self, _: Any) -> None:
        """Check what one field alone cannot show."""
        if self.fewest_purchases > self.most_purchases:
            raise ConfigError(
                f"fewest_purchases must not exceed most_purchases, "
                f"got {self.fewest_purchases} and {self.most_purchases}"
            )
        if self.days < self.membership_days(self.most_purchases):
            raise ConfigError(
                f"{self.most_purchases} purchases need {self.membership_days(self.most_purchases)} days, "
                f"got days {self.days}; give more days or fewer most_purchases"
            )

    def membership_days(self, purchases: int) -> int:
        """Return the days a shopper with so many purchases has been a customer at least.

        It leaves room for the slowest possible order of visits, so purchases never have to be cut off.
        """
        return max(120, (self.longest_wait_days + 4) * purchases)


@dataclass(frozen=True)
class Persona:
    """One way of being a customer; a shopper is a mixture of them.

    Attributes
    ----------
    summary : str
        The persona in words.
    share : float
        Relative frequency in the population.
    wants : dict of str to float
        Preference weight of each design attribute that matters, positive or negative; the others weigh 0.
    spending : float
        Log of the price level, 0 being the median price of a category.
    favourites : dict of str to float
        Categories bought more (or less) than by others, in logits.
    outings : dict of str to float
        Outings made more (or less) than by others, in logits.
    """

    summary: str
    share: float
    wants: dict[str, float]
    spending: float
    favourites: dict[str, float]
    outings: dict[str, float]


@dataclass(frozen=True)
class Outing:
    """An occasion for which categories are bought in an order.

    Attributes
    ----------
    steps : tuple of str
        Categories in the order in which they are bought; a shopper buys a stretch of it.
    months : tuple of int
        Season, 1 to 12.
    """

    steps: tuple[str, ...]
    months: tuple[int, ...]


_ALL_YEAR = tuple(range(1, 13))

OUTINGS: dict[str, Outing] = {
    "camping_trip": Outing(
        ("tents", "sleeping", "camp_kitchen", "lighting", "camp_comfort", "tools"), (4, 5, 6, 7, 8, 9)
    ),
    "hiking_holiday": Outing(
        ("hiking_boots", "socks", "backpacks", "rainwear", "bottles", "trousers"), (3, 4, 5, 6, 7, 8, 9, 10)
    ),
    "trail_race": Outing(("trail_shoes", "socks", "shorts", "t_shirts", "bottles", "hats"), (3, 4, 5, 6, 7, 8, 9, 10)),
    "winter_tour": Outing(
        ("jackets", "base_layers", "fleece", "gloves_scarves", "hats", "socks"), (10, 11, 12, 1, 2, 3)
    ),
    "festival_weekend": Outing(("dresses", "sandals", "hats", "lighting", "camp_comfort"), (5, 6, 7, 8)),
    "beach_week": Outing(("travel_bags", "sandals", "shorts", "t_shirts", "hats"), (5, 6, 7, 8)),
    "city_break": Outing(("travel_bags", "sneakers", "shirts", "trousers", "knitwear"), _ALL_YEAR),
    "family_day_out": Outing(("kids", "rainwear", "backpacks", "bottles", "camp_comfort"), _ALL_YEAR),
    "daily_commute": Outing(("rainwear", "backpacks", "sneakers", "bottles", "trousers"), _ALL_YEAR),
    "cosy_season": Outing(("knitwear", "home_lounge", "socks", "gloves_scarves", "bottles"), (10, 11, 12, 1, 2)),
    "woodcraft_course": Outing(("tools", "lighting", "camp_kitchen", "fleece", "gloves_scarves"), _ALL_YEAR),
}
"""Every outing by name."""

PERSONAS: dict[str, Persona] = {
    "alpine_expert": Persona(
        summary="Climbs and ski-tours; buys for the worst day on the mountain.",
        share=0.12,
        wants={
            "technical_performance": 1.3,
            "weather_protection": 0.9,
            "ruggedness": 0.7,
            "warmth": 0.5,
            "style_focus": -0.6,
            "family_focus": -0.6,
        },
        spending=0.45,
        favourites={"jackets": 0.6, "base_layers": 0.6, "dresses": -1.5, "kids": -1.5},
        outings={"winter_tour": 2.0, "camping_trip": 0.8, "hiking_holiday": 0.8, "festival_weekend": -1.5},
    ),
    "fast_and_light": Persona(
        summary="Runs trails and counts grams.",
        share=0.12,
        wants={
            "packability": 1.4,
            "technical_performance": 0.9,
            "comfort": 0.3,
            "warmth": -0.5,
            "giftability": -0.5,
            "family_focus": -0.5,
        },
        spending=0.2,
        favourites={"trail_shoes": 0.8, "shorts": 0.4, "knitwear": -0.8, "kids": -1.5},
        outings={"trail_race": 2.2, "hiking_holiday": 0.6, "cosy_season": -1.0},
    ),
    "festival_goer": Persona(
        summary="Wants to be seen, sleeps in a field once a year, spends little.",
        share=0.14,
        wants={
            "style_focus": 1.3,
            "giftability": 0.3,
            "technical_performance": -0.8,
            "ruggedness": -0.6,
            "premium_feel": -0.5,
            "family_focus": -0.4,
        },
        spending=-0.35,
        favourites={"dresses": 0.8, "hats": 0.5, "sandals": 0.4, "tools": -0.8},
        outings={"festival_weekend": 2.2, "beach_week": 1.0, "city_break": 0.5, "winter_tour": -1.0},
    ),
    "young_family": Persona(
        summary="Equips children and shares everything; easy to wash, easy to use.",
        share=0.15,
        wants={
            "family_focus": 1.4,
            "comfort": 0.5,
            "ruggedness": 0.4,
            "versatility": 0.3,
            "technical_performance": -0.6,
            "packability": -0.3,
        },
        spending=-0.15,
        favourites={"kids": 1.0, "camp_comfort": 0.4},
        outings={"family_day_out": 2.2, "camping_trip": 0.9, "beach_week": 0.6, "trail_race": -1.0},
    ),
    "eco_commuter": Persona(
        summary="Cycles to work in any weather; one good thing that lasts and can be repaired.",
        share=0.14,
        wants={
            "sustainability": 1.4,
            "versatility": 0.9,
            "weather_protection": 0.5,
            "style_focus": 0.2,
            "family_focus": -0.3,
        },
        spending=0.15,
        favourites={"rainwear": 0.5, "trousers": 0.4, "bottles": 0.4},
        outings={"daily_commute": 2.2, "city_break": 0.8, "hiking_holiday": 0.3},
    ),
    "comfort_seeker": Persona(
        summary="Soft, warm and at home.",
        share=0.13,
        wants={
            "comfort": 1.3,
            "warmth": 0.8,
            "giftability": 0.3,
            "technical_performance": -0.7,
            "packability": -0.5,
            "weather_protection": -0.4,
        },
        spending=0.0,
        favourites={"home_lounge": 0.8, "knitwear": 0.5, "tents": -0.8},
        outings={"cosy_season": 2.2, "city_break": 0.5, "trail_race": -1.0, "camping_trip": -0.6},
    ),
    "gift_giver": Persona(
        summary="Looks for the fine thing that makes a present.",
        share=0.09,
        wants={
            "giftability": 1.4,
            "premium_feel": 1.1,
            "style_focus": 0.4,
            "ruggedness": -0.4,
            "technical_performance": -0.5,
        },
        spending=0.4,
        favourites={"gloves_scarves": 0.5, "bottles": 0.5, "home_lounge": 0.4, "tools": 0.3},
        outings={"cosy_season": 1.2, "city_break": 1.2, "beach_week": 0.4},
    ),
    "thrifty_camper": Persona(
        summary="Outdoors every weekend with gear that takes a beating and costs little.",
        share=0.11,
        wants={
            "ruggedness": 1.3,
            "versatility": 0.7,
            "weather_protection": 0.4,
            "premium_feel": -1.1,
            "style_focus": -0.5,
        },
        spending=-0.5,
        favourites={"tools": 0.6, "camp_kitchen": 0.5, "dresses": -0.8},
        outings={"camping_trip": 1.8, "woodcraft_course": 1.8, "hiking_holiday": 0.8, "city_break": -0.8},
    ),
}
"""Every persona by name."""

CONSUMABLES = frozenset({"socks", "t_shirts", "shirts", "shorts", "kids", "hats", "bottles"})
"""Categories of which a shopper may well want another one; all others are durable."""

SEASONS: dict[str, tuple[int, float]] = {
    "backpacks": (6, 0.3),
    "base_layers": (12, 0.8),
    "bottles": (6, 0.2),
    "camp_comfort": (6, 0.6),
    "camp_kitchen": (6, 0.5),
    "dresses": (6, 0.7),
    "fleece": (11, 0.7),
    "gloves_scarves": (12, 1.0),
    "hats": (7, 0.2),
    "hiking_boots": (5, 0.4),
    "home_lounge": (12, 0.6),
    "jackets": (11, 0.8),
    "kids": (12, 0.2),
    "knitwear": (11, 0.9),
    "lighting": (11, 0.3),
    "rainwear": (10, 0.5),
    "sandals": (6, 1.0),
    "shirts": (5, 0.2),
    "shorts": (6, 1.0),
    "sleeping": (6, 0.6),
    "sneakers": (4, 0.2),
    "socks": (12, 0.3),
    "t_shirts": (6, 0.6),
    "tents": (5, 0.8),
    "tools": (12, 0.2),
    "trail_shoes": (4, 0.3),
    "travel_bags": (6, 0.4),
    "trousers": (9, 0.2),
}
"""Each category's best month (1 to 12) and its swing in logits: plus in that month, minus half a year later."""
