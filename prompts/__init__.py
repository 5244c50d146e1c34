"""Task families, the ideal observers they are judged against, controls, and how sequences become prompts."""
