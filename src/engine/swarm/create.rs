//! What the Swarm is told when a service, a network or a secret is made. Pure.
