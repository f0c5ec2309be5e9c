"""How many machines one netboot server can feed: `./build.sh bench serve`."""
