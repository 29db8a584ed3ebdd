"""How the engine's costs grow: with the number of tenants, and with what one tenant holds."""


def tenants(path, folder, report):
    """Ingest spread over many tenants, against the same by one."""
    raise SystemExit("bench: this part is being written")


def growth(path, folder, report):
    """The cost of a question as a tenant grows."""
    raise SystemExit("bench: this part is being written")
