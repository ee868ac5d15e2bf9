"""The reader of a stranger's Python: syntax trees, functions, calls, spans, names and edits."""
