"""Guests under HA: Pacemaker runs each on one member, and on the next when that one fails."""
