"""Invented councils, tenants and responses whose truth is known: values in, values out, the same from the same seed."""
