"""All of the cluster on one page: each node tells the others what only it knows."""
