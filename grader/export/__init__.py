"""Write results with the marks of humans for other systems, in one module a format."""

from grader.export.formats import FORMATS, Format, export

__all__ = ["FORMATS", "Format", "export"]
