"""`python -m services.certificates.documents.apart`: prints one large document. Inputs as JSON come in, a PDF goes out."""

import json
import sys

from services.certificates.documents.printing import compiled

if __name__ == "__main__":
    sys.stdout.buffer.write(compiled(json.loads(sys.stdin.buffer.read())))
