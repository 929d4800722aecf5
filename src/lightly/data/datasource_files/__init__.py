"""The files in `.lightly/` of a datasource: what users put there and what the platform writes.

Read and written here by the worker, the SDK and the server alike. Nothing here opens a connection:
bytes come from wherever the files lie.
"""
