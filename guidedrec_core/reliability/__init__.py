"""How far guided scores can be trusted: repeated passes, agreement between them, doubt, and marks on single scores."""
