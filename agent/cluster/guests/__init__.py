"""Definitions of guests at every member: one writer each, copies that are known to be current.

The writer of a definition is the member that the guest belongs to, where it runs or ran last. It
tells the digest to all members in the CIB and sends a copy to each; a member refuses to start a
guest from a copy with another digest.
"""
