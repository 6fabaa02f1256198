"""What devices sign: statements of what they are, and receipts for licences that they gave up."""
