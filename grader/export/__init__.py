"""Results with the marks of humans → the files that other systems take. One file a format."""

from grader.export.formats import FORMATS, Format, export

__all__ = ["FORMATS", "Format", "export"]
