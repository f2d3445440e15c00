"""TODO_DOC register."""
