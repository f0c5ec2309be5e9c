"""A laboratory of nodes in namespaces: real systemd, corosync, Pacemaker, pcsd, stunnel and our
enrolment over the built node's tree, without emulation. Needs root, overlayfs and cgroup2.
"""
