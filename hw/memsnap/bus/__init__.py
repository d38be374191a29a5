"""One file a bus: its Signature, gate, copier port and register front."""
