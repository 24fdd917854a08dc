"""A made-up company's website and everything `make demo` starts: for trying Usher out, no part of the product."""
