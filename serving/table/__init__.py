"""What workloads made from a table share: the probability of one class, and a policy with a threshold."""
