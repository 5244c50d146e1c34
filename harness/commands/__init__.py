"""What each command of the command line does; `harness.cli` imports them when they are run."""
