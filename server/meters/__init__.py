"""What was called and delivered, added up over all processes and restarts."""
