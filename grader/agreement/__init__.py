"""Hold the grader against a panel of markers: how they agree, and which weights fit better."""
