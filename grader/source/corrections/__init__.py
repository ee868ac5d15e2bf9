"""The smallest edits after which a text is Python, and names what it defines.

An edit touches what carries no idea: a colon, a bracket, a comma, a quote, an indent, the
spelling of a keyword or of a name, a form of Python 2's. No edit writes an operator, a number or
a call. Lines keep their numbers. Nothing here runs a text; whoever takes an edit has to prove it
by running.
"""
