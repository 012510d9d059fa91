"""Composition root of a hall server and its pages. ``run_hall(settings)`` in :mod:`hallserver.app.server`."""
