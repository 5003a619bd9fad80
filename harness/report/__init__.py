"""Tables, figures, pictures and the page that compare writes."""
