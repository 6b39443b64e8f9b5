"""Business rules and changes to try in the app: the page Rules, and which rules the Case study applies."""
