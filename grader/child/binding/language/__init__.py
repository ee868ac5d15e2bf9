"""The one language for how an answer is called: its lines, layouts and places, and what runs it."""
