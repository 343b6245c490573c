"""A report: titled tables, figures as data, and notes, rendered as text or as one HTML file."""
