"""The QEMU laboratory: real machines for tests and for `./build.sh try`.

A MachineSpec says what a machine is made of, `qemu_arguments` turns it into a command line, and
Machine runs it. Everything else here watches such a machine: its serial console, its monitor
(QMP), its SSH server.
"""
