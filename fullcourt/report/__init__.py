"""A range of days as one HTML file that needs nothing else: the facts, the charts, the page."""
