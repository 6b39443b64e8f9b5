"""Tests put to people: which of two lists is better, and can people predict what is recommended?

`content` has what is shown, fixed when a test is made; `taste` and `prediction` draw its cases from recommenders;
`design` deals cases, arms and sides to judges; `store` keeps tests, judges and answers in the database; `analysis` says
what the answers tell, with `intervals` and `power`.
"""
