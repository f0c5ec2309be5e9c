"""The guests of this node, machines and containers alike: which there are, start, stop."""
