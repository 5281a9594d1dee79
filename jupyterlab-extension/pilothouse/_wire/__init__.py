"""The protocol between clients and services of one's own; see docs/protocol/service.md."""
