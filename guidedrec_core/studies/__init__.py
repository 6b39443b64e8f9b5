"""Studies: named collections of cases, with a note and a verdict on each, kept in the database.

`study` has what a study and a case are; `store` lists, makes, changes and deletes them; `exchange` writes a study as
JSON and reads it again.
"""
