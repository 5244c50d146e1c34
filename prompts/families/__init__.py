"""One file a task family: the file name is its name, `harness.prompts.family` its contract."""
