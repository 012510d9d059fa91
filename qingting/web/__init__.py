"""Home of the npm workspace ``@qingting/client`` and of what server-rendered pages share."""
