"""The printed and sealed documents of a certificate. Typst and pyHanko run in the process pool only."""
