# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the few names of inspect_ai that configs/labs/command-inspect uses. It is no Inspect: it shows what the
wrapper hands over and gives back what the test wants."""
__version__ = "stand-in"
