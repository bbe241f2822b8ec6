"""The small module that the chapters of *Reading Faces* share.

Nothing here is hidden machinery: each public function is built by the reader in one chapter, which its
docstring names, and that chapter ends by checking the reader's version against it. Import the part that you
need (``from facelab import adience``); importing the package alone loads nothing heavy.
"""
