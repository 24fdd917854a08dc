"""The house rules that a machine keeps."""
