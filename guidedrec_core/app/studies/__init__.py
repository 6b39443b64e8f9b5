"""The Studies page, and the fields in which a saved case is judged."""
