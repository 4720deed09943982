"""The supervised ensemble: members, stacking, export, runtime, registry."""
