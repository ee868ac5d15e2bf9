"""The marks, overrides and comments of reviewers, stored apart from the results."""

from grader.review.folder import Folder, Reviewed, open_folder

__all__ = ["Folder", "Reviewed", "open_folder"]
