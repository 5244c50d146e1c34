"""Models on this machine: the local adapter, white-box methods, recipes (the only users of torch)."""
