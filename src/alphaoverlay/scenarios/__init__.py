"""What an overlay pays on every path: generators of paths, bridges, simulation and what-if (methods M9 and M10)."""
