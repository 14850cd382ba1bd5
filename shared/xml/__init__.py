"""The XML of the documents that are exchanged: its limits, its layout, and the digest by which a document is checked."""
