"""What operations show to people: tables, JSON, Markdown, HTML, images, files."""
