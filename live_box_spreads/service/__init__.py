"""What is published: the snapshots of a folder as desks, for every face that shows them."""
