"""Figures: plain data in, `plotly.graph_objects.Figure` out. No Streamlit, no file, no global template."""
