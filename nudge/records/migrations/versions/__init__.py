"""One module a version; once released, none is edited."""
