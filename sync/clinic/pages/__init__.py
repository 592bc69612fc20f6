"""What staff read: pages that a browser shows and a printer prints, without a script."""
