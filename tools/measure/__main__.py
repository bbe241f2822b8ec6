"""Ask both judges about 2,000 of the embedded faces: ``python -m tools.measure``."""

from facelab import embedded
from tools.measure import judge

judge.main([str(embedded.data_dir()), "--limit", "2000"])
