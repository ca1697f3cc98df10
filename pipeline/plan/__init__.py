"""The solution plan and what knows its fields: lenient reading, vocabulary, shapes, dataset facts, category cues."""
