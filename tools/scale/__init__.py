"""Lessons with many folds, seeds and data sets, on the processes of one machine or of many."""
