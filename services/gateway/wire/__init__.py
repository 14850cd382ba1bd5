"""The protocol between gateways: XML, signatures, HTTP and addresses. No other code knows it."""
