"""One metric per file, each with its batch definition and its source."""
