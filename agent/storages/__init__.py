"""Storage for guests: the file system for disks of virtual machines, and declared storages."""
