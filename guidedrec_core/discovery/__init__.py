"""Discovery: what a refined model knows that nobody named, shown, put to the test, and given a name."""
