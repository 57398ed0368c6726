//! The Swarm's answers, as far as they are read, in the common words of the backends. Pure.
