"""The renderer of the embedded faces: people who do not exist, with the cause of every pixel written down.

Readers of the course never need it: ``facelab`` reads the finished photographs. Data flows one way::

    assets → head (shape) → look (skin, brows, hair, glasses) → scene (camera, lights) → raster
           → photograph → data set
"""
