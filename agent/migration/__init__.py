"""Migration: a guest goes to another member while it runs, with its disks where they are local."""
