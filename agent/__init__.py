"""The first-boot agent, and under `agent.core` what all three programs stand on."""

__version__ = "0.1.0"
