"""The steps of a trial: each is a function of its noun, given the handle, its files and the date."""
