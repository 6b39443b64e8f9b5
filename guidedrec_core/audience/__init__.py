"""Groups: who is shown what, segments of users, and shelves of the catalogue."""
