"""Kernel, initrd and GRUB on every EFI system partition that the node may start from."""
