"""Images as Jobs of a Kubernetes cluster."""
