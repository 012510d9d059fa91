"""The WebSocket hub of a hall: sessions, authority, topics, presence, identity, printing.

:class:`hallserver.hub.hub.Hub` puts the parts together; ``qingting.contract.hub`` is the protocol.
"""
