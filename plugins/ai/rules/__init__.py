"""Understanding by rules: pure functions over what a visitor typed, in English, German, French and Spanish."""
