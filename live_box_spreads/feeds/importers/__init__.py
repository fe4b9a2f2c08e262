"""Chains from files."""
