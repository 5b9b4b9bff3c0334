"""What every room stands on: refusals, kinds of cell, money and dates, whole files, canonical bytes."""
