"""How often trials of two identical letters find a difference, and how often intervals hold the truth (rules §10).

python -m benchmarks.calibration --help
"""
