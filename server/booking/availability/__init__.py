"""Open times, purely: hours, busy times and buffers as bits; list, check and reason come from one function."""
