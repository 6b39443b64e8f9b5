"""Business rules: named parts of a score that people set, such as pins, boosts and sold-out items, and their effect."""
