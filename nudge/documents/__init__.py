"""What we send: letters drawn from templates, checked page by page, and packed for the printer."""
