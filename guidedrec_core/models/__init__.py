"""Base recommenders and their training loop."""
