"""Ray Serve: the HTTP and WebSocket API and the web page."""
