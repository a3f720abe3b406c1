"""A simulated league in the landing formats: no real person, no real game, the same league for the same seed."""
