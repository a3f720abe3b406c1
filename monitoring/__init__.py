"""Grafana's files, and what generates them from the processors and the queries."""
