"""A record of what the grader says of known answers, to hold a change of its structure against."""
