"""A program that ends as one does in which Vosk aborts."""

import os
import resource

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
os.abort()
