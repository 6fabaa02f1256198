"""``rbnn bench theft``: what stolen bits are worth to a thief who fine-tunes them."""
