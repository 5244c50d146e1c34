"""`python -m harness` is `icl`."""

from harness.cli import main

main()
