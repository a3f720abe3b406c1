"""Predicted points: the features, the five systems, who is predicted, and how well it went (domain section 6.8)."""
