"""Gateway: the exchange of documents over the ASEAN Single Window."""
