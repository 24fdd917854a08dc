"""The sample site folder that `usher init` writes."""
