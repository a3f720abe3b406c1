"""Timings, as ratios of interleaved runs on the same input. Nothing here installs."""
