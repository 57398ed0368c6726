"""A package beside the main file."""
