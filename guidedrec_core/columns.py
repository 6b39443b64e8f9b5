"""Column names used in every table of the project, inside and outside.

External tables are mapped to these names once, by the readers; no other module spells a column name.
"""

USER = "user_id"
ITEM = "item_id"
DATETIME = "datetime"
WEIGHT = "weight"
TIE = "tie_order"
"""What orders interactions of one user at the same moment; only in tables as they are read."""

EVENT = "event"
"""The kind of an interaction, such as view or purchase; only in tables as they are read."""

SCORE = "score"
RANK = "rank"
MODEL = "model"

TITLE = "title"
CATEGORY = "category"
PRICE = "price"
DESCRIPTION = "description"
IMAGE = "image"
CURRENCY = "currency"

INTERACTIONS = (USER, ITEM, DATETIME, WEIGHT)
RECOMMENDATIONS = (USER, ITEM, SCORE, RANK, MODEL)
