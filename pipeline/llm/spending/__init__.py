"""What calls cost: budgets, prices, and the response cache that pays for nothing twice."""
