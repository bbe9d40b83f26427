"""The HTTP interface: one blueprint and one schema module for each resource."""
