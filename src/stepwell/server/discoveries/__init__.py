"""Running an image in discover mode; the product is a manifest."""
