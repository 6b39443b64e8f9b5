"""Cases: one user and item under study, with titles and words, as pages and commands show them."""
