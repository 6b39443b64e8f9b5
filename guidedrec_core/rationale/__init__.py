"""Rationales: why an item is recommended, as typed claims about computed facts, put into words by templates.

`facts` holds the evidence, each piece with an id; `claims` the types of claims and their sentences for each reader;
`choice` the claims that a case supports, and the default choice; `llm` lets a language model choose among them. A
language model writes no sentence, so it cannot write a false one.
"""
