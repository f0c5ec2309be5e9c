"""The page: every machine of the site, for people and for programs."""
