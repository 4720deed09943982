"""Data of the members' checks, by the name that other tests know."""

from tests.test_members import parts, prepared

__all__ = ["parts", "prepared"]
