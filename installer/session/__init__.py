"""The installation as a dialogue: choices of people, and what front ends are told about it."""
