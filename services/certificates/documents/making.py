"""The functions of the process pool. Only the process that runs them imports typst and pyHanko."""

from services.certificates.documents.orders import PageOrder, SealedPage, SealOrder


def print_and_seal(page: PageOrder, order: SealOrder) -> SealedPage:
    """Makes a sealed PDF."""
    from services.certificates.documents.sealing import sealed_page

    return sealed_page(page, order)


def print_only(page: PageOrder) -> bytes:
    """Makes a PDF without a seal."""
    from services.certificates.documents.printing import printed

    return printed(page)
