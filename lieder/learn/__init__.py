"""Learn: actions whose leaves train, where symmetries are not linear in the data or their sizes are sought.

The verbs are met in `lieder.discover`: whoever discovers need not know what trains."""

from ._spread import Spread as Spread
from ._training import Trained as Trained
from ._training import trained as trained
