"""nudge: randomised trials of council letters, from one YAML file to an honest uplift."""
