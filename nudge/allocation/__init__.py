"""Who gets which arm: the draw, what it could have been, and the certificate that lets an outsider repeat it.

Pure: values in, values out; no files, no clock, no database.
"""
