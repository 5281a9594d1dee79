"""Functions and values on their way to workers and back."""

from .executor import Executor
from .references import function_reference
from .values import decode_payload, encode_arguments, remote_error

__all__ = ["Executor", "decode_payload", "encode_arguments", "function_reference", "remote_error"]
