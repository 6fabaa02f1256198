"""Emulated boards: QEMU as the chip, a folder as the flash, a fingerprint with fresh noise."""
