"""Conditions on items and users: the grammar, its text form, and which items and users fulfil one."""
