"""The database of what people write: studies, cases, notes, scenarios, overrides, segments, rules, judgements.

``<home>/guidedrec.db`` is an SQLite file; ``GUIDEDREC_DATABASE_URL`` names a PostgreSQL server instead. `place` knows
where the database is and loads nothing heavy; `tables` has the tables, `database` opens them, reads and writes.
"""
