"""The commands of `slipway`, one module each."""
