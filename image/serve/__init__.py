"""The netboot server: feeds the files of out/netboot and an answer to each machine of a site."""
