"""What would go, why, how much comes free - and then, when somebody says so, let it go."""
