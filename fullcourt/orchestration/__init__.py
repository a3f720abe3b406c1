"""Turns a date, a range or a directory into runs and records them. No Beam graphs, no tables' SQL types."""
