"""The Plotly Dash dashboard."""
