"""What an operator does about the directory's own troubles: each deed, and the event that says who did it."""
