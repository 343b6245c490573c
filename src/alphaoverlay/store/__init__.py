"""The store of fetched data: every state that a source ever served, by version."""
