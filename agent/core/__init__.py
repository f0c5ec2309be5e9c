"""What the builder, the installer and the agent share: errors, commands, templates."""
