"""How a node enters the cluster: three programs on every member, each with one power.

endpoint  talks to the network; unprivileged, holds the node's own key
member    reads and writes the cluster's records, adds nodes; root, reached by the endpoint alone
signer    has the authority's key; unprivileged, no network, reached by `member` alone
"""
