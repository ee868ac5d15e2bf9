"""What humans add to results: marks, overrides and comments, kept apart and never lost."""

from grader.review.folder import Folder, Reviewed, open_folder

__all__ = ["Folder", "Reviewed", "open_folder"]
