"""What all pages and reports share: the plot style and the table writer."""
