"""The history of the schema: one module a step in `versions/`, applied by `db.engine.migrate`.

A step is written by hand, never changed once released, and imports nothing of the project, so that
it means the same for ever. The store tests name what `db.tables` and the newest step disagree on.
"""
