"""One person across all rooms: what is held about them, given out or erased."""
