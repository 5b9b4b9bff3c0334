"""The command line: a thin face over the steps of a trial. It owns the clock, the screen and the exit codes."""
