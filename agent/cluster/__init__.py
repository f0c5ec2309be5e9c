"""A cluster of nodes: its certificates, how nodes find, prove and join each other."""
