"""Everything that knows the wire between gateways: XML, signatures, HTTP, addresses. Nothing else in the house does."""
