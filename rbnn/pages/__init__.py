"""What everything that is read shares: plot style, table writer, base class of documents."""
