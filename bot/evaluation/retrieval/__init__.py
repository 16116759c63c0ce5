"""How well products are found: judged queries, rankings beside three baselines, what is lost."""
