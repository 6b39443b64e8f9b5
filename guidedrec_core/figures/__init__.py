"""Charts: pure functions from plain tables to Plotly figures, and the colours that all of them share."""
