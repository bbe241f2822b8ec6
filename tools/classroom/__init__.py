"""What a teacher hands out, keeps and grades, made from the lessons: ``python -m tools.classroom``."""
