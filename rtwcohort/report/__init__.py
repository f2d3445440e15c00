"""TODO_DOC report."""
