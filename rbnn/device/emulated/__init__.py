"""Emulated boards: QEMU as the chip, a folder as flash, a fingerprint with fresh noise."""
