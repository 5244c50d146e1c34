"""Providers: one public file each, found by its name; what they share is in files that start with "_"."""
