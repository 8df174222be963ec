"""Takes findings from the queue behind the findings bus and makes incidents of them."""
