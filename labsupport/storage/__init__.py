"""What a broker keeps on disk, read without its help: record batches, offset and time indexes, byte by byte.

It never writes to a broker's files and never asks a running broker to explain them. Start with `segments.decode_log`,
or with `segments_of`, which reads a partition's files from a broker.
"""
