"""Tables from `benchmarks/results/`, one module a subject; each function takes the results and writes Markdown."""
