"""What Zoom sends: events, bodies, signatures. Pure: bytes in, values out."""
