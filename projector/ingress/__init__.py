"""The ingress: Zoom's deliveries over HTTP, answered once their append is durable."""
