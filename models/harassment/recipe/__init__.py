"""How the harassment classifier in ``models/harassment`` was made, end to end."""
