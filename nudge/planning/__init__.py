"""Can the trial answer its question: detectable effects, sizes, weeks, and what to change where it cannot."""
