"""The small module that the chapters of *Reading Faces* share.

The docstring of each public function says which lesson builds it ("Built in lesson 3.1.") or uses it
("Used in lesson 3.1."). In the lesson that builds a function the reader writes a version of it, and near its
end the lesson compares the two. Tests check these statements. Import the part that you need (``from facelab
import adience``); importing the package alone loads nothing heavy.
"""
