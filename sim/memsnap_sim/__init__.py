"""Simulation of the snapshot unit: reference model, test kit, SoC and command line."""
