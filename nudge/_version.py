"""The version, in one place: the build, the certificate and the summary document read it here."""

__version__ = "0.1.0"
