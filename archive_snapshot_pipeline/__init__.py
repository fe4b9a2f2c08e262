"""The legacy CSV route: option-chain CSV in, box CSV out."""
