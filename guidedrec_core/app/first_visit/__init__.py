"""For a first visit: a tour of three stops, and the words that the pages use."""
