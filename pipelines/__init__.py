"""One file per phase: each wires transforms to a snapshot and a way to finish, and nothing else."""
