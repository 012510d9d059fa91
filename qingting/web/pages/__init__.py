"""Frame, macros, styles and texts of server-rendered pages; used through :mod:`qingting.kernel.web`."""
