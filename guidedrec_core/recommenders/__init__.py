"""Recommenders as a data scientist uses them: fitted on a split data set, ids and DataFrames in and out.

Base recommenders (`sequence`, `external`, `simple`), the refiner and what it returns (`refiner`, `refined`), what all
of them can do (`recommender`), why an item is recommended (`explanation`), and how they are stored (`writing`,
`reading`).
The models inside, which know indexes only, live in ``models/`` and ``refinement/``.
"""
