"""Services as they are, small and on loopback: stateful, strict about what they are sent, obeying a script of faults.

`server.py` is what all of them share; one file for each service; `passing.py` stands before a real one.
"""

from plugins.testing.fakes.faults import Fault, Faults
from plugins.testing.fakes.passing import Passing
from plugins.testing.fakes.server import Asked, Fake, Refusal, on

__all__ = ["Asked", "Fake", "Fault", "Faults", "Passing", "Refusal", "on"]
