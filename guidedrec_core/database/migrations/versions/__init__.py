"""One file per version of the tables; a released one never changes, and a new one is added at the end."""
