"""What leaves for people's phones and mail boxes: the ports, and what their gateways share."""
