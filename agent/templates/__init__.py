"""Templates of containers: catalogues, the fetcher, and the node's own store.

Every kind of source gives the same records (`catalogue.Template`); the fetcher turns one of them
into a verified file of the store (`store.Store`), which is itself a folder with SHA256SUMS.
"""
