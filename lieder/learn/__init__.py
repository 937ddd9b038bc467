"""Learn: actions whose leaves train, where symmetries are not linear in the data or their sizes are sought.

The verbs are met in `lieder.discover`: whoever discovers need not know what trains."""

from ._adversarial import adversarial as adversarial
from ._descent import Descent as Descent
from ._encoding import Encoding as Encoding
from ._game import Losses as Losses
from ._generative import generative as generative
from ._inference import Blur as Blur
from ._latent import latent as latent
from ._model import Generative as Generative
from ._sizes import Sizes as Sizes
from ._spread import Spread as Spread
from ._training import Trained as Trained
from ._training import trained as trained
from ._vae import VAE as VAE
from ._vae import vae as vae
