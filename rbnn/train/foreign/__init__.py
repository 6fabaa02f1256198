"""Files of models that others made: what is in them is checked before a library reads them."""
